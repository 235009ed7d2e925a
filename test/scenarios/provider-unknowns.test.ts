import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { EndingFault } from '../../sandbox/provider/faults.ts';
import type { EmulatedProvider } from '../../sandbox/provider/emulated-provider.ts';
import { createEmulatedProvider } from '../../sandbox/provider/emulated-provider.ts';
import { callsFor, DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import {
  accountOf,
  answered,
  ask,
  billsFor,
  courseOf,
  endReasonOf,
  entriesOf,
  isFor,
  picturesOf,
  shownUsd,
  theBillFor,
} from './requests.ts';
import { addServer, compatibleProvider, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

/** Every end that leaves open whether something was made, and what the ledger calls it. */
const lostAnswers: readonly {
  readonly name: string;
  readonly fault: EndingFault | { readonly kind: 'fewer-images'; readonly imageCount: number };
  readonly reason: string;
  readonly billCount: number;
  readonly says?: RegExp;
}[] = [
  { name: '500 after the work', fault: { kind: 'server-error', status: 500 }, reason: 'server-error', billCount: 1 },
  { name: '502 after the work', fault: { kind: 'server-error', status: 502 }, reason: 'server-error', billCount: 1 },
  {
    name: '503 before the work',
    fault: { kind: 'server-error', status: 503, billed: false },
    reason: 'server-error',
    billCount: 0,
  },
  { name: 'closed after the work', fault: { kind: 'bill-then-drop' }, reason: 'connection-lost', billCount: 1 },
  { name: 'reset before the work', fault: { kind: 'reset' }, reason: 'connection-lost', billCount: 0 },
  {
    name: 'silent after the work',
    fault: { kind: 'bill-then-hang' },
    reason: 'timeout',
    billCount: 1,
    says: /did not answer in time/,
  },
  { name: 'cut in the middle', fault: { kind: 'bill-then-cut' }, reason: 'connection-lost', billCount: 1 },
  {
    name: 'cut shortly before its picture is whole',
    fault: { kind: 'bill-then-cut', afterShare: 0.99 },
    reason: 'connection-lost',
    billCount: 1,
  },
  { name: 'a page of HTML', fault: { kind: 'html' }, reason: 'unusable-answer', billCount: 1 },
  { name: 'a page of HTML, 504', fault: { kind: 'html', status: 504 }, reason: 'server-error', billCount: 1 },
  { name: 'an empty list', fault: { kind: 'fewer-images', imageCount: 0 }, reason: 'unusable-answer', billCount: 1 },
];

describe('A call whose answer is lost', { concurrency: 4 }, () => {
  const shared = shareStage({ environment: { PROVIDER_TIMEOUT_MS: '2500' }, auditedBudget: DEFAULT_BUDGET_NANO_USD });

  for (const { name, fault, reason, billCount, says } of lostAnswers) {
    it(`${name}: is never made again, and counts at its estimate until somebody knows more`, async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const prompt = `lost: ${name}`;
      stage.provider.faults.add({ ...fault, when: isFor(prompt) });
      const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });

      assert.match(asked.text, /It is not known whether this was charged/);
      assert.match(asked.text, says ?? /The provider failed before its answer was complete/);
      assert.doesNotMatch(asked.text, /not charged/);
      assert.equal(asked.message.attachments.length, 0);

      assert.equal(callsFor(stage, prompt).length, 1);
      assert.equal(billsFor(stage, prompt).length, billCount);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch unknown');
      assert.equal(endReasonOf(stage, asked.interaction), reason);
      const estimate = entriesOf(stage, asked.interaction)[0]?.held ?? 0;
      assert.ok(estimate > 0);
      const { settled, held, exposure } = accountOf(stage, server);
      assert.deepEqual({ settled, held, exposure }, { settled: 0, held: 0, exposure: estimate });
    });
  }

  it('is an alarm where it was an answer of another kind, because each of them may cost as much', async () => {
    const { stage, bot } = shared();
    const prompt = 'lost: to whoever reads JSON';
    stage.provider.faults.add({ kind: 'html', when: isFor(prompt) });
    await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low' });

    const alarms = bot.logLines.filter(({ level, kind }) => level === 50 && kind === 'unusable-answer');
    assert.equal(alarms.length, 1);
    assert.match(String(alarms[0]?.['msg']), /OPENAI_BASE_URL/);
  });
});

