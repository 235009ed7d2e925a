import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Upload } from '../../src/discord/multipart.ts';
import { createProgressMessages } from '../../src/discord/progress-message.ts';
import type { MessagePayload } from '../../src/discord/message-payload.ts';
import type { SendResult } from '../../src/discord/send-attempts.ts';
import { wordsFor } from '../../src/discord/words.ts';
import type { ProgressState } from '../../src/services/job-progress.ts';

const NOW = 1_700_000_000_000;
const words = wordsFor('en-US');
const target = { applicationId: '1', token: 'token' };
const waiting: ProgressState = { phase: 'waiting', ahead: 0, expectedMs: undefined };
const NEXT_IN_LINE = 'In line for the provider; your request is next.';

type Shown = { readonly token: string; readonly payload: MessagePayload; readonly uploads: readonly Upload[] };

/** News of job 7 on a clock of its own, and what was put in the place of the reply. Edits take as long as the test likes. */
function openNews(context: TestContext, edit: (signal: AbortSignal) => Promise<SendResult | void> = async () => {}) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
  const edits: Shown[] = [];
  const messages = createProgressMessages({
    replies: {
      answer: async () => assert.fail('news is not the last word'),
      edit: async () => assert.fail('news is not worth the patience'),
      async tryEdit({ token }, payload, uploads, signal) {
        const result = (await edit(signal)) ?? 'sent';
        if (result === 'sent') edits.push({ token, payload, uploads });
        return result;
      },
      tellEphemerally: async () => assert.fail('news is for everybody who sees the reply'),
      fillEmpty: async () => assert.fail('news is repeated where it was not taken'),
      tellEphemerallyForNow: async () => assert.fail('news is for everybody who sees the reply'),
      editEphemeral: async () => assert.fail('news is for everybody who sees the reply'),
      remove: async () => assert.fail('news stays until the result is there'),
    },
    now: Date.now,
  });
  const news = messages.open({ id: '7', isSpoiler: false, target, uploadLimitBytes: 1_000, words });
  const tick = async (ms: number): Promise<void> => {
    context.mock.timers.tick(ms);
    await turn();
  };
  return { messages, news, edits, shown: () => edits.map(textOf), tick };
}

