import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { MESSAGE_FLAG } from '../../sandbox/discord/message-schema.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { photograph } from '../fixtures/pictures.ts';
import { fillIn, press, pressThrough } from './conversation.ts';
import { answered, ask, askSettings, courseOf, picturesOf } from './requests.ts';
import { callsFor, judge } from './judgement.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const MASK_SIZE = { width: 256, height: 256 };

/** An interaction as it would be written by somebody who knows less of Discord. */
type Written = Record<string, unknown>;

const without =
  (...names: readonly string[]) =>
  (interaction: Written): Written =>
    Object.fromEntries(Object.entries(interaction).filter(([name]) => !names.includes(name)));
const withOther =
  (others: Written) =>
  (interaction: Written): Written => ({ ...interaction, ...others });

const changeMember =
  (others: Written) =>
  (interaction: Written): Written => ({ ...interaction, member: { ...Object(interaction['member']), ...others } });

/** The options as these, whatever the member filled in. */
const withOptions =
  (...options: readonly Written[]) =>
  (interaction: Written): Written => ({ ...interaction, data: { ...Object(interaction['data']), options } });

/** Has interactions written in another way for as long as a test goes on. */
function writeWith(t: TestContext, { discord: { gateway } }: Stage, write: (interaction: Written) => Written): void {
  const { writeInteraction } = gateway;
  t.after(() => Object.assign(gateway, { writeInteraction }));
  gateway.writeInteraction = (interaction) => write(Object(interaction));
}

describe('what an interaction lacks does not cost anybody the picture', () => {
  const shared = shareStage({ provider: plainPictures });
  const incomplete: [string, (interaction: Written) => Written][] = [
    ['no limit of uploads', without('attachment_size_limit')],
    ['a limit that is none', withOther({ attachment_size_limit: null })],
    ['a limit in words', withOther({ attachment_size_limit: '10485760' })],
    ['a limit of nothing', withOther({ attachment_size_limit: 0 })],
    ['no application', without('application_id')],
    ['no languages', without('locale', 'guild_locale')],
    ['no channel but its id', without('channel')],
    ['no entitlements', without('entitlements')],
    ['nobody who installed it', without('authorizing_integration_owners')],
    ['no rights of the bot', withOther({ app_permissions: null })],
    ['a member without roles', changeMember({ roles: null })],
    ['rights that are a number', changeMember({ permissions: 8 })],
    ['languages that are none', withOther({ locale: null, guild_locale: 7 })],
  ];

  for (const [name, write] of incomplete) {
    test(name, async (t) => {
      const { stage } = shared();
      writeWith(t, stage, write);
      const answer = await ask(stage, addServer(stage), 'imagine', { prompt: `a heron: ${name}` });
      assert.equal(picturesOf(answer).length, 1);
      assert.equal(courseOf(stage, answer.interaction), 'reserve dispatch post');
      judge(stage);
    });
  }
});

/** What Discord leaves out where there is none of it, or where nothing was chosen. */
const LEFT_OUT = [
  'message entitlements context guild_id resolved options components component target_id values value focused',
  'public_flags avatar_decoration_data bot system nick avatar communication_disabled_until',
  'flags embeds activity application message_reference thread',
].flatMap((names) => names.split(' '));

/** The same with null in each of these places, however deep, and for lists of nothing. */
function withNulls(written: Written): Written {
  const nulls = LEFT_OUT.map((name) => [name, null]);
  return Object.fromEntries([...nulls, ...Object.entries(written).map(([name, part]) => [name, withNullsIn(part)])]);
}

function withNullsIn(part: unknown): unknown {
  if (Array.isArray(part)) return part.length === 0 ? null : part.map(withNullsIn);
  return typeof part === 'object' && part !== null ? withNulls({ ...part }) : part;
}

