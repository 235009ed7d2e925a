import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { createDelivery } from '../../src/discord/delivery.ts';
import { createDiscordRest } from '../../src/discord/discord-rest.ts';
import { createUploadFitter } from '../../src/discord/upload-fitting.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../src/services/images/image-preparation.ts';
import type { JobEnd } from '../../src/services/job-conclusion.ts';
import { createJobConclusion } from '../../src/services/job-conclusion.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { JobOutcome } from '../../src/services/job-outcome.ts';
import type { LateNews } from '../../src/services/job-progress.ts';
import { referenceOf } from '../../src/services/job-reference.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createDirectory, createPlan, createRequest, JOB_ID, silentLog } from '../services/job-fixture.ts';
import { answerJson, startLocalServer } from '../services/providers/local-server.ts';
import { until } from '../until.ts';

const LIMIT_BYTES = 100_000;
const PNG_BEGINNING = Buffer.from('89504e470d0a1a0a', 'hex');
const PICTURE_EDGE_PX = 64;
const MEBIBYTE = 1024 * 1024;

const address = {
  applicationId: '1',
  token: 'token',
  channelId: '2',
  memberId: '3',
  uploadLimitBytes: LIMIT_BYTES,
};
const now = (): number => Date.UTC(2026, 10, 20);
const sleep = async (): Promise<void> => undefined;

function answerAsPosted(response: ServerResponse): void {
  answerJson(response, 200, { id: '9', channel_id: '2' });
}

/** A job that has made these pictures, and a Discord that takes whatever it is sent. */
async function openFinishedJob(context: TestContext, pictures: readonly Buffer[]) {
  let answer = answerAsPosted;
  const server = await startLocalServer((response) => answer(response));
  const answerWith = (other: typeof answer): void => void (answer = other);
  const rest = createDiscordRest({ apiUrl: `${server.origin}/api`, token: 'token', now: Date.now });
  context.after(async () => {
    await rest.close();
    await server[Symbol.asyncDispose]();
  });
  const directory = await createDirectory(context);
  const spool = await openSpool(join(directory, 'spool'));
  const journal = createJobJournal({ spool, receiptsDirectory: join(directory, 'receipts'), owner: 'mine', now });
  const request = createRequest({ count: pictures.length });
  const job = await journal.writePlan(await journal.begin(request, address), createPlan());
  const images = await Promise.all(
    pictures.map(async (bytes, index) => {
      await job.folder.writeFile(`image-${index}`, bytes);
      const name = `${JOB_ID}-${index + 1}.png`;
      return { path: job.folder.path(`image-${index}`), name, contentType: 'image/png', sizeBytes: bytes.length };
    }),
  );
  const charge = { cost: 42_100_000, usage: undefined };
  const made = { model: 'gpt-image-2', size: '1024x1024', quality: 'low' };
  const outcome: JobOutcome = {
    ended: 'finished',
    result: { ...made, images, charge, estimate: 50_000_000, notes: [] },
  };
  const preparation = createImagePreparation({ concurrency: 1, waitingMax: 9, limits: STANDARD_IMAGE_LIMITS });
  const fitter = createUploadFitter({ preparation, sleep, log: silentLog });
  const ends: JobEnd[] = [];
  const conclusion = createJobConclusion({
    deliver: createDelivery({ rest: rest.patient, fitter, sleep, log: silentLog }),
    journal,
    originals: { keep: async (ended) => journal.end(ended) },
    onEnd: (end) => void ends.push(end),
    now,
    log: silentLog,
  });
  /** The one message that Discord has had, as it was sent. */
  const message = (): string => {
    assert.equal(server.requests.length, 1);
    return server.requests[0]?.body.toString('latin1') ?? '';
  };
  const conclude = async (lateNews?: LateNews) => conclusion.conclude(job, outcome, lateNews);
  return { conclude, message, journal, ends, requests: server.requests, answerWith };
}

describe('a result that is larger than Discord takes, and cannot be decoded', () => {
  const broken = Buffer.concat([PNG_BEGINNING, randomBytes(LIMIT_BYTES)]);

  it('is told of with its cost, and kept for a day', async (context) => {
    const { conclude, message, journal, ends } = await openFinishedJob(context, [broken]);
    await conclude();
    assert.match(message(), /A picture is too large for Discord here and could not be made smaller\./);
    assert.match(message(), /\$0\.0421/);
    assert.ok(message().includes(referenceOf(JOB_ID)));
    assert.doesNotMatch(message(), /attachment:\/\/|custom_id/);
    const [kept, ...others] = await journal.listKept();
    assert.deepEqual(others, []);
    assert.deepEqual([kept?.keptUntil, kept?.originals], [now() + 24 * 60 * 60_000, undefined]);
    assert.deepEqual(
      ends.map(({ place }) => place),
      [{ channelId: '2', messageId: '9' }],
    );
  });

  it('keeps back none of the others', async (context) => {
    const background = { r: 9, g: 99, b: 199 };
    const size = { width: PICTURE_EDGE_PX, height: PICTURE_EDGE_PX, channels: 3 } as const;
    const whole = await sharp({ create: { ...size, background } })
      .png()
      .toBuffer();
    const { conclude, message, journal } = await openFinishedJob(context, [broken, whole]);
    await conclude();
    assert.match(message(), /A picture is too large for Discord/);
    assert.ok(message().includes(`filename="${JOB_ID}-2.png"`));
    assert.ok(!message().includes(`${JOB_ID}-1.`));
    assert.equal((await journal.listKept()).length, 1);
  });
});

