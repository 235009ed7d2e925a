import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BotProcess } from '../../sandbox/bot-process.ts';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD, textOf } from './judgement.ts';
import { answered, billsFor, courseOf, imagine, isFor } from './requests.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';

const LOW = { quality: 'low' };
const FLOOD = 200;
/** So many of them come at once: Discord's three seconds for an answer must do for each, also on a busy machine. */
const VOLLEY = 20;
/** So many requests one member may have in flight in a server. */
const IN_FLIGHT_MAX = 10;
const OTHERS = 6;
/** How long the provider takes for a call; one at a time, so that this is a slot. */
const SLOT_MS = 300;
const WAIT_MS_MAX = 60_000;
const CHECK_INTERVAL_MS = 50;

describe('While one member floods the bot with requests', () => {
  const shared = shareStage({
    provider: plainPictures,
    environment: { PROVIDER_CONCURRENCY: '1', MEMBER_REQUESTS_PER_MINUTE: '0' },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });

  for (const where of ['in the same server', 'in another server'] satisfies Where[]) {
    it(`${where}, others come before all but one of its calls`, async (context) => {
      const { stage, bot } = shared();
      const beside1 = await flood(stage, bot, where, 1);
      const beside200 = await flood(stage, bot, where, FLOOD);
      const delayMs = Math.max(...beside200.waitsMs.map((wait, index) => wait - (beside1.waitsMs[index] ?? 0)));
      context.diagnostic(
        `${where}: beside 1 request others wait ${describeWaits(beside1.waitsMs)}, beside ${FLOOD} ` +
          `${describeWaits(beside200.waitsMs)}, nobody more than ${delayMs} ms longer; a slot is ${SLOT_MS} ms`,
      );
      assert.ok(beside200.floodCallsFirst <= 1, `${beside200.floodCallsFirst} calls of the flood came first`);
    });
  }
});

/** Where the flood is, for those beside it; those in other servers are in one each. */
type Where = 'in the same server' | 'in another server';

let floods = 0;

/**
 * Has one member send so many requests, and then others one each, and only then the provider answer its first call.
 * @returns how long each of the others waited from then on, in the order of their turns
 */
async function flood(stage: Stage, bot: BotProcess, where: Where, count: number) {
  floods += 1;
  const floodPrompt = `flood ${floods}`;
  const otherPrompt = `beside flood ${floods}`;
  const flooded = addServer(stage);
  const delay = stage.provider.faults.add({ kind: 'delay', delayMs: SLOT_MS });
  const gate = stage.provider.holdAnswers({ when: isFor(floodPrompt) });
  const flooding: InteractionHandle[] = [];
  while (flooding.length < count) {
    const volley = Array.from({ length: Math.min(count, VOLLEY) }, () => imagine(stage, flooded, floodPrompt, LOW));
    await Promise.all(volley.map((one) => one.acknowledged()));
    flooding.push(...volley);
  }
  await gate.arrived(1, WAIT_MS_MAX);
  const inFlight = Math.min(count, IN_FLIGHT_MAX);
  const refused = (): InteractionHandle[] =>
    flooding.filter((one) => /You have as many images under way/.test(textOf(one)));
  await stage.discord.waitFor(() => refused().length === count - inFlight, WAIT_MS_MAX);
  const others = Array.from({ length: OTHERS }, () => {
    const server = where === 'in the same server' ? flooded : addServer(stage);
    const member = stage.discord.world.addMember(server.guild);
    return imagine(stage, { ...server, member }, otherPrompt, LOW);
  });
  await untilWaiting(bot, inFlight - 1 + OTHERS);

  const releasedAt = Date.now();
  gate.release();
  await Promise.all(others.map(answered));
  // What is left of the flood has nobody behind it any more.
  delay.remove();
  const calls = callsFor(stage, otherPrompt);
  const lastAt = Math.max(...calls.map(({ at }) => at));
  const floodCallsFirst = callsFor(stage, floodPrompt)
    .slice(1)
    .filter(({ at }) => at < lastAt).length;
  await atRest(stage);
  assert.equal(billsFor(stage, otherPrompt).length, OTHERS);
  assert.equal(billsFor(stage, floodPrompt).length, inFlight);
  for (const interaction of refused()) assert.equal(courseOf(stage, interaction), '');
  return { waitsMs: calls.map(({ at }) => at - releasedAt), floodCallsFirst };
}

/** Resolves when so many requests are in line. */
async function untilWaiting({ httpPort }: BotProcess, count: number): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const metrics = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
    const waiting = Number(/^easel_queue_waiting (\d+)$/m.exec(metrics)?.[1]);
    if (waiting === count) return;
    assert.ok(Date.now() < deadline, `${waiting} are in line, and not ${count}`);
    await sleep(CHECK_INTERVAL_MS);
  }
}

function describeWaits(waitsMs: readonly number[]): string {
  const mean = waitsMs.reduce((sum, wait) => sum + wait, 0) / waitsMs.length;
  return `${Math.round(mean)} ms (at most ${Math.max(...waitsMs)} ms)`;
}
