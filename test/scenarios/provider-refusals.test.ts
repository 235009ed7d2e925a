import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RefusalName } from '../../sandbox/provider/api-refusal.ts';
import { callsFor, DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import {
  accountOf,
  ask,
  billsFor,
  courseOf,
  endReasonOf,
  isFor,
  picturesOf,
  shownUsd,
  theBillFor,
} from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const LEVEL_ERROR = 50;
const HURRIED_PAUSES = fileURLToPath(new URL('./hurried-pauses.ts', import.meta.url));

/** Every refusal that cannot be mended by asking again, and what the member reads. */
const finalRefusals: readonly { readonly refusal: RefusalName; readonly reason: string; readonly says: RegExp }[] = [
  { refusal: 'invalid_image_file', reason: 'invalid-image', says: /could not read the picture/ },
  { refusal: 'unsupported_file_mimetype', reason: 'invalid-request', says: /did not accept this combination/ },
  ...(
    [
      ['billing_hard_limit_reached', 'out-of-quota'],
      ['invalid_api_key', 'invalid-key'],
      ['unverified_organization', 'unverified-organization'],
      ['insufficient_quota', 'out-of-quota'],
      ['credit_balance_exhausted', 'out-of-quota'],
      ['organization_spend_limit_exceeded', 'out-of-quota'],
      ['project_spend_limit_exceeded', 'out-of-quota'],
      ['organization_usage_limit_exceeded', 'out-of-quota'],
    ] as const
  ).map(([refusal, reason]) => ({ refusal, reason, says: /operator's account.*not your fault/ })),
];

/** What comes from a gateway, or from whatever else is found at a wrong address. */
const pages = [
  { status: 404, reason: 'misconfigured', says: /not set up right.*not your fault/, alarm: /OPENAI_BASE_URL/ },
  { status: 409, reason: 'server-error', says: /The provider failed\. Try again in a few minutes\./, alarm: undefined },
  {
    status: 413,
    reason: 'too-large',
    says: /larger than the provider takes.*shorter prompt/,
    alarm: /raise the limit/,
  },
] as const;

describe('A call that the provider refuses', { concurrency: 4 }, () => {
  const shared = shareStage({ auditedBudget: DEFAULT_BUDGET_NANO_USD });

  for (const { refusal, reason, says } of finalRefusals) {
    it(`${refusal}: is made once, costs nothing, and is explained`, async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const prompt = `refused as ${refusal}`;
      stage.provider.faults.add({ kind: 'refuse', refusal, when: isFor(prompt) });
      const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });

      assert.match(asked.text, says);
      assert.match(asked.text, /You were not charged\.\n-# Reference: `\w+`$/);
      assert.equal(callsFor(stage, prompt).length, 1);
      assert.deepEqual(billsFor(stage, prompt), []);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch void');
      assert.equal(endReasonOf(stage, asked.interaction), reason);
      const { settled, held, exposure } = accountOf(stage, server);
      assert.deepEqual({ settled, held, exposure }, { settled: 0, held: 0, exposure: 0 });
    });
  }

  for (const { status, reason, says, alarm } of pages) {
    it(`a page with status ${status}: costs nothing, and whoever can do something about it is told what`, async () => {
      const { stage, bot } = shared();
      const prompt = `a page with status ${status}`;
      stage.provider.faults.add({ kind: 'html', status, billed: false, when: isFor(prompt) });
      const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low' });

      assert.match(asked.text, says);
      assert.match(asked.text, /You were not charged\.\n-# Reference: `\w+`$/);
      assert.equal(callsFor(stage, prompt).length, 1);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch void');
      assert.equal(endReasonOf(stage, asked.interaction), reason);
      const alarms = bot.logLines.filter(({ level, kind }) => level === LEVEL_ERROR && kind === reason);
      assert.equal(alarms.length, alarm === undefined ? 0 : 1);
      if (alarm !== undefined) assert.match(String(alarms[0]?.['msg']), alarm);
    });
  }

  it('raises one alarm with a remedy for what only the operator can mend, however many requests fail', async () => {
    const { stage, bot } = shared();
    const server = addServer(stage);
    const prompt = 'refused for want of credit, twice';
    stage.provider.faults.add({ kind: 'refuse', refusal: 'insufficient_quota', when: isFor(prompt) });
    await ask(stage, server, 'imagine', { prompt });
    await ask(stage, server, 'imagine', { prompt });

    const alarms = bot.logLines.filter(({ level, kind }) => level === LEVEL_ERROR && kind === 'out-of-quota');
    assert.equal(alarms.length, 1);
    assert.match(String(alarms[0]?.['msg']), /add credit/);
  });

  for (const refusal of ['rate_limit_exceeded', 'slow_down'] as const) {
    it(`${refusal}: is asked again when the provider says, and paid for once`, async () => {
      const { stage } = shared();
      const prompt = `paced by ${refusal}`;
      const when = isFor(prompt);
      // By the header, and where there is none by the words.
      stage.provider.faults.add({ kind: 'refuse', refusal, retryAfterSeconds: 1, times: 1, when });
      stage.provider.faults.add({ kind: 'refuse', refusal, tryAgainInSeconds: 0.2, times: 1, when });
      const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low' });

      assert.equal(picturesOf(asked).length, 1);
      const [first, second, third, ...more] = callsFor(stage, prompt);
      assert.ok(first && second && third && more.length === 0, 'there were three calls');
      assert.ok(second.at - first.at >= 1_000, 'the header was honoured');
      assert.ok(third.at - second.at >= 200, 'the words were honoured');
      const bill = theBillFor(stage, prompt);
      assert.ok(asked.text.includes(shownUsd(bill.costNanoUsd)));
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
      assert.equal(asked.interaction.messages().length, 1, 'there is one message');
    });
  }

  it('tells the member of a longer pause, and how long it is', async () => {
    const { stage } = shared();
    const prompt = 'paced slowly';
    const fault = { kind: 'refuse', refusal: 'slow_down', retryAfterSeconds: 3, times: 1 } as const;
    stage.provider.faults.add({ ...fault, when: isFor(prompt) });
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low' });

    const news = asked.interaction.history.map(({ components }) => JSON.stringify(components));
    assert.ok(
      news.some((text) => /The provider is busy; the next try is in [34] seconds\./.test(text)),
      news.join('\n'),
    );
    assert.equal(picturesOf(asked).length, 1);
  });

  it('gives every request its picture once a busy provider has time again', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompts = Array.from({ length: 4 }, (_, index) => `in line, ${index}`);
    const fault = { kind: 'refuse', refusal: 'rate_limit_exceeded', retryAfterSeconds: 0.3, times: 5 } as const;
    const busy = stage.provider.faults.add({ ...fault, when: isFor(...prompts) });
    const all = await Promise.all(
      prompts.map(async (prompt) => ask(stage, server, 'imagine', { prompt, quality: 'low' })),
    );

    assert.equal(busy.timesUsed, 5);
    for (const asked of all) assert.equal(picturesOf(asked).length, 1);
    for (const prompt of prompts) assert.equal(billsFor(stage, prompt).length, 1);
  });
});

describe('A provider that stays busy', { concurrency: true }, () => {
  for (const { name, retryAfterSeconds, calls } of [
    { name: 'is given up after a few tries', retryAfterSeconds: 0.05, calls: 7 },
    { name: 'is given up at once where it wants an hour', retryAfterSeconds: 3_600, calls: 1 },
  ]) {
    it(name, async (t) => {
      const stage = await setStage(t);
      await stage.startBot({ preload: [HURRIED_PAUSES] });
      const server = addServer(stage);
      const prompt = 'never the right moment';
      stage.provider.faults.add({ kind: 'refuse', refusal: 'rate_limit_exceeded', retryAfterSeconds });
      const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });

      assert.match(asked.text, /The provider remains busy\..*You were not charged\.\n-# Reference: `\w+`$/);
      assert.equal(callsFor(stage, prompt).length, calls);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch void');
      assert.equal(accountOf(stage, server).held, 0);
    });
  }
});
