import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPostgresDatabase } from '../contracts/postgres-database.ts';
import { addressOf, POSTGRES_URL, whyMissing } from '../contracts/servers.ts';
import { createTcpProxy } from '../storage/tcp-proxy.ts';
import { buttonsOf, press, untilOffered } from './conversation.ts';
import { newsOf } from './judgement.ts';
import { answered, decide, imagine } from './requests.ts';
import { setStage } from './support.ts';

/** A store on another machine, and processes on several that share it, each of which has a disk of its own. */

const QUESTIONS = 6;

const postgresMissing = await whyMissing(POSTGRES_URL);

test('/quota offers what is kept on whichever machine', { skip: postgresMissing ?? false }, async (t) => {
  const database = await createPostgresDatabase();
  const stage = await setStage(t, { environment: { STORE_URL: database.url } });
  // After the stage, which is closed first, and its bots with it.
  t.after(async () => database.drop());
  await stage.startBot();
  await stage.startBot({ environment: { DATA_DIR: join(stage.dataDirectory, 'elsewhere') } });
  const { discord, member, channel } = stage;
  const gate = stage.provider.holdAnswers();
  const interaction = imagine(stage, stage, 'kept on one of them');
  await gate.arrived(1);
  await press(stage, await newsOf(stage, interaction, /^The provider is at work/m), 'Cancel', member);
  await newsOf(stage, interaction, /^Cancelled\. The provider had already started/m);
  gate.release();
  await answered(interaction);
  // The latest one is asked alone, and it has the result.
  await untilOffered(stage, stage);
  for (let question = 1; question <= QUESTIONS; question += 1) {
    const asked = await answered(discord.invoke({ command: 'quota', member, channel, deliverTo: 'all' }));
    assert.equal(buttonsOf(asked.message).size, 1, `question ${question}: ${asked.text}`);
  }
});

test('options are suggested without a store that falls silent', { skip: postgresMissing ?? false }, async (t) => {
  const database = await createPostgresDatabase();
  const proxy = await createTcpProxy(addressOf(database.url));
  const url = Object.assign(new URL(database.url), { hostname: '127.0.0.1', port: String(proxy.port) }).href;
  const stage = await setStage(t, { environment: { STORE_URL: url } });
  t.after(async () => {
    await proxy.close();
    await database.drop();
  });
  await stage.startBot();
  const suggest = async () => {
    const focused = { name: 'model', text: '' };
    const choices = await stage.discord.autocomplete({ command: 'imagine', member: stage.member, focused });
    return choices.map(({ value }) => value);
  };
  const all = await suggest();
  const everyone = stage.guild.roles.get(stage.guild.id) ?? assert.fail('there is no @everyone');
  await decide(stage, stage, 'access', { role: everyone, models: 'gpt-image-2' });
  assert.deepEqual(await suggest(), ['gpt-image-2']);
  proxy.freeze();
  assert.deepEqual(await suggest(), all);
});