describe('null, where Discord leaves something out, is nothing', () => {
  const shared = shareStage({ provider: plainPictures });
  test('in a command, and in one within another', async (t) => {
    const { stage } = shared();
    const server = addServer(stage);
    writeWith(t, stage, withNulls);
    picturesOf(await ask(stage, server, 'imagine', { prompt: 'a heron' }));
    assert.match((await askSettings(stage, server, 'show')).text, /Budget/);
    assert.match((await ask(stage, server, 'quota')).text, /You have made 1 image/);
    judge(stage);
  });

  test('under a result, and in the form that opens there', async (t) => {
    const { stage } = shared();
    const server = addServer(stage);
    writeWith(t, stage, withNulls);
    const first = await ask(stage, server, 'imagine', { prompt: 'a crane' });
    const opened = await press(stage, first.message, 'Edit', server.member);
    picturesOf(await answered(await fillIn(stage, opened, server.member, { prompt: 'a crane with a hat' })));
    picturesOf(await pressThrough(stage, first.message, 'Vary', server.member));
    judge(stage);
  });

  test('in the menu of a message, and in the form that opens there', async (t) => {
    const { stage } = shared();
    const server = addServer(stage);
    const bytes = await photograph(MASK_SIZE).png().toBuffer();
    const photo = stage.discord.uploadAttachment({ bytes, filename: 'photo.png' });
    const message = stage.discord.postAsMember({ member: server.administrator, attachments: [photo] });
    writeWith(t, stage, withNulls);
    const opened = stage.discord.messageMenu({ command: 'Edit image', member: server.member, message });
    await opened.acknowledged();
    picturesOf(await answered(await fillIn(stage, opened, server.member, { prompt: 'a photo with a hat' })));
    judge(stage);
  });
});

describe('options that Discord would not have sent', () => {
  const shared = shareStage({ provider: plainPictures });
  const prompt = 'a stork';
  const asked = { name: 'prompt', type: 3, value: prompt };
  const unusable: [string, Written, string][] = [
    ['half a picture', { name: 'count', type: 4, value: 1.5 }, 'count'],
    ['less than no picture', { name: 'count', type: 4, value: -1 }, 'count'],
    ['more pictures than there may be', { name: 'count', type: 4, value: 9 }, 'count'],
    ['a number in words', { name: 'count', type: 3, value: 'two' }, 'count'],
    ['a choice that there is not', { name: 'quality', type: 3, value: 'best' }, 'quality'],
    ['a picture that does not come along', { name: 'reference', type: 11, value: '1573782598100975757' }, 'reference'],
  ];

  for (const [name, option, shown] of unusable) {
    test(`${name}: refused before anything is held`, async (t) => {
      const { stage } = shared();
      writeWith(t, stage, withOptions(asked, option));
      const { interaction, text } = await ask(stage, addServer(stage), 'imagine', { prompt });
      assert.match(text, new RegExp(`cannot use what came for \`${shown}\`. Nothing was done and nothing charged`));
      assert.equal(courseOf(stage, interaction), '');
      assert.deepEqual(callsFor(stage, prompt), []);
    });
  }

  test('an edit without its picture is not made from words instead', async (t) => {
    const { stage } = shared();
    const image = { name: 'image', type: 11, value: '1573782598100975757' };
    writeWith(t, stage, (interaction) => ({
      ...interaction,
      data: { id: '1', name: 'edit', type: 1, options: [{ ...asked, value: 'a stork at night' }, image] },
    }));
    const { interaction, text } = await ask(stage, addServer(stage), 'imagine', { prompt });
    assert.match(text, /cannot use what came for `image`/);
    assert.equal(courseOf(stage, interaction), '');
    assert.deepEqual(callsFor(stage, 'a stork at night'), []);
  });

  test('what is only written differently is understood, and booked as what it is', async (t) => {
    const { stage } = shared();
    const written = { name: 'count', type: 3, value: '2' };
    writeWith(
      t,
      stage,
      withOptions({ name: 'prompt', value: 'two storks' }, written, { name: 'private', value: 'true' }),
    );
    const answer = await ask(stage, addServer(stage), 'imagine', { prompt: 'two storks' });
    assert.equal(picturesOf(answer).length, 2);
    assert.ok((answer.message.flags & MESSAGE_FLAG.ephemeral) !== 0);
    judge(stage);
  });
});

test('a form that comes without the mask that it names changes nothing of the picture', async (t) => {
  const stage = await setStage(t);
  await stage.startBot();
  const server = addServer(stage);
  const mask = stage.discord.uploadAttachment({
    bytes: await photograph(MASK_SIZE).png().toBuffer(),
    filename: 'm.png',
  });
  const first = await ask(stage, server, 'imagine', { prompt: 'a crane' });
  const opened = await press(stage, first.message, 'Edit', server.member);
  writeWith(t, stage, (interaction) => ({
    ...interaction,
    data: { ...Object(interaction['data']), resolved: undefined },
  }));
  const answers = { prompt: 'a masked crane', mask: [mask] };
  const { text } = await answered(await fillIn(stage, opened, server.member, answers));
  assert.match(text, /Something went wrong.*You were not charged/);
  assert.deepEqual(callsFor(stage, 'a masked crane'), []);
});
