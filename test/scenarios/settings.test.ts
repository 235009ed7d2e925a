import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OptionValues } from '../../sandbox/discord/option-values.ts';
import { UnsendableCommand } from '../../sandbox/discord/option-values.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import { ACCESS_RULES_MAX } from '../../src/commands/settings-edits.ts';
import { lockStore } from './conversation.ts';
import { answered, ask, askSettings, assertNothingTouched, billsFor } from './requests.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';

const LATEST_CHANGES_MAX = 5;

describe('What administrators decide for their server', () => {
  const shared = shareStage({
    provider: plainPictures,
    environment: { DEFAULT_GUILD_BUDGET_USD: '0.03', MAX_GUILD_BUDGET_USD: '20.00' },
    auditedBudget: 20_000_000_000,
  });

  it('is shown to administrators alone, also where somebody showed the command to others', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const shown = await askSettings(stage, server, 'show');
    assert.equal(shown.message.visibleTo, server.administrator.user.id);
    assert.match(shown.text, /Budget: \*\*\$0\.03\*\* a month, the default of this bot · warning at 80%/);
    assert.match(shown.text, /Warnings go nowhere/);

    assert.throws(() => stage.discord.invoke({ command: 'settings show', member: server.member }), UnsendableCommand);
    for (const [command, options] of [
      ['settings show', {}],
      ['settings budget', { usd: '15' }],
    ] as const) {
      const refused = await answered(
        stage.discord.invoke({ command, member: server.member, options, permissionsLifted: true }),
      );
      assert.match(refused.text, /Only members who may manage this server can change its settings\./);
      assert.equal(refused.message.visibleTo, server.member.user.id);
    }
    assert.match((await askSettings(stage, server, 'show')).text, /\$0\.03/);
  });

  it('is not changed while the store is away, and whoever tries is told to come back, as of every request', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const unlock = lockStore(stage);
    const told = await askSettings(stage, server, 'budget', { usd: '15' });
    unlock();
    assert.match(told.text, /cannot read its books at the moment.*Try again in a few minutes\. You were not charged/);
    assert.match(told.text, /Reference: `\d+`/);
    assert.equal(told.message.visibleTo, server.administrator.user.id);
    assert.match((await askSettings(stage, server, 'show')).text, /\$0\.03/);
  });

  it('is changed step by step, shown after each change, and taken back', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const { world } = stage.discord;
    const role = world.addRole(server.guild, { name: 'painters' });
    const everyone = server.guild.roles.get(server.guild.id) ?? assert.fail();
    const { user } = server.member;
    const steps: readonly (readonly [string, OptionValues, RegExp])[] = [
      ['budget', { usd: '$12.50', warning_percent: 60 }, /Budget: \*\*\$12\.50\*\* a month · warning at 60%/],
      ['budget', { clear: true }, /Budget: \*\*\$0\.03\*\* a month, the default of this bot · warning at 80%/],
      ['limit', { usd: '1' }, /^Each member: \$1\.00 a month$/m],
      ['limit', { role: everyone, images_per_day: 9 }, /^Each member: \$1\.00 a month · 9 images a day$/m],
      ['limit', { role, usd: '2.50', images_per_day: 20 }, /^Each of .+: \$2\.50 a month · 20 images a day$/m],
      ['limit', { member: user, images_per_day: 0 }, /^<@\d+>: 0 images a day$/m],
      ['access', { role, models: 'gpt-image-2', count_max: 2 }, /may use models gpt-image-2 · all qualities · up to 2/],
      ['access', { role: everyone, qualities: 'low,medium' }, /^@everyone may use all models · qualities low, medium/m],
      ['defaults', { quality: 'low', size: '1024x1024' }, /Unless chosen otherwise: 1024x1024 · low/],
      ['previews', { on: true }, /^Previews of .+: on · about \$0\.0030 each with gpt-image-\S+, two per image$/m],
      ['previews', { on: false }, /^Previews of .+: off · about/m],
      ['log', { channel: server.channel }, /^Warnings go to <#\d+>\.$/m],
      ['log', { jobs: true }, /^Warnings and every finished request go to <#\d+>\.$/m],
      ['log', { jobs: false }, /^Warnings go to <#\d+>\.$/m],
    ];
    for (const [command, options, expected] of steps) {
      const { text, message } = await askSettings(stage, server, command, options);
      assert.match(text, /^Changed\.$/m);
      assert.match(text, expected);
      assert.equal(message.visibleTo, server.administrator.user.id);
    }
    const cleared: readonly (readonly [string, OptionValues])[] = [
      ['limit', {}],
      ['limit', { role }],
      ['limit', { member: user }],
      ['access', { role }],
      ['access', { role: everyone }],
      ['defaults', {}],
      ['log', {}],
    ];
    for (const [command, options] of cleared) await askSettings(stage, server, command, { ...options, clear: true });
    const { text } = await askSettings(stage, server, 'show');
    const [decisions = ''] = text.split('Latest changes');
    assert.doesNotMatch(decisions, /Each|<@|may use|Unless|<#/);
  });

  it('says who changed what and when, the latest first, and keeps both of two changes at once', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const second = stage.discord.world.addMember(server.guild, { username: 'bob', permissions: 1n << 5n });
    await askSettings(stage, server, 'budget', { usd: '1' });
    await askSettings(stage, server, 'defaults', { quality: 'low' }, second);
    const { text } = await askSettings(stage, server, 'show');
    const [, changes = ''] = text.split('Latest changes');
    const [ada, bob] = [server.administrator, second].map(({ user }) => `<@${user.id}>`);
    assert.match(changes, new RegExp(`defaults by ${bob} <t:\\d+:R>\\n-# budget by ${ada} <t:\\d+:R>$`));

    const members = Array.from({ length: 6 }, () => stage.discord.world.addMember(server.guild));
    await Promise.all(
      members.map(async ({ user }, index) =>
        askSettings(
          stage,
          server,
          'limit',
          { member: user, images_per_day: index },
          index % 2 === 0 ? second : undefined,
        ),
      ),
    );
    const after = await askSettings(stage, server, 'show');
    for (const index of members.keys()) assert.match(after.text, new RegExp(`: ${index} images? a day$`, 'm'));
    assert.equal(after.text.match(/limit by <@/g)?.length, LATEST_CHANGES_MAX);
  });

  it('is left alone by what makes no sense, and by what the operator does not allow', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const role = stage.discord.world.addRole(server.guild);
    const senseless: readonly (readonly [string, OptionValues, RegExp])[] = [
      ['budget', { usd: 'ten' }, /That is not an amount\. Write US dollars like `25\.00`\./],
      ['budget', { usd: '-1' }, /That is not an amount/],
      ['budget', { usd: '20.01' }, /The operator of this bot allows servers up to \$20\.00 a month\./],
      ['budget', {}, /Say what to change/],
      ['limit', { usd: '1,50' }, /That is not an amount/],
      ['limit', { usd: '1', member: server.member.user, role }, /Choose a member or a role, not both\./],
      ['limit', { member: server.member.user }, /Say how much, how many, or `clear`\./],
      ['access', { role, models: 'gpt-image-2,dall-e-3' }, /There is no model `dall-e-3` here\. There are: gpt-image/],
      ['access', { role, qualities: 'hd' }, /There is no quality `hd` here\. There are: low, medium/],
      ['access', { role }, /Say what the role may use/],
      ['defaults', { model: 'dall-e-3' }, /There is no model `dall-e-3` here\./],
      ['defaults', { size: 'huge' }, /That is not a size\./],
      ['defaults', {}, /Say what to change/],
      ['log', {}, /Choose a channel/],
      ['log', { jobs: true }, /Choose a channel/],
    ];
    for (const [command, options, expected] of senseless) {
      const { text } = await askSettings(stage, server, command, options);
      assert.match(text, expected);
      assert.match(text, /Nothing was changed\.$/);
    }
    const { text } = await askSettings(stage, server, 'show');
    assert.doesNotMatch(text, /Latest changes/);
  });

  it('names a log channel only where Easel can write, and says there what will come', async () => {
    const { stage } = shared();
    const { world } = stage.discord;
    const server = addServer(stage);
    const closed = world.addChannel(server.guild, { name: 'closed', botPermissions: 0n });
    const refused = await askSettings(stage, server, 'log', { channel: closed });
    assert.match(refused.text, /Easel cannot write in <#\d+>: .+ Nothing was changed\.$/);
    assert.match((await askSettings(stage, server, 'show')).text, /Warnings go nowhere/);

    const open = world.addChannel(server.guild, { name: 'open' });
    await askSettings(stage, server, 'log', { channel: open });
    const [introduction, ...more] = stage.discord.channelMessages(open);
    assert.deepEqual(more, []);
    assert.ok(introduction);
    assert.match(renderMessage(introduction), /Warnings about this server's budget.+<@\d+> decided\./);
    assert.deepEqual(introduction.pings, { users: [], roles: [], everyone: false });
  });

  it('is let go of a deleted role with the next change of what roles may, where Discord says that it is gone', async () => {
    const { stage } = shared();
    const { world, faults } = stage.discord;
    const server = addServer(stage);
    const addRole = () => world.addRole(server.guild);
    const everyone = server.guild.roles.get(server.guild.id) ?? assert.fail('there is no @everyone');
    const [lost, ...kept] = [addRole(), ...Array.from({ length: ACCESS_RULES_MAX - 2 }, addRole)];
    await askSettings(stage, server, 'limit', { role: lost, usd: '1' });
    await Promise.all(
      [lost, everyone, ...kept].map(async (role) => askSettings(stage, server, 'access', { role, count_max: 1 })),
    );
    const change = async (): Promise<string> => {
      const { text, message } = await askSettings(stage, server, 'access', { role: addRole(), count_max: 2 });
      // So many rules are told whole in a file.
      return message.shownAttachments[0]?.bytes.toString() ?? text;
    };
    const full = /There are 50 roles with rules already\..*Nothing was changed\.$/;
    assert.match(await change(), full);

    world.removeRole(server.guild, lost);
    for (const fault of [
      { kind: 'status', status: 500 },
      { kind: 'status', status: 403, body: { message: 'Missing Access', code: 50_001 } },
      { kind: 'status', status: 200, body: [] },
      { kind: 'status', status: 200, body: 'roles' },
    ] as const) {
      faults.add({ ...fault, route: 'GET guild roles' });
      assert.match(await change(), full);
    }
    const besides = await askSettings(stage, server, 'budget', { usd: '2' });
    assert.ok(besides.text.includes(`<@&${lost.id}>`), 'it has nothing to do with roles');

    const changed = await change();
    assert.match(changed, /^Changed\. Limits and access rules of a deleted role were removed\.$/m);
    assert.ok(!changed.includes(`<@&${lost.id}>`), changed);
    assert.match(changed, /^@everyone may use .+ up to 1 at once$/m);
    for (const { id } of kept) assert.ok(changed.includes(`<@&${id}> may use`), id);
    assert.match(changed, /may use .+ up to 2 at once$/m);
  });

  it('names no log channel whose introduction Discord does not take just now, and says so', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const channel = stage.discord.world.addChannel(server.guild, { name: 'busy' });
    // Longer than anybody waits within one command.
    stage.discord.faults.add({ route: 'channel message', kind: 'rate limit', retryAfterSeconds: 60, scope: 'shared' });
    const refused = await askSettings(stage, server, 'log', { channel });
    assert.match(
      refused.text,
      /^Discord did not let Easel post in <#\d+> just now\. Try again in a minute\. Nothing was changed\.$/m,
    );
    assert.match((await askSettings(stage, server, 'show')).text, /Warnings go nowhere/);
  });

  it('is suggested while it is typed', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const suggest = async (name: string, text: string): Promise<readonly string[]> => {
      const focused = { name, text };
      const choices = await stage.discord.autocomplete({
        command: 'settings defaults',
        member: server.administrator,
        focused,
      });
      return choices.map(({ value }) => String(value));
    };
    assert.deepEqual(await suggest('model', 'FLARE'), ['gpt-image-2.5-flare', 'gpt-image-2.6-flare']);
    assert.ok((await suggest('size', '1536')).includes('1536x1024'));
  });

  it('is told whole in a file where a message cannot hold it', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const { world } = stage.discord;
    const roles = Array.from({ length: 40 }, (_, index) => world.addRole(server.guild, { name: `role ${index}` }));
    const models = 'gpt-image-2,gpt-image-2.5-sunburst,gpt-image-2.5-flare';
    await Promise.all(
      roles.map(async (role) => askSettings(stage, server, 'access', { role, models, qualities: 'low,medium,high' })),
    );
    const { text, message } = await askSettings(stage, server, 'show');
    assert.match(text, /There is more; the file has all of it\./);
    const [file] = message.shownAttachments;
    const whole = file?.bytes.toString() ?? assert.fail('there is no file');
    assert.equal(file?.filename, 'settings.txt');
    for (const { id } of roles) assert.ok(whole.includes(`<@&${id}> may use models gpt-image-2, `), id);
  });

  it('a raised budget lets more through at once, and a lowered one less', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const high = { quality: 'high' };
    const before = await ask(stage, server, 'imagine', { prompt: 'before the raise', ...high });
    assert.match(before.text, /This server's budget for the month does not cover it/);
    assertNothingTouched(stage, before, 'before the raise');
    await askSettings(stage, server, 'budget', { usd: '0.11' });
    await ask(stage, server, 'imagine', { prompt: 'after the raise', ...high });
    assert.equal(billsFor(stage, 'after the raise').length, 1);
    await askSettings(stage, server, 'budget', { usd: '0.10' });
    const after = await ask(stage, server, 'imagine', { prompt: 'after the cut', ...high });
    assertNothingTouched(stage, after, 'after the cut');
    const usage = await ask(stage, server, 'usage', {}, server.administrator);
    assert.match(usage.text, /\$0\.10/);
  });
});
