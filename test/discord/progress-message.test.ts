import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { Upload } from '../../src/discord/multipart.ts';
import { createProgressMessages } from '../../src/discord/progress-message.ts';
import type { MessagePayload } from '../../src/discord/result-message.ts';
import { wordsFor } from '../../src/discord/words.ts';
import type { ProgressState } from '../../src/services/job-progress.ts';

const NOW = 1_700_000_000_000;
const words = wordsFor('en-US');
const target = { applicationId: '1', token: 'token' };
const waiting: ProgressState = { phase: 'waiting', ahead: 0, expectedMs: undefined };
const NEXT_IN_LINE = 'In line for the provider; your request is next.';

type Shown = { readonly token: string; readonly payload: MessagePayload; readonly uploads: readonly Upload[] };

/** News of job 7 on a clock of its own, and what was put in the place of the reply. Edits take as long as the test likes. */
function openNews(context: TestContext, edit: () => Promise<void> = async () => undefined) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
  const edits: Shown[] = [];
  const messages = createProgressMessages({
    replies: {
      async edit({ token }, payload, uploads = []) {
        await edit();
        edits.push({ token, payload, uploads });
      },
      tellAlone: async () => assert.fail('news is for everybody who sees the reply'),
      fillEmpty: async () => assert.fail('news is repeated where it was not taken'),
      remove: async () => assert.fail('news stays until the result is there'),
    },
    now: Date.now,
  });
  const news = messages.open({ id: '7', target, uploadLimitBytes: 1_000, words });
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
    await tick(10_000);
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
    await tick(10_000);
    assert.equal(isClosed, false);
    arrival.resolve();
    await closing;
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
    const closing = news.close();
    await tick(10_000);
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
