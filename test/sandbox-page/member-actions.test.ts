import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { z } from 'zod';
import type { FakeBot, FakeBotOptions } from './fake-bot.ts';
import { connectFakeBot } from './fake-bot.ts';
import type { ServedPage } from './page-fixture.ts';
import { servePage } from './page-fixture.ts';

const COMMANDS = [
  {
    name: 'paint',
    description: 'Paint something',
    options: [
      { type: 3, name: 'prompt', description: 'What', required: true },
      { type: 3, name: 'model', description: 'Model', autocomplete: true },
      { type: 11, name: 'picture', description: 'A picture' },
      { type: 6, name: 'friend', description: 'Somebody' },
    ],
  },
  { name: 'settings', description: 'Settings', default_member_permissions: '32', contexts: [0] },
  { type: 3, name: 'Paint this' },
];

const MODAL = {
  type: 9,
  data: {
    custom_id: 'form',
    title: 'A form',
    components: [
      { type: 18, label: 'Words', component: { type: 4, custom_id: 'words', style: 2, value: 'before' } },
      {
        type: 18,
        label: 'Colour',
        component: {
          type: 3,
          custom_id: 'colour',
          options: [
            { label: 'Red', value: 'red' },
            { label: 'Blue', value: 'blue' },
          ],
        },
      },
      { type: 18, label: 'Files', component: { type: 19, custom_id: 'files', required: false } },
    ],
  },
};
const REPLY = { type: 4, data: { content: 'Done.' } };

function option(value: string): object {
  return { label: value, value };
}

type Scene = { readonly page: ServedPage; readonly bot: FakeBot; readonly mira: { person: string; channel: string } };

async function setScene(t: TestContext, options: FakeBotOptions = {}): Promise<Scene> {
  const page = await servePage(t);
  const bot = await connectFakeBot(page.stage.discord, { commands: COMMANDS, answer: () => REPLY, ...options });
  return { page, bot, mira: { person: page.stage.member.user.id, channel: page.stage.channel.id } };
}

async function uploadTo({ address }: ServedPage, text: string, filename: string): Promise<string> {
  const url = new URL(`/api/uploads?filename=${filename}`, address);
  const answer = await fetch(url, { method: 'POST', headers: { origin: url.origin }, body: text });
  return z.object({ id: z.string() }).parse(await answer.json()).id;
}

