import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandomSource } from '../../sandbox/provider/random-source.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { auditBooks, readBooks } from '../audit.ts';
import { callsFor } from './judgement.ts';
import type { Answered } from './requests.ts';
import { accountOf, ask, assertNothingTouched, billsFor, courseOf, entriesOf, isFor } from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';

/** Seven pictures of high quality fit into it and an eighth does not; of low quality there is room for dozens. */
const BUDGET_NANO_USD = 400_000_000;
const FITTING_COUNT = 7;
/** Two pictures of the highest quality do not fit into it together. */
const DEAREST = { quality: 'max' };
const OPEN_HOLDS_MAX = 32;
const MEMBER_REQUESTS_PER_MINUTE = 10;
const WAIT_MS_MAX = 30_000;
const OVER_BUDGET = /could cost up to \$\d\.\d{4}, and \$\d\.\d{4} is left\. The budget renews <t:\d+:R>/;

const seed = String(Date.now());

describe('The budget of a server', () => {
  const random = createRandomSource(seed);
  const shared = shareStage({
    // The answers come in any order.
    provider: { ...plainPictures, latencyMs: () => random.between(0, 40) },
    environment: { DEFAULT_GUILD_BUDGET_USD: '0.40' },
    auditedBudget: BUDGET_NANO_USD,
  });

  it('holds against fifty requests at once: as many as fit are made, the others hear how it stands', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'one of fifty';
    const gate = stage.provider.holdAnswers({ at: 'before-billing', when: isFor(prompt) });
    const refused: Answered[] = [];
    const pending = askByMany(stage, server, 50, { prompt, quality: 'high' }).map(async (asking) => {
      const asked = await asking;
      if (asked.message.attachments.length === 0) refused.push(asked);
      return asked;
    });
    // Nothing is settled before everybody has been judged, so that the estimates alone decide.
    await gate.arrived(FITTING_COUNT, WAIT_MS_MAX);
    await stage.discord.waitFor(() => refused.length === 50 - FITTING_COUNT, WAIT_MS_MAX);
    assert.equal(gate.waiting, FITTING_COUNT);
    gate.release();
    await Promise.all(pending);

    assert.equal(refused.length, 50 - FITTING_COUNT);
    for (const asked of refused) {
      assert.match(asked.text, OVER_BUDGET);
      assert.match(asked.text, /You were not charged\.\n-# Reference: `\w+`$/);
      assert.equal(courseOf(stage, asked.interaction), '');
    }
    const bills = billsFor(stage, prompt);
    assert.equal(bills.length, FITTING_COUNT);
    assert.equal(callsFor(stage, prompt).length, FITTING_COUNT);
    const settled = bills.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
    assert.deepEqual(totalsOf(stage, server), { settled, held: 0, exposure: 0 });
  });

  it(`holds at every commit, in whatever order requests come and end (seed ${seed})`, async () => {
    const { stage } = shared();
    const servers = [addServer(stage), addServer(stage)];
    const asked = await Promise.all(
      servers.flatMap((server, index) =>
        askByMany(stage, server, 40, { prompt: `in any order ${index}`, quality: 'high' }, () =>
          random.between(0, 400),
        ),
      ),
    );

    auditBooks(readBooks(stage.dataDirectory), stage.provider.bills, BUDGET_NANO_USD);
    for (const [index, server] of servers.entries()) {
      const bills = billsFor(stage, `in any order ${index}`);
      const settled = bills.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
      assert.ok(bills.length >= FITTING_COUNT, `only ${bills.length} were made`);
      assert.deepEqual(totalsOf(stage, server), { settled, held: 0, exposure: 0 });
    }
    const made = asked.filter(({ message }) => message.attachments.length > 0);
    assert.equal(made.length, servers.flatMap((_, index) => billsFor(stage, `in any order ${index}`)).length);
    for (const { text, message } of asked) if (message.attachments.length === 0) assert.match(text, OVER_BUDGET);
  });

  it('is spent by what nobody knows as by what is certain', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const [lost, refused, cheap] = ['lost and dear', 'too dear now', 'cheap enough'] as const;
    stage.provider.faults.add({ kind: 'bill-then-drop', when: isFor(lost) });
    await ask(stage, server, 'imagine', { prompt: lost, ...DEAREST });
    const { exposure } = totalsOf(stage, server);
    assert.ok(exposure > BUDGET_NANO_USD / 2);

    const asked = await ask(stage, server, 'imagine', { prompt: refused, ...DEAREST });
    assert.match(asked.text, OVER_BUDGET);
    assertNothingTouched(stage, asked, refused);

    await ask(stage, server, 'imagine', { prompt: cheap, quality: 'low' });
    assert.equal(billsFor(stage, cheap).length, 1);
    assert.equal(totalsOf(stage, server).exposure, exposure);
  });

  it('belongs to one server, and is not touched by what another spends', async () => {
    const { stage } = shared();
    const [one, other] = [addServer(stage), addServer(stage)];
    const prompts = ['the first of one', 'the second of one', 'the first of the other'] as const;
    const gate = stage.provider.holdAnswers({ at: 'before-billing', when: isFor(...prompts) });
    const first = ask(stage, one, 'imagine', { prompt: prompts[0], ...DEAREST });
    await gate.arrived(1, WAIT_MS_MAX);
    const second = await ask(stage, one, 'imagine', { prompt: prompts[1], ...DEAREST });
    const elsewhere = ask(stage, other, 'imagine', { prompt: prompts[2], ...DEAREST });
    await gate.arrived(2, WAIT_MS_MAX);
    gate.release();
    await Promise.all([first, elsewhere]);

    assert.match(second.text, OVER_BUDGET);
    assert.equal(billsFor(stage, prompts[1]).length, 0);
    for (const server of [one, other]) {
      const { settled, held, exposure } = totalsOf(stage, server);
      assert.ok(settled > BUDGET_NANO_USD / 2);
      assert.deepEqual({ held, exposure }, { held: 0, exposure: 0 });
    }
  });

  it('has no more than so many requests under way, and takes the next when one of them is done', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'one of many small ones';
    const gate = stage.provider.holdAnswers({ when: isFor(prompt) });
    const pending = askByMany(stage, server, OPEN_HOLDS_MAX, { prompt, quality: 'low' });
    await gate.arrived(OPEN_HOLDS_MAX, WAIT_MS_MAX);
    const late = stage.discord.world.addMember(server.guild);
    const oneTooMany = 'one too many';
    const refused = await ask(stage, server, 'imagine', { prompt: oneTooMany, quality: 'low' }, late);
    gate.release();
    await Promise.all(pending);

    assert.match(refused.text, /as many images under way as it may have at once/);
    assertNothingTouched(stage, refused, oneTooMany);
    assert.equal(billsFor(stage, prompt).length, OPEN_HOLDS_MAX);
    const next = await ask(stage, server, 'imagine', { prompt: 'the next one', quality: 'low' }, late);
    assert.equal(courseOf(stage, next.interaction), 'reserve dispatch post');
  });

  it('is no way around the pace of a single member', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'again and again';
    const all = await Promise.all(
      Array.from({ length: MEMBER_REQUESTS_PER_MINUTE + 2 }, async () =>
        ask(stage, server, 'imagine', { prompt, quality: 'low' }),
      ),
    );

    const refused = all.filter(({ message }) => message.attachments.length === 0);
    assert.equal(refused.length, 2);
    for (const { text, interaction } of refused) {
      assert.match(
        text,
        /That was a lot in a minute\. Try again in \d+ seconds\. You were not charged\.\n-# Reference: `\w+`$/,
      );
      assert.deepEqual(entriesOf(stage, interaction), []);
    }
    assert.equal(billsFor(stage, prompt).length, MEMBER_REQUESTS_PER_MINUTE);
    const somebodyElse = await ask(stage, server, 'imagine', { prompt: 'once', quality: 'low' }, server.administrator);
    assert.equal(somebodyElse.message.attachments.length, 1);
  });
});

/** The same request, so many times at once, by members who each stay within their own pace. */
function askByMany(
  stage: Stage,
  server: Server,
  count: number,
  options: { readonly prompt: string; readonly quality: string },
  delayMs: () => number = () => 0,
): Promise<Answered>[] {
  const members = Array.from({ length: Math.ceil(count / MEMBER_REQUESTS_PER_MINUTE) }, () =>
    stage.discord.world.addMember(server.guild),
  );
  return Array.from({ length: count }, async (_, index) => {
    await sleep(delayMs());
    return ask(stage, server, 'imagine', options, members[index % members.length]);
  });
}

function totalsOf(stage: Stage, server: Server): { settled: number; held: number; exposure: number } {
  const { settled, held, exposure } = accountOf(stage, server);
  return { settled, held, exposure };
}