describe('createProgressMessages', () => {
  it('leaves the first two seconds to Discord, and then shows the latest news only', async (context) => {
    const { news, shown, tick } = openNews(context);
    news.report(waiting);
    await tick(1_999);
    assert.deepEqual(shown(), []);
    news.report({ phase: 'generating', since: Date.now() });
    await tick(1);
    assert.deepEqual(shown(), ['The provider is at work; it began <t:1700000002:R>.']);
  });

  it('shows news no more than once in two seconds, and none of it twice', async (context) => {
    const { news, shown, tick } = openNews(context);
    for (let tenths = 0; tenths < 60; tenths += 1) {
      news.report({ phase: 'provider-busy', retryInMs: 60_000 - tenths * 100 });
      await tick(100);
    }
    assert.equal(shown().length, 3);
    await tick(60_000);
    assert.equal(shown().length, 3);
    news.report(waiting);
    await tick(0);
    assert.equal(shown().at(-1), NEXT_IN_LINE, 'after a long silence there is nothing to wait for');
  });

  it('counts the two seconds from the moment at which Discord has taken an edit', async (context) => {
    const arrival = Promise.withResolvers<void>();
    const { news, shown, tick } = openNews(context, async () => arrival.promise);
    news.report(waiting);
    await tick(2_000);
    news.report({ phase: 'generating', since: NOW });
    await tick(4_000);
    arrival.resolve();
    await tick(0);
    assert.equal(shown().length, 1);
    await tick(1_999);
    assert.equal(shown().length, 1);
    await tick(1);
    assert.equal(shown().length, 2);
  });

  it('tells how many are before, and when the turn should come where that can be told', async (context) => {
    const { news, shown, tick } = openNews(context);
    news.report({ phase: 'waiting', ahead: 3, expectedMs: 58_000 });
    await tick(2_000);
    assert.deepEqual(shown(), [
      'In line for the provider; 3 requests are before yours. Its turn should come <t:1700000060:R>.',
    ]);
  });

  it('brings a button with which to cancel the job', async (context) => {
    const { news, edits, tick } = openNews(context);
    news.report(waiting);
    await tick(2_000);
    assert.deepEqual(edits[0]?.payload.components[1], {
      type: 1,
      components: [{ type: 2, style: 2, label: 'Cancel', custom_id: 'easel:1:cancel:7' }],
    });
  });

  it('shows a preview as it was when it was shown, if it may be so large', async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'easel-preview-'));
    context.after(async () => rm(directory, { recursive: true }));
    const path = join(directory, 'preview-0.jpeg');
    await writeFile(path, 'pixels');
    const arrival = Promise.withResolvers<void>();
    const { news, edits, tick } = openNews(context, async () => arrival.resolve());
    const preview = { path, contentType: 'image/jpeg', sizeBytes: 6 };
    news.report({ phase: 'generating', since: NOW, preview });
    await tick(2_000);
    await arrival.promise;
    await turn();
    const [{ payload, uploads } = assert.fail('nothing was shown')] = edits;
    assert.deepEqual(
      payload.components.map(({ type }) => type),
      [10, 12, 1],
    );
    assert.deepEqual(
      payload.attachments.map(({ filename }) => filename),
      ['preview.jpg'],
    );
    const [upload = assert.fail('no file went up')] = uploads;
    await writeFile(path, 'other pixels');
    assert.deepEqual(await bytesOf(upload), Buffer.from('pixels'));
    assert.equal(upload.sizeBytes, 6);

    news.report({ phase: 'generating', since: NOW, preview: { ...preview, sizeBytes: 1_001 } });
    await tick(2_000);
    assert.deepEqual(edits[1]?.uploads, []);
  });

  for (const [when, hasNews] of [
    ['where the news came late', true],
    ['where there never were any news', false],
  ] as const) {
    it(`says nothing after it is closed, also ${when}`, async (context) => {
      const { news, shown, tick } = openNews(context);
      if (hasNews) news.report(waiting);
      await news.close();
      await tick(10_000);
      news.report(waiting);
      await tick(10_000);
      assert.deepEqual(shown(), []);
    });
  }

  it('is closed only when the last news has arrived', async (context) => {
    const arrival = Promise.withResolvers<void>();
    const { news, shown, tick } = openNews(context, async () => arrival.promise);
    news.report(waiting);
    await tick(2_000);
    let isClosed = false;
    const closing = news.close().then(() => {
      isClosed = true;
    });
    await tick(4_999);
    assert.equal(isClosed, false);
    arrival.resolve();
    assert.equal(await closing, undefined);
    assert.deepEqual(shown(), [NEXT_IN_LINE]);
  });

  for (const [what, preview] of [
    ['news', undefined],
    ['a preview', { path: fileURLToPath(import.meta.url), contentType: 'image/png', sizeBytes: 1 }],
  ] as const) {
    it(`does not wait for ${what} that takes longer than five seconds, and says that it may come late`, async (context) => {
      const arrival = Promise.withResolvers<void>();
      const signals: AbortSignal[] = [];
      const begun = Promise.withResolvers<void>();
      const { news, shown, tick } = openNews(context, async (signal) => {
        signals.push(signal);
        begun.resolve();
        return arrival.promise;
      });
      news.report({ phase: 'generating', since: NOW, ...(preview ? { preview } : {}) });
      await tick(2_000);
      await begun.promise;
      await tick(1_000);
      const closing = news.close();
      await tick(5_000);
      const late = (await closing) ?? assert.fail('it is still on its way');
      assert.equal(signals[0]?.aborted, false, 'what is cut off may come all the same, and nobody would hear of it');
      let isSettled = false;
      const settled = late.settled.then(() => (isSettled = true));
      await tick(20_000);
      assert.deepEqual([isSettled, shown()], [false, []]);
      arrival.resolve();
      await settled;
      assert.equal(shown().length, 1);
    });

    it(`gives ${what} up that Discord does not answer`, async (context) => {
      const begun = Promise.withResolvers<AbortSignal>();
      const { news, tick } = openNews(context, async (signal) => {
        begun.resolve(signal);
        return new Promise(() => undefined);
      });
      news.report({ phase: 'generating', since: NOW, ...(preview ? { preview } : {}) });
      await tick(2_000);
      const signal = await begun.promise;
      const closing = news.close();
      await tick(5_000);
      const late = (await closing) ?? assert.fail('it is still on its way');
      assert.equal(signal.aborted, false);
      await tick(25_000);
      await late.settled;
      assert.equal(signal.aborted, true);
    });
  }

  it('tries news again that Discord did not take, unless there is other news, or it never will', async (context) => {
    const results: SendResult[] = ['later', 'later', 'closed'];
    let attempts = 0;
    const { news, shown, tick } = openNews(context, async () => {
      attempts += 1;
      return results.shift();
    });
    news.report(waiting);
    await tick(2_000);
    assert.equal(attempts, 1);
    await tick(2_000);
    assert.equal(attempts, 2);
    news.report({ phase: 'generating', since: NOW });
    await tick(2_000);
    await tick(10_000);
    assert.deepEqual([attempts, shown()], [3, []]);
    news.report(waiting);
    await tick(0);
    assert.deepEqual([attempts, shown()], [4, [NEXT_IN_LINE]]);
  });

  it('does not let news that hangs stand in the way of what comes after it', async (context) => {
    let attempts = 0;
    const { news, shown, tick } = openNews(context, async () => {
      attempts += 1;
      return attempts === 1 ? new Promise(() => undefined) : undefined;
    });
    news.report({ phase: 'generating', since: NOW });
    await tick(2_000);
    news.report(waiting);
    await tick(30_000);
    assert.deepEqual(shown(), []);
    await tick(2_000);
    assert.deepEqual(shown(), [NEXT_IN_LINE]);
  });

  it('says at once that a job was called off, through whoever pressed, and nothing else after it', async (context) => {
    const { messages, news, edits, tick } = openNews(context);
    news.report(waiting);
    await tick(500);
    messages.sayCancelled('7', { applicationId: '1', token: 'pressed' }, words);
    await tick(0);
    assert.deepEqual(
      edits.map(({ token }) => token),
      ['pressed'],
    );
    news.report({ phase: 'generating', since: NOW });
    await tick(10_000);
    assert.equal(edits.length, 1);
  });

  it('says that a job was called off right after the news that was on its way, and again where it failed', async (context) => {
    const arrivals = [Promise.withResolvers<void>(), Promise.withResolvers<SendResult>()] as const;
    let attempts = 0;
    const { messages, news, shown, tick } = openNews(context, async () => {
      attempts += 1;
      return arrivals[attempts - 1]?.promise;
    });
    news.report(waiting);
    await tick(2_000);
    messages.sayCancelled('7', target, words);
    arrivals[0].resolve();
    await tick(0);
    assert.deepEqual([attempts, shown()], [2, [NEXT_IN_LINE]]);
    arrivals[1].resolve('later');
    await tick(0);
    assert.equal(attempts, 2);
    await tick(2_000);
    assert.match(shown()[1] ?? '', /^Cancelled\. The provider had already started/);
  });

  it('says nothing of cancelling once the result is under way', async (context) => {
    const { messages, news, shown, tick } = openNews(context);
    await news.close();
    messages.sayCancelled('7', target, words);
    await tick(10_000);
    assert.deepEqual(shown(), []);
  });

  it('waits with the result for the word that the job was called off', async (context) => {
    const arrival = Promise.withResolvers<void>();
    const { messages, news, shown, tick } = openNews(context, async () => arrival.promise);
    messages.sayCancelled('7', target, words);
    await tick(0);
    const closing = news.close();
    await tick(4_999);
    assert.deepEqual(shown(), []);
    arrival.resolve();
    await closing;
    assert.match(shown()[0] ?? '', /^Cancelled\. The provider had already started/);
  });
});

function textOf({ payload }: Shown): string {
  const [text] = payload.components;
  return text && 'content' in text ? text.content : assert.fail('the message does not begin with a text');
}

async function bytesOf(upload: Upload): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of upload.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}
