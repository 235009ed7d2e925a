import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REST } from 'discord.js';
import { pino } from 'pino';
import { createJobLog } from '../../src/discord/job-log.ts';
import { CATALOGUES } from '../../src/discord/words.ts';
import type { JobEnd } from '../../src/services/job-conclusion.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import type { JobOutcome } from '../../src/services/job-outcome.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createDirectory, createPlan, createRequest } from '../services/job-fixture.ts';
import { answerJson, startLocalServer } from '../services/providers/local-server.ts';

/** Nothing listens on port 9, so whatever is sent fails. */
const nowhere = new REST({ api: 'http://127.0.0.1:9/api', retries: 0 }).setToken('token');
const lost: JobOutcome = { ended: 'refused', refusal: { reason: 'outcome-unknown', kind: 'timeout' } };
const settings = { logsJobs: true, logChannelId: '5' };

/** A log channel that cannot be reached, and what the operator reads of that. */
async function openLog(directory: string, read: (guild: string) => Promise<typeof settings>, rest: REST = nowhere) {
  const lines: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
  const jobLog = createJobLog({ rest, settings: { read }, sleep: async () => undefined, log });
  const job: OpenJob = {
    request: createRequest(),
    address: { applicationId: '1', token: 't', channelId: '7', memberId: '2', uploadLimitBytes: 1 },
    beganAt: 0,
    plan: createPlan(),
    isCancelled: false,
    keptUntil: undefined,
    originals: undefined,
    folder: (await openSpool(directory)).folder('job'),
  };
  const endOf = (outcome: JobOutcome): JobEnd => ({ job, outcome, place: undefined });
  return { jobLog, job, endOf, lines };
}

describe('the log of jobs', () => {
  it('takes no more than it can hold, says what it leaves out, and never throws', async (context) => {
    const asked: string[] = [];
    const release = Promise.withResolvers<void>();
    const { jobLog, endOf, lines } = await openLog(await createDirectory(context), async (guild) => {
      asked.push(guild);
      await release.promise;
      return { ...settings, logsJobs: false };
    });
    const held = 500 + 8;
    for (let count = 1; count <= held + 3; count += 1) jobLog.tell(endOf(lost));
    assert.equal(lines.filter((line) => line.includes('too much to tell')).length, 3);
    release.resolve();
    await jobLog.drain();
    assert.equal(asked.length, held);
  });

  it('gives a job up when its channel or the settings cannot be reached, and goes on', async (context) => {
    let asked = 0;
    const { jobLog, endOf, lines } = await openLog(await createDirectory(context), async () => {
      asked += 1;
      if (asked === 1) throw new Error('the store is away');
      return settings;
    });
    jobLog.tell(endOf(lost));
    jobLog.tell(endOf(lost));
    await jobLog.drain();
    assert.equal(lines.filter((line) => line.includes('missing in the log channel')).length, 2);
  });

  it('leaves out what was made with what where a request never came so far', async (context) => {
    await using server = await startLocalServer((response) => answerJson(response, 200, {}));
    const rest = new REST({ api: `${server.origin}/api`, retries: 0 }).setToken('token');
    const directory = await createDirectory(context);
    const { jobLog, job, endOf } = await openLog(directory, async () => settings, rest);
    jobLog.tell({ ...endOf(lost), job: { ...job, plan: undefined } });
    await jobLog.drain();
    const [told = assert.fail('nothing was told')] = server.requests.map(({ body }) => body.toString());
    assert.match(told, /answer was lost.*\\n> a red fox in snow"/);
  });

  it('tells what was paid for a request of which no image came, in every language', async (context) => {
    await using server = await startLocalServer((response) => answerJson(response, 200, {}));
    const rest = new REST({ api: `${server.origin}/api`, retries: 0 }).setToken('token');
    const { jobLog, job, endOf } = await openLog(await createDirectory(context), async () => settings, rest);
    const made = { model: 'gpt-image-2', size: '1024x1024', quality: 'low', estimate: 50_000_000, notes: [] };
    const result = { ...made, images: [], charge: { cost: 42_100_000, usage: undefined } };
    for (const guildLocale of CATALOGUES.keys()) {
      const address = { ...job.address, guildLocale };
      jobLog.tell({ ...endOf({ ended: 'finished', result }), job: { ...job, address } });
    }
    await jobLog.drain();
    const told = server.requests.map(({ body }) => body.toString());
    assert.equal(told.length, CATALOGUES.size);
    assert.match(told.join('\n'), /asked for an image, and none came of it that could be shown:/);
    assert.match(told.join('\n'), /a demandé une image, et aucune n’a pu être montrée :/);
    for (const text of told) assert.match(text, /\$0\.0421/);
  });

  it('has nothing to tell of what cost nothing', async (context) => {
    let asked = 0;
    const { jobLog, endOf } = await openLog(await createDirectory(context), async () => {
      asked += 1;
      return { ...settings, logsJobs: false };
    });
    for (const reason of ['cancelled', 'interrupted', 'queue-full', 'disk-full'] as const) {
      jobLog.tell(endOf({ ended: 'refused', refusal: { reason } }));
    }
    jobLog.tell(endOf({ ended: 'refused', refusal: { reason: 'provider-refused', kind: 'timeout' } }));
    await jobLog.drain();
    assert.equal(asked, 0);
    jobLog.tell(endOf(lost));
    await jobLog.drain();
    assert.equal(asked, 1);
  });
});