describe('a result that late news may cover', () => {
  it('is put there again once the news has come, and keeps its pictures until then', async (context) => {
    const { conclude, journal, requests } = await openFinishedJob(context, [PNG_BEGINNING]);
    const settled = Promise.withResolvers<void>();
    const concluded = conclude({ settled: settled.promise });
    await until(() => requests.length > 0);
    const isOver = await Promise.race([concluded.then(() => true), sleepFor(50, false)]);
    assert.deepEqual([isOver, requests.length, (await journal.list()).length], [false, 1, 1]);
    settled.resolve();
    assert.equal(await concluded, 'delivered');
    assert.equal(requests.length, 2);
    assert.ok(requests.every(({ body }) => body.includes(PNG_BEGINNING)));
    assert.deepEqual(await journal.list(), []);
  });
});

describe('a result that was deleted before late news came', () => {
  it('is brought nowhere else', async (context) => {
    const { conclude, requests, answerWith } = await openFinishedJob(context, [PNG_BEGINNING]);
    const settled = Promise.withResolvers<void>();
    const concluded = conclude({ settled: settled.promise });
    await until(() => requests.length > 0);
    answerWith((response) => answerJson(response, 404, { code: 10_008, message: 'Unknown Message' }));
    settled.resolve();
    assert.equal(await concluded, 'delivered');
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['PATCH', 'PATCH'],
    );
  });
});

describe('a result that is too large where it goes', () => {
  it('is not sent again as it was, also where it is far below what was said to be the limit', async (context) => {
    const edges = { width: PICTURE_EDGE_PX, height: PICTURE_EDGE_PX, channels: 3 } as const;
    const noise = await sharp(randomBytes(PICTURE_EDGE_PX ** 2 * 3), { raw: edges })
      .png()
      .toBuffer();
    const { conclude, requests, answerWith } = await openFinishedJob(context, [noise]);
    answerWith((response) => {
      answerWith(answerAsPosted);
      answerJson(response, 413, { code: 40_005, message: '' });
    });
    assert.equal(await conclude(), 'delivered');
    const [first = 0, second = 0] = requests.map(({ body }) => body.length);
    assert.equal(requests.length, 2);
    assert.ok(second < first - noise.length / 2 + 100, `${first} bytes, then ${second}`);
  });

  it('is tried smaller each time, from the most that one request can carry', async (context) => {
    await using server = await startLocalServer((response) => answerJson(response, 413, { code: 40_005, message: '' }));
    const rest = createDiscordRest({ apiUrl: `${server.origin}/api`, token: 'token', now: Date.now });
    context.after(async () => rest.close());
    const limitsBytes: number[] = [];
    const deliver = createDelivery({
      rest: rest.patient,
      fitter: {
        async fit(_folder, images, limitBytes) {
          limitsBytes.push(limitBytes);
          return images.map(() => undefined);
        },
      },
      sleep,
      log: silentLog,
    });
    const spool = await openSpool(await createDirectory(context));
    const journal = createJobJournal({ spool, receiptsDirectory: 'none', owner: 'mine', now });
    const atBoosted = { ...address, uploadLimitBytes: 500 * MEBIBYTE };
    const job = await journal.writePlan(await journal.begin(createRequest(), atBoosted), createPlan());
    const image = { path: 'image-0', name: 'fox.png', contentType: 'image/png', sizeBytes: 20 * MEBIBYTE };
    const made = { model: 'gpt-image-2', size: '1024x1024', quality: 'low', estimate: 1, notes: [] };
    const delivery = await deliver(job, { ended: 'finished', result: { ...made, images: [image], charge: undefined } });
    assert.equal(delivery.state, 'undeliverable');
    const inReply = limitsBytes.slice(0, 4);
    const halvings = inReply.map((limitBytes) => Math.log2((inReply[0] ?? 0) / limitBytes));
    assert.deepEqual(halvings, [0, 1, 2, 3]);
    assert.ok((inReply[0] ?? 0) < 25 * MEBIBYTE);
    assert.ok((inReply.at(-1) ?? 0) < 10 * MEBIBYTE);
  });
});
