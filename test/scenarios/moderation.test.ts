import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MESSAGE_FLAG } from '../../sandbox/discord/message-schema.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import { accountOf, ask, billsFor, courseOf, endReasonOf, isFor } from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';

const TOKEN_LIFETIME_MS = 15 * 60_000;
/** Long enough for the token to die in between. */
const DECISION_MS = 1_000;
const REFUSAL_WAIT_MS_MAX = 10_000;

describe('A request that the safety system declines', { concurrency: 3 }, () => {
  const shared = shareStage({ auditedBudget: DEFAULT_BUDGET_NANO_USD });

  const cases = [
    { prompt: 'a forbidden thing', says: /safety system declined this request/ },
    { prompt: 'an unshowable thing', says: /safety system declined the image that came out/ },
    { prompt: 'a thing against the policy', says: /safety system declined this request/ },
  ];
  for (const { prompt, says } of cases) {
    it(`${prompt}: is explained to its member alone, although the answer was to be public`, async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const refusal = 'content_policy_violation';
      stage.provider.faults.add({ kind: 'refuse', refusal, when: isFor('a thing against the policy') });
      const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });

      assert.match(asked.text, says);
      assert.match(asked.text, /You were not charged\.\n-# Reference: `\w+`$/);
      assert.equal(asked.message.visibleTo, server.member.user.id);
      assert.ok((asked.message.flags & MESSAGE_FLAG.ephemeral) !== 0);
      assert.ok(asked.interaction.original()?.deletedAtMs !== undefined, 'the public answer is taken back');
      const inChannel = stage.discord.channelMessages(server.channel);
      assert.deepEqual(
        inChannel.map(({ id, visibleTo }) => ({ id, visibleTo })),
        [{ id: asked.message.id, visibleTo: server.member.user.id }],
      );

      assert.equal(callsFor(stage, prompt).length, 1);
      assert.deepEqual(billsFor(stage, prompt), []);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch void');
      assert.equal(endReasonOf(stage, asked.interaction), 'moderation');
      const { settled, held, exposure } = accountOf(stage, server);
      assert.deepEqual({ settled, held, exposure }, { settled: 0, held: 0, exposure: 0 });
    });
  }

  it('stays one private message where it was private from the start', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'another forbidden thing';
    const asked = await ask(stage, server, 'imagine', { prompt, private: true });

    assert.match(asked.text, /safety system declined this request.*You were not charged\.\n-# Reference: `\w+`$/);
    assert.equal(asked.message.id, asked.interaction.original()?.id);
    assert.equal(asked.message.visibleTo, server.member.user.id);
    assert.equal(asked.interaction.messagesEver().length, 1);
    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch void');
  });
});

describe('A request that is declined when its answer can no longer be replaced', () => {
  const shared = shareStage({ auditedBudget: DEFAULT_BUDGET_NANO_USD });

  for (const isPrivate of [false, true]) {
    it(`is explained to the member directly, where the answer was to be ${isPrivate ? 'private' : 'public'}`, async () => {
      const { stage } = shared();
      const { discord, provider } = stage;
      const server = addServer(stage);
      const { member, channel } = server;
      const prompt = `a thing that is forbidden ${isPrivate ? 'to me' : 'to all'}`;
      provider.faults.add({ kind: 'delay', at: 'start', delayMs: DECISION_MS, when: isFor(prompt) });
      const options = { prompt, private: isPrivate };
      const interaction = discord.invoke({ command: 'imagine', member, channel, options });
      await discord.waitFor(() => courseOf(stage, interaction) === 'reserve dispatch');
      discord.clock.advance(TOKEN_LIFETIME_MS);
      await discord.waitFor(() => discord.directMessages(member.user).length > 0, REFUSAL_WAIT_MS_MAX);
      await atRest(stage, { interaction });

      const told = discord.directMessages(member.user).map(renderMessage);
      assert.equal(told.length, 1);
      assert.match(told[0] ?? '', /safety system declined this request.*You were not charged/);
      const inChannel = discord.channelMessages(channel).map(renderMessage);
      assert.ok(!inChannel.some((text) => text.includes('safety system')), 'everybody reads of it');
    });
  }
});

describe('Where Discord does not let go of the public answer', () => {
  const shared = shareStage({ auditedBudget: DEFAULT_BUDGET_NANO_USD });
  const says = /safety system declined this request/;

  for (const status of [403, 501]) {
    it(`with ${status}: what was declined is still explained to its member alone`, async (t) => {
      const { stage } = shared();
      const server = addServer(stage);
      const fault = stage.discord.faults.add({ kind: 'status', status, route: 'DELETE original', times: Infinity });
      t.after(fault.remove);
      const options = { prompt: 'a forbidden thing', quality: 'low' };
      const { member, channel } = server;
      const interaction = stage.discord.invoke({ command: 'imagine', member, channel, options });
      await interaction.finalMessage({ timeoutMs: 60_000, where: (message) => says.test(renderMessage(message)) });

      const shown = interaction.messagesEver();
      const told = shown.filter((message) => says.test(renderMessage(message)));
      assert.deepEqual(
        told.map(({ visibleTo }) => visibleTo),
        [member.user.id],
      );
      const original = interaction.original() ?? assert.fail('the public answer is gone');
      assert.equal(original.isLoading, false);
      assert.equal(original.visibleTo, 'everyone');
      assert.equal(renderMessage(original).trim(), '…');
    });
  }
});