describe('what people do on the page', () => {
  it('sends a command with plain values, uploads and members', async (t) => {
    const { page, bot, mira } = await setScene(t);
    const upload = await uploadTo(page, 'a picture', 'fox.png');
    const friend = page.stage.administrator.user.id;
    const options = { prompt: 'a fox', picture: { upload }, friend: { entity: friend } };
    const { status, body } = await page.post('/api/command', { ...mira, command: 'paint', options });
    assert.equal(status, 200);
    assert.equal(z.looseObject({ answer: z.string() }).parse(body).answer, 'replied');
    const values = bot.interactions[0]?.data.options?.map(({ name, value }) => [name, value]);
    assert.deepEqual(values, [
      ['prompt', 'a fox'],
      ['picture', upload],
      ['friend', friend],
    ]);
  });

  it('is refused what Discord’s own client would not let through', async (t) => {
    const { page, bot, mira } = await setScene(t);
    const send = async (action: object): Promise<number> =>
      (await page.post('/api/command', { ...mira, ...action })).status;
    assert.equal(await send({ command: 'paint', options: {} }), 422);
    assert.equal(await send({ command: 'settings', options: {} }), 422, 'hidden from members');
    assert.equal(await send({ command: 'paint', options: { prompt: 'x', picture: { upload: '1' } } }), 422);
    assert.equal(await send({ channel: '1', command: 'paint', options: { prompt: 'x' } }), 422, 'not in that channel');
    assert.equal(await send({ command: 'paint', options: { prompt: 'x' }, more: true }), 400);
    assert.equal(bot.interactions.length, 0);
  });

  it('asks the bot for suggestions', async (t) => {
    const choices = [{ name: 'Sunburst', value: 'sunburst' }];
    const { page, mira } = await setScene(t, { answer: () => ({ type: 8, data: { choices } }) });
    const focused = { name: 'model', text: 'su' };
    const { body } = await page.post('/api/autocomplete', { ...mira, command: 'paint', options: {}, focused });
    assert.deepEqual(body, choices);
  });

  it('fills in a form that the bot opens', async (t) => {
    const { page, bot, mira } = await setScene(t, { answer: ({ type }) => (type === 2 ? MODAL : REPLY) });
    const opened = await page.post('/api/command', { ...mira, command: 'paint', options: { prompt: 'x' } });
    const { interaction, modal } = z
      .looseObject({ interaction: z.string(), modal: z.looseObject({ title: z.string() }) })
      .parse(opened.body);
    assert.equal(modal.title, 'A form');
    const upload = await uploadTo(page, 'a picture', 'fox.png');
    const answers = { words: 'after', colour: { values: ['blue'] }, files: { uploads: [upload] } };
    assert.equal((await page.post('/api/modal', { ...mira, interaction, answers })).status, 200);
    const told = JSON.stringify(bot.interactions[1]?.data.components);
    for (const part of ['after', 'blue', upload]) assert.match(told, new RegExp(part));
  });

  it('uses buttons, selects and the commands of messages', async (t) => {
    const { page, bot, mira } = await setScene(t);
    const message = await bot.post(mira.channel, {
      flags: 1 << 15,
      components: [
        { type: 1, components: [{ type: 2, style: 1, custom_id: 'again', label: 'Again' }] },
        { type: 1, components: [{ type: 3, custom_id: 'pick', options: [option('one'), option('two')] }] },
        { type: 1, components: [{ type: 5, custom_id: 'whom' }] },
      ],
    });
    const friend = page.stage.administrator.user.id;
    await page.post('/api/button', { ...mira, message, customId: 'again' });
    await page.post('/api/select', { ...mira, message, customId: 'pick', chosen: { values: ['two'] } });
    await page.post('/api/select', { ...mira, message, customId: 'whom', chosen: { entities: [friend] } });
    await page.post('/api/messageMenu', { ...mira, message, command: 'Paint this' });
    assert.deepEqual(
      bot.interactions.map(({ data }) => [data.custom_id ?? data.name, data.values?.[0] ?? data.target_id]),
      [
        ['again', undefined],
        ['pick', 'two'],
        ['whom', friend],
        ['Paint this', message],
      ],
    );
  });

  it('hears after three seconds that nobody answered', async (t) => {
    const { page, mira } = await setScene(t, { answer: () => undefined });
    const { status, body } = await page.post('/api/command', { ...mira, command: 'paint', options: { prompt: 'x' } });
    assert.equal(status, 200);
    assert.equal(z.looseObject({ answer: z.string() }).parse(body).answer, 'none');
  });

  it('posts words and files of their own, in a channel and to the bot alone', async (t) => {
    const { page, mira } = await setScene(t);
    const { discord, member } = page.stage;
    const uploads = [await uploadTo(page, 'a picture', 'fox.png')];
    assert.equal((await page.post('/api/message', { ...mira, content: 'look', uploads })).status, 200);
    const direct = discord.world.directChannel(member.user).id;
    assert.equal(
      (await page.post('/api/message', { ...mira, channel: direct, content: 'psst', uploads: [] })).status,
      200,
    );
    assert.equal((await page.post('/api/message', { ...mira, content: '', uploads: [] })).status, 422);
    assert.deepEqual(
      discord.channelMessages(page.stage.channel).map(({ content }) => content),
      ['look'],
    );
    assert.deepEqual(
      discord.directMessages(member.user).map(({ content }) => content),
      ['psst'],
    );
  });
});