const cutAnswers = [
  {
    name: 'in the last of four pictures',
    count: 4,
    arrived: 3,
    afterShare: 0.9,
    says: /The provider's answer broke off: 3 of 4 images had arrived by then\./,
  },
  {
    name: 'before the last byte, in what it says of its cost',
    count: 1,
    arrived: 1,
    afterShare: 0.999,
    says: /cost not reported by the provider/,
  },
];

describe('A call whose answer is cut off behind whole pictures', () => {
  const shared = shareStage({ auditedBudget: DEFAULT_BUDGET_NANO_USD });

  for (const { name, count, arrived, afterShare, says } of cutAnswers) {
    it(`${name}: brings those, and counts at its estimate until somebody knows more`, async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const prompt = `cut off ${name}`;
      stage.provider.faults.add({ kind: 'bill-then-cut', afterShare, when: isFor(prompt) });
      const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low', count });

      const pictures = picturesOf(asked);
      assert.equal(pictures.length, arrived);
      for (const { bytes } of pictures) await sharp(bytes).raw().toBuffer();
      assert.match(asked.text, says);
      assert.equal(callsFor(stage, prompt).length, 1);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch unknown');
      assert.equal(endReasonOf(stage, asked.interaction), 'cut-off');
      const { settled, held, exposure } = accountOf(stage, server);
      assert.deepEqual({ settled, held }, { settled: 0, held: 0 });
      assert.ok(exposure >= theBillFor(stage, prompt).costNanoUsd, 'the estimate covers all that was made');
      assert.ok(asked.text.includes(`${shownUsd(exposure)} counts against the budget`), asked.text);
    });
  }
});

it('A provider that cannot be reached is tried a few times, and nothing is paid for the trying', async (context) => {
  const absent = await createEmulatedProvider(compatibleProvider);
  await absent.close();
  const { apiKey, baseUrl, origin } = absent;
  const stage = await setStage(context, { environment: { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey } });
  const preload = [fileURLToPath(new URL('./hurried-pauses.ts', import.meta.url))];
  const bot = await stage.startBot({ preload });
  const server = addServer(stage);
  const repetitions = (): number => bot.logLines.filter(({ msg }) => msg === 'provider call will be repeated').length;

  const invoked = stage.discord.invoke({
    command: 'imagine',
    member: server.member,
    channel: server.channel,
    options: { prompt: 'back soon', quality: 'low' },
  });
  await stage.discord.waitFor(() => repetitions() > 0);
  const present = await createEmulatedProvider({ ...compatibleProvider, apiKey, port: Number(new URL(origin).port) });
  let asked;
  try {
    asked = await answered(invoked);
  } finally {
    await present.close();
  }
  assert.equal(picturesOf(asked).length, 1, 'it came back in time');
  assertChargedOnce(present);
  assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');

  const refused = await ask(stage, server, 'imagine', { prompt: 'never back', quality: 'low' });
  assert.match(
    refused.text,
    /The provider cannot be reached at the moment\..*You were not charged\.\n-# Reference: `\w+`$/,
  );
  assert.equal(courseOf(stage, refused.interaction), 'reserve dispatch void');
  assert.deepEqual(stage.discord.violations, []);
});

function assertChargedOnce({ bills, calls }: EmulatedProvider): void {
  assert.equal(bills.length, 1);
  assert.equal(calls.filter(({ endpoint }) => endpoint === 'generations').length, 1);
}
