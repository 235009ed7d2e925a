import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createProgressMessage } from '../../src/discord/progress-message.ts';
import { renderText } from '../../src/discord/result-message.ts';

/** Progress on a clock of its own, and what was put in the place of the reply. Edits take as long as the test likes. */
function openProgress(context: TestContext, edit: () => Promise<void> = async () => undefined) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_700_000_000_000 });
  const shown: string[] = [];
  const progress = createProgressMessage({
    target: { applicationId: '1', token: 'token' },
    replies: {
      async edit(target, payload) {
        assert.equal(target.token, 'token');
        const [text] = payload.components;
        const content = text && 'content' in text ? text.content : '';
        assert.deepEqual(payload, renderText(content));
        await edit();
        shown.push(content);
      },
    },
    now: Date.now,
  });
  const tick = async (ms: number): Promise<void> => {
    context.mock.timers.tick(ms);
    await turn();
  };
  return { progress, shown, tick };
}

describe('createProgressMessage', () => {
  it('leaves the first two seconds to Discord, and then shows the latest news only', async (context) => {
    const { progress, shown, tick } = openProgress(context);
    progress.report({ phase: 'waiting' });
    await tick(1_999);
    assert.deepEqual(shown, []);
    progress.report({ phase: 'generating', since: Date.now() });
    await tick(1);
    assert.deepEqual(shown, ['The provider is at work; it began <t:1700000002:R>.']);
  });

  it('shows news no more than once in two seconds, and none of it twice', async (context) => {
    const { progress, shown, tick } = openProgress(context);
    for (let tenths = 0; tenths < 60; tenths += 1) {
      progress.report({ phase: 'provider-busy', retryInMs: 60_000 - tenths * 100 });
      await tick(100);
    }
    assert.equal(shown.length, 3);
    await tick(60_000);
    assert.equal(shown.length, 3);
    progress.report({ phase: 'waiting' });
    await tick(0);
    assert.equal(shown.at(-1), 'In line for the provider…', 'after a long silence there is nothing to wait for');
  });

  it('says nothing after it is closed, also where the news came late', async (context) => {
    const { progress, shown, tick } = openProgress(context);
    progress.report({ phase: 'waiting' });
    await progress.close();
    await tick(10_000);
    progress.report({ phase: 'waiting' });
    await tick(10_000);
    assert.deepEqual(shown, []);
  });

  it('says nothing after it is closed, also where there never were any news', async (context) => {
    const { progress, shown, tick } = openProgress(context);
    await progress.close();
    progress.report({ phase: 'waiting' });
    await tick(10_000);
    assert.deepEqual(shown, []);
  });

  it('is closed only when the last news has arrived', async (context) => {
    const arrival = Promise.withResolvers<void>();
    const { progress, shown, tick } = openProgress(context, async () => arrival.promise);
    progress.report({ phase: 'waiting' });
    await tick(2_000);
    let isClosed = false;
    const closing = progress.close().then(() => {
      isClosed = true;
    });
    await tick(10_000);
    assert.equal(isClosed, false);
    arrival.resolve();
    await closing;
    assert.deepEqual(shown, ['In line for the provider…']);
  });
});
