import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { photograph } from '../fixtures/pictures.ts';
import { callsFor, judge } from './judgement.ts';
import { ask, picturesOf } from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';

const PROMPT_LENGTH_MAX = 4_000;
const NOBODY = { users: [], roles: [], everyone: false };
/** What Discord leaves of a text once it has taken the marks of formatting away. */
const INVISIBLE = /[\\\u200B]/g;

/** The texts of a message, as they were sent. */
function sentTexts({ components }: EmulatedMessage): string[] {
  return [...JSON.stringify(components).matchAll(/"content":("(?:[^"\\]|\\.)*")/g)].map(([, content = '""']) =>
    String(JSON.parse(content)),
  );
}

describe('words that somebody typed', () => {
  const shared = shareStage();

  test('notify nobody, even where the bot could notify everybody', async () => {
    const { stage } = shared();
    const { world } = stage.discord;
    const server = addServer(stage);
    server.guild.botPermissions |= 1n << 17n;
    const role = world.addRole(server.guild, { name: 'painters', mentionable: true });
    const somebody = world.addMember(server.guild, { username: 'somebody' });
    const prompt = `@everyone @here <@${somebody.user.id}> <@!${somebody.user.id}> <@&${role.id}> <#${server.channel.id}>`;
    const answers = [
      await ask(stage, server, 'imagine', { prompt }),
      // The same words in a refusal, through the option that takes any text.
      await ask(stage, server, 'imagine', { prompt, model: prompt.slice(0, 100) }),
      await ask(stage, server, 'imagine', { prompt, size: '@everyone' }),
      await ask(stage, server, 'quota'),
    ];
    for (const { message } of answers) {
      for (const { pings } of message.history) assert.deepEqual(pings, NOBODY);
      const text = sentTexts(message).join('\n');
      const mentioned = [...text.matchAll(/<@[!&]?\d+>|@(?:everyone|here)\b/g)].map(([mention]) => mention);
      assert.deepEqual(
        mentioned.filter((mention) => mention !== `<@${server.member.user.id}>`),
        [],
        text,
      );
    }
  });

  const texts: Record<string, string> = {
    formatting: '# Title **bold** _it_ ~~gone~~ `code` ||hidden|| > quote',
    'a link with a false face': '[your bank](https://evil.example) <https://evil.example>',
    'letters that turn the line around': '\u202Egnp.exe\u202C and \u2067hidden\u2069',
    'a block of code that is never closed': '```js\nalert(1)',
    'a list': '- one\n1. two\n* three',
    'pictures made of letters': '🦊👩‍👩‍👧‍👦 ﷽ Z͑ͫa̴l͆g̸o',
  };
  for (const [name, prompt] of Object.entries(texts)) {
    test(`are shown as they are: ${name}`, async () => {
      const { stage } = shared();
      const { message } = await ask(stage, addServer(stage), 'imagine', { prompt });
      const [shown = ''] = sentTexts(message);
      assert.equal(shown.replaceAll(INVISIBLE, ''), prompt.replaceAll(INVISIBLE, ''));
      // Every mark that could begin formatting has a backslash before it or an invisible character behind it.
      assert.doesNotMatch(shown, /(?<!\\)(?:\*|_|~~|`|\|\|)|^(?:#|>|-|\d+\.) |<(?!\u200B)/m);
      assert.equal(callsFor(stage, prompt).length, 1, 'the provider gets them untouched');
    });
  }

  test('may be as many as the option takes', async () => {
    const { stage } = shared();
    const prompts = ['*'.repeat(PROMPT_LENGTH_MAX), '@'.repeat(PROMPT_LENGTH_MAX), '🦊'.repeat(PROMPT_LENGTH_MAX / 2)];
    for (const prompt of prompts) {
      const answer = await ask(stage, addServer(stage), 'imagine', { prompt });
      assert.equal(picturesOf(answer).length, 1);
      assert.equal(callsFor(stage, prompt).length, 1, 'nothing is cut off for the provider');
    }
  });

  test('in the name of a file are never used', async () => {
    const { stage } = shared();
    const bytes = await photograph({ width: 160, height: 120 }).png().toBuffer();
    const names = ['../../etc/cron.d/easel', '\u202Egnp.exe', `${'a'.repeat(5 * 1024)}.png`, 'a"\r\nX: y.png', 'CON'];
    for (const filename of names) {
      const image = stage.discord.uploadAttachment({ bytes, filename });
      const prompt = `a file called ${filename.slice(0, 40)}`;
      const { interaction, message, text } = await ask(stage, addServer(stage), 'edit', { prompt, image });
      assert.deepEqual(
        message.shownAttachments.map((attachment) => attachment.filename),
        [`${interaction.id}-1.png`],
        text,
      );
      assert.deepEqual(
        callsFor(stage, prompt).flatMap(({ files }) => files.map((file) => file.filename)),
        ['input-0.png'],
      );
    }
  });

  test('afterwards the books are whole', () => {
    const { stage } = shared();
    assert.equal(judge(stage).posted, stage.provider.bills.length);
  });
});
