import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { EmulatedChannel, EmulatedMember, EmulatedRole } from '../../sandbox/discord/world.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { callsFor, DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import type { Answered } from './requests.ts';
import { ask, assertNothingTouched, billsFor, courseOf, decide, isFor } from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

/** A high picture holds $0.0536 of it, so that three fit at once and a fourth does not. */
const LIMIT_USD = '0.18';
const FITTING_COUNT = 3;
const REQUESTS_AT_ONCE = 20;
const HIGH = { quality: 'high' };
const LOW = { quality: 'low' };
const WAIT_MS_MAX = 30_000;

describe('The limits of members', () => {
  const shared = shareStage({
    provider: plainPictures,
    // Nothing but the limits shall hold anybody up.
    environment: { MEMBER_REQUESTS_PER_MINUTE: '0' },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });

  it('hold against requests at once: as many as fit are made, the others hear whose limit it is', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const { user } = server.member;
    await decide(stage, server, 'limit', { member: user, usd: LIMIT_USD });
    const { refused } = await askAtOnce(stage, server, 'twenty of mine', server.member);
    for (const { text } of refused) {
      assert.match(
        text,
        /^Your own limit for the month does not cover it: it could cost up to \$0\.053\d, and \$0\.0\d{3} is left\. It renews <t:\d+:R>; .+ an administrator can raise it with `\/settings limit`\. You were not charged\.\n-# Reference: `\w+`$/,
      );
    }
    const other = await ask(stage, server, 'imagine', { prompt: 'of somebody else', ...HIGH }, server.administrator);
    assert.equal(courseOf(stage, other.interaction), 'reserve dispatch post');

    const quota = await ask(stage, server, 'quota');
    assert.match(quota.text, /^Your own limit is \$0\.18 a month, of which \$0\.0\d{3} is left\.$/m);
    await decide(stage, server, 'limit', { member: user, clear: true });
    assert.doesNotMatch((await ask(stage, server, 'quota')).text, /limit/);
    await ask(stage, server, 'imagine', { prompt: 'without a limit', ...HIGH });
    assert.equal(billsFor(stage, 'without a limit').length, 1);
  });

  it("of each member are each member's own", async () => {
    const { stage } = shared();
    const server = addServer(stage);
    await decide(stage, server, 'limit', { usd: LIMIT_USD });
    const members = [server.member, stage.discord.world.addMember(server.guild)];
    const all = await Promise.all(
      members.map(async (member, index) => askAtOnce(stage, server, `twenty of member ${index}`, member)),
    );
    for (const { text } of all.flatMap(({ refused }) => refused)) {
      assert.match(text, /^The limit that every member has here for the month does not cover it/);
    }
  });

  it('of a role limit each of its members, the most generous role first, and yield to their own', async () => {
    const { stage } = shared();
    const { world } = stage.discord;
    const server = addServer(stage);
    const [small, large] = [world.addRole(server.guild), world.addRole(server.guild)];
    await decide(stage, server, 'limit', { role: small, usd: '0.01' });
    await decide(stage, server, 'limit', { role: large, usd: '0.06' });
    const having = (...roles: readonly EmulatedRole[]): EmulatedMember => world.addMember(server.guild, { roles });
    const [poor, rich, alsoRich, own] = [having(small), having(small, large), having(large), having(small)];
    await decide(stage, server, 'limit', { member: own.user, usd: '5' });

    const refused = await ask(stage, server, 'imagine', { prompt: 'by the poor', ...HIGH }, poor);
    assert.match(refused.text, /^Your role's limit for the month does not cover it: .+ and \$0\.0100 is left/);
    assertNothingTouched(stage, refused, 'by the poor');
    for (const member of [rich, alsoRich, own]) {
      const prompt = `by ${member.user.id}`;
      await ask(stage, server, 'imagine', { prompt, ...HIGH }, member);
      const second = await ask(stage, server, 'imagine', { prompt, ...HIGH }, member);
      assert.equal(billsFor(stage, prompt).length, member === own ? 2 : 1);
      if (member !== own) assert.match(second.text, /^Your role's limit/);
    }
  });

  it('go by roles also in a server that Discord named when Easel connected, and whose roles it did not', async (test) => {
    const stage = await setStage(test);
    const { discord, guild, channel, member, administrator } = stage;
    const server = { guild, channel, member, administrator };
    const role = discord.world.addRole(guild);
    const before = await stage.startBot();
    await decide(stage, server, 'limit', { role, usd: '0.01' });
    await decide(stage, server, 'access', { role, qualities: 'high' });
    // What the commands above told about the role is forgotten with this process.
    await before.stop();
    await stage.startBot();
    const limited = discord.world.addMember(guild, { roles: [role] });
    const refused = await ask(stage, server, 'imagine', { prompt: 'by the limited', ...HIGH }, limited);
    assert.match(refused.text, /^Your role's limit/);
    const notAllowed = await ask(stage, server, 'imagine', { prompt: 'by the limited', ...LOW }, limited);
    assert.match(notAllowed.text, /^Your roles do not let you use quality `low`/);
    assertNothingTouched(stage, notAllowed, 'by the limited');
  });

  it('of images a day hold at once, and have back what was not made', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    await decide(stage, server, 'limit', { images_per_day: 3 });
    const declined = 'declined by the provider';
    stage.provider.faults.add({ kind: 'refuse', refusal: 'moderation_blocked_input', when: isFor(declined) });
    await ask(stage, server, 'imagine', { prompt: declined, count: 3, ...LOW });

    const prompt = 'many a day';
    const gate = stage.provider.holdAnswers({ when: isFor(prompt) });
    const pending = Array.from({ length: 8 }, async () => ask(stage, server, 'imagine', { prompt, ...LOW }));
    await gate.arrived(3, WAIT_MS_MAX);
    gate.release();
    const refused = (await Promise.all(pending)).filter(({ message }) => message.attachments.length === 0);
    assert.equal(refused.length, 5);
    assert.equal(billsFor(stage, prompt).length, 3);
    for (const { text } of refused) {
      assert.match(
        text,
        /^The limit that every member has here for today does not cover it: no image is left\. It renews <t:\d+:R>/,
      );
    }
    await decide(stage, server, 'limit', { member: server.member.user, images_per_day: 5 });
    const three = await ask(stage, server, 'imagine', { prompt: 'three more', count: 3, ...LOW });
    assert.match(three.text, /^Your own limit for today does not cover it: 2 images are left\./);
    assertNothingTouched(stage, three, 'three more');
    const quota = await ask(stage, server, 'quota');
    assert.match(quota.text, /^Your own limit is 5 images a day, of which 2 are left\.$/m);
    const two = await ask(stage, server, 'imagine', { prompt: 'two more', count: 2, ...LOW });
    assert.equal(two.message.attachments.length, 2);
  });
});

describe('What members may use, and what they get where they choose nothing', () => {
  const shared = shareStage({ provider: plainPictures, auditedBudget: DEFAULT_BUDGET_NANO_USD });

  it('goes by their roles, and is refused by name before anything is held', async () => {
    const { stage } = shared();
    const { world } = stage.discord;
    const server = addServer(stage);
    const everyone = server.guild.roles.get(server.guild.id) ?? assert.fail();
    const painters = world.addRole(server.guild);
    const model = 'gpt-image-2.5-flare';
    await decide(stage, server, 'access', { role: everyone, models: model, qualities: 'low', count_max: 1 });
    await decide(stage, server, 'access', { role: painters, count_max: 2 });
    const refusals = [
      [
        { model: 'gpt-image-2' },
        /^Your roles do not let you use model `gpt-image-2` here\. Allowed: `gpt-image-2\.5-flare`\./,
      ],
      [{ model, quality: 'high' }, /use quality `high` here\. Allowed: `low`\./],
      [{ model, ...LOW, count: 2 }, /use count `2` here\. Allowed: up to 1\./],
    ] as const;
    for (const [options, expected] of refusals) {
      const refused = await ask(stage, server, 'imagine', { prompt: 'not for everybody', ...options });
      assert.match(refused.text, expected);
      assert.match(refused.text, /An administrator decides that with `\/settings access`\./);
      assertNothingTouched(stage, refused, 'not for everybody');
    }
    const allowed = await ask(stage, server, 'imagine', { prompt: 'for everybody' });
    assert.match(allowed.text, /gpt-image-2\.5-flare · 1024x1024 · low/);
    assert.equal(allowed.message.attachments.length, 1);
    const painter = world.addMember(server.guild, { roles: [painters] });
    const several = await ask(stage, server, 'imagine', { prompt: 'for painters', count: 2, ...LOW }, painter);
    assert.equal(several.message.attachments.length, 2);
  });

  it('is what the server decided, unless they choose otherwise', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const defaults = { model: 'gpt-image-2', size: '1536x1024', quality: 'low', format: 'webp' };
    await decide(stage, server, 'defaults', defaults);
    const { text, message } = await ask(stage, server, 'imagine', { prompt: 'by default' });
    assert.match(text, /gpt-image-2 · 1536x1024 · low/);
    assert.match(message.attachments[0]?.filename ?? '', /\.webp$/);
    const [call] = callsFor(stage, 'by default');
    assert.equal(call?.parameters['model'], 'gpt-image-2');
    const chosen = { size: '1024x1024', quality: 'medium', format: 'png' };
    const other = await ask(stage, server, 'imagine', { prompt: 'by choice', ...chosen });
    assert.match(other.text, /gpt-image-2 · 1024x1024 · medium/);
    assert.match(other.message.attachments[0]?.filename ?? '', /\.png$/);
  });
});

