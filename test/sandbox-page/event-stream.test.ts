import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { connectFakeBot } from './fake-bot.ts';
import { servePage } from './page-fixture.ts';

const messageData = z.looseObject({
  id: z.string(),
  content: z.string(),
  isLoading: z.boolean(),
  isEphemeral: z.boolean(),
});
const hasContent = (content: string) => (data: unknown) => messageData.parse(data).content === content;
const COMMANDS = [
  { name: 'hello', description: 'Say hello' },
  { name: 'admin', description: 'For some', default_member_permissions: '32' },
];

function isQuarterLater(data: unknown): boolean {
  return z.object({ offsetMs: z.number() }).parse(data).offsetMs >= 15 * 60_000;
}

function namesOf(data: unknown): string[] {
  return z
    .array(z.looseObject({ name: z.string() }))
    .parse(data)
    .map(({ name }) => name);
}

describe('what an open page is told', () => {
  it('is everything once, then what changes', async (t) => {
    const page = await servePage(t);
    const { discord, channel, member } = page.stage;
    const bot = await connectFakeBot(discord, { commands: COMMANDS });
    await bot.post(channel.id, { content: 'before' });
    const watched = await page.watch(member.user.id, channel.id);
    const first = z.array(messageData).parse(await watched.find('messages'));
    assert.deepEqual(
      first.map(({ content }) => content),
      ['before'],
    );
    const id = await bot.post(channel.id, { content: 'after' });
    await watched.find('message', hasContent('after'));
    const message = discord.message(id);
    assert.ok(message);
    await page.post('/api/clock', { jump: '15 minutes' });
    await watched.find('clock', isQuarterLater);
    const names = watched.events.map(({ event }) => event);
    assert.equal(names.filter((name) => name === 'messages').length, 1);
    assert.equal(names.filter((name) => name === 'world').length, 1, 'what stays the same is told once');
  });

  it('shows private answers to one person only, and each the commands that are theirs', async (t) => {
    const page = await servePage(t);
    const { discord, channel, member, administrator } = page.stage;
    const answer = { type: 4, data: { content: 'only for mira', flags: 64 } };
    await connectFakeBot(discord, { commands: COMMANDS, answer: () => answer });
    const mira = await page.watch(member.user.id, channel.id);
    const ada = await page.watch(administrator.user.id, channel.id);
    const where = { person: member.user.id, channel: channel.id };
    await page.post('/api/command', { ...where, command: 'hello', options: {} });
    const told = messageData.parse(await mira.find('message', hasContent('only for mira')));
    assert.equal(told.isEphemeral, true);
    await page.post('/api/message', { ...where, content: 'for all', uploads: [] });
    await ada.find('message', hasContent('for all'));
    assert.equal(
      ada.events.some(({ data }) => JSON.stringify(data).includes('only for mira')),
      false,
    );
    assert.deepEqual(namesOf(await mira.find('commands')), ['hello']);
    assert.deepEqual(namesOf(await ada.find('commands')), ['hello', 'admin']);
  });

  it('is nothing for whoever is not in the channel', async (t) => {
    const page = await servePage(t);
    const noor = page.people.find(({ user }) => user.username === 'noor')?.user.id ?? '';
    const [, nightOwls] = page.stage.discord.world.guilds.values();
    const [channel] = nightOwls?.channels.keys() ?? [];
    const url = new URL(
      `/api/events?${new URLSearchParams({ person: noor, channel: channel ?? '' }).toString()}`,
      page.address,
    );
    assert.equal((await fetch(url)).status, 422);
  });
});
