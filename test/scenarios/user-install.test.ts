import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UnsendableCommand } from '../../sandbox/discord/option-values.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { CATALOGUES, wordsFor } from '../../src/discord/words.ts';
import { call } from '../sandbox/discord/raw-bot.ts';
import { postAsBot } from './conversation.ts';
import { callsFor } from './judgement.ts';
import { answered, ask, courseOf, picturesOf } from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, shareStage } from './shared-stage.ts';

/** A server that Easel was not added to, and a member who has it in their account. */
function addForeignServer(stage: Stage): Server {
  const server = addServer(stage);
  server.guild.botPresent = false;
  server.member.user.hasInstalledBot = true;
  return server;
}

/** Registers the commands as if they did not say where they can be used, or where they can be installed. */
async function leaveOpen({ discord }: Stage, left: 'contexts' | 'integration_types'): Promise<void> {
  const open = discord.registeredCommands().map((command) => ({ ...command, version: undefined, [left]: undefined }));
  const { status } = await call(discord, 'PUT', `/applications/${discord.applicationId}/commands`, open);
  assert.equal(status, 200);
}

describe('an application that people can also install to their accounts', () => {
  const shared = shareStage();

  test('is not offered by them where Easel was not added to the server', () => {
    const { stage } = shared();
    stage.discord.world.isInstallableToUsers = true;
    const { member, channel } = addForeignServer(stage);
    const invoke = () => stage.discord.invoke({ command: 'imagine', options: { prompt: 'a fox' }, member, channel });
    assert.throws(invoke, UnsendableCommand);
  });

  test('makes nothing at the expense of a server that Easel was not added to, and says what to do', async () => {
    const { stage } = shared();
    stage.discord.world.isInstallableToUsers = true;
    await leaveOpen(stage, 'integration_types');
    for (const locale of CATALOGUES.keys()) {
      const server = addForeignServer(stage);
      Object.assign(server.member.user, { locale });
      const prompt = `brought along: ${locale}`;
      const answer = await ask(stage, server, 'imagine', { prompt });
      assert.ok(answer.text.endsWith(wordsFor(locale).say('router.not-on-server')), answer.text);
      assert.equal(courseOf(stage, answer.interaction), '');
      assert.deepEqual(callsFor(stage, prompt), []);
    }
  });

  test('serves whoever has it in their account on servers that it was added to', async () => {
    const { stage } = shared();
    stage.discord.world.isInstallableToUsers = true;
    await leaveOpen(stage, 'integration_types');
    const server = addServer(stage);
    server.member.user.hasInstalledBot = true;
    const answer = await ask(stage, server, 'imagine', { prompt: 'a fox at home' });
    assert.equal(picturesOf(answer).length, 1);
    assert.equal(courseOf(stage, answer.interaction), 'reserve dispatch post');
  });
});

describe('commands that Discord offers in direct messages as well', () => {
  const shared = shareStage();
  for (const locale of CATALOGUES.keys()) {
    test(`say in ${locale} that they work only in servers, to whoever asked, and do nothing`, async () => {
      const { stage } = shared();
      const { discord } = stage;
      await leaveOpen(stage, 'contexts');
      const { user } = addServer(stage).member;
      Object.assign(user, { locale });
      const prompt = `a fox by post: ${locale}`;
      const message = await postAsBot(stage, discord.world.directChannel(user).id, ['anything']);
      const asked = [
        discord.invoke({ command: 'imagine', member: user, options: { prompt } }),
        discord.invoke({ command: 'quota', member: user }),
        discord.messageMenu({ command: 'Edit image', member: user, message }),
      ];
      for (const interaction of asked) {
        const answer = await answered(interaction);
        assert.ok(answer.text.endsWith(wordsFor(locale).say('router.commands-only-in-servers')), answer.text);
        assert.equal(answer.message.visibleTo, user.id);
        assert.equal(courseOf(stage, interaction), '');
      }
      assert.deepEqual(callsFor(stage, prompt), []);
    });
  }
});