describe('The log channel', () => {
  const shared = shareStage({
    provider: plainPictures,
    environment: { DEFAULT_GUILD_BUDGET_USD: '0.40', MEMBER_REQUESTS_PER_MINUTE: '0' },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });

  it('hears once of the level and once of the cap, however many reach them together, and nobody is pinged', async () => {
    const { stage } = shared();
    const { discord } = stage;
    const server = addServer(stage);
    const channel = discord.world.addChannel(server.guild, { name: 'log' });
    await decide(stage, server, 'log', { channel });
    await decide(stage, server, 'budget', { warning_percent: 50 });
    const prompt = 'all together';
    const many = async (count: number): Promise<unknown> =>
      Promise.all(Array.from({ length: count }, async () => ask(stage, server, 'imagine', { prompt, ...HIGH })));
    await many(30);
    // Whoever comes when nearly everything is spent hears that it does not suffice.
    await many(10);
    const warnings = await warned(stage, channel, 2);
    assert.equal(billsFor(stage, prompt).length, 7);
    const texts = warnings.map(renderMessage);
    assert.match(texts[0] ?? '', /^\*\*Budget warning:\*\* \$0\.\d{4} of this server's \$0\.40 for images is used\./);
    assert.match(texts[1] ?? '', /^\*\*Budget reached:\*\* \$0\.3689 of this server's \$0\.40 for images is used, and/);
    for (const { pings } of warnings) assert.deepEqual(pings, { users: [], roles: [], everyone: false });

    await decide(stage, server, 'budget', { usd: '0.50' });
    await many(2);
    await many(1);
    const [level, cap, ...again] = (await warned(stage, channel, 4)).map(renderMessage);
    assert.deepEqual([level, cap], texts);
    assert.match(again[0] ?? '', /^\*\*Budget warning:\*\* .+\$0\.50/, 'a raised budget is warned of again');
    assert.match(again[1] ?? '', /^\*\*Budget reached:\*\* .+\$0\.50/);
  });

  it('that was taken away holds nothing up', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const channel = stage.discord.world.addChannel(server.guild, { name: 'log' });
    await decide(stage, server, 'log', { channel });
    await decide(stage, server, 'budget', { warning_percent: 1 });
    stage.discord.world.removeChannel(channel);
    for (const prompt of ['without a channel', 'still without one']) {
      const { message } = await ask(stage, server, 'imagine', { prompt, ...HIGH });
      assert.equal(message.attachments.length, 1);
    }
  });
});

/** Sends many requests of one member at once, of which only the first few fit, before any of them is settled. */
async function askAtOnce(
  stage: Stage,
  server: Server,
  prompt: string,
  member: EmulatedMember,
): Promise<{ readonly refused: readonly Answered[] }> {
  const gate = stage.provider.holdAnswers({ at: 'before-billing', when: isFor(prompt) });
  const refused: Answered[] = [];
  const pending = Array.from({ length: REQUESTS_AT_ONCE }, async () => {
    const answered = await ask(stage, server, 'imagine', { prompt, ...HIGH }, member);
    if (answered.message.attachments.length === 0) refused.push(answered);
  });
  await gate.arrived(FITTING_COUNT, WAIT_MS_MAX);
  await stage.discord.waitFor(() => refused.length === REQUESTS_AT_ONCE - FITTING_COUNT, WAIT_MS_MAX);
  gate.release();
  await Promise.all(pending);
  assert.equal(billsFor(stage, prompt).length, FITTING_COUNT);
  assert.equal(callsFor(stage, prompt).length, FITTING_COUNT);
  for (const { interaction } of refused) assert.equal(courseOf(stage, interaction), '');
  return { refused };
}

/** The warnings in a channel, below the message that introduced it, once there are so many. */
async function warned(stage: Stage, channel: EmulatedChannel, count: number) {
  const warnings = () => stage.discord.channelMessages(channel).slice(1);
  await stage.discord.waitFor(() => warnings().length >= count, WAIT_MS_MAX);
  assert.equal(warnings().length, count);
  return warnings();
}
