import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import { collectText } from '../../sandbox/discord/component-tree.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import type { OptionValues } from '../../sandbox/discord/option-values.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import { buttonsOf } from './conversation.ts';
import { DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import { courseOf, decide, imagine } from './requests.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const WAIT_MS_MAX = 30_000;

describe('the language of a member', { concurrency: 1 }, () => {
  const shared = shareStage({ provider: plainPictures, auditedBudget: DEFAULT_BUDGET_NANO_USD });

  it('is that of results and their buttons', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const spoken = [
      {
        locale: 'de',
        buttons: ['Bearbeiten', 'Variieren', 'Noch einmal', 'Löschen'],
        words: /Bild-Tokens.*\n│ -# Für <@/,
      },
      {
        locale: 'ja',
        buttons: ['編集', 'バリエーション', 'もう一度', '削除'],
        words: /画像トークン \d+.*\n│ -# 依頼: <@/,
      },
      { locale: 'en-GB', buttons: ['Edit', 'Vary', 'Again', 'Delete'], words: /image tokens.*\n│ -# For <@/ },
      { locale: 'ko', buttons: ['Edit', 'Vary', 'Again', 'Delete'], words: /image tokens.*\n│ -# For <@/ },
    ];
    for (const { locale, buttons, words } of spoken) {
      const member = stage.discord.world.addMember(server.guild, { locale });
      const invoked = imagine(stage, { ...server, member }, `a fox for ${locale}`, { quality: 'low' });
      const message = await messageWhere(invoked, ({ shownAttachments }) => shownAttachments.length > 0);
      assert.match(renderMessage(message), words);
      assert.deepEqual([...buttonsOf(message).keys()], buttons);
    }
  });

  it('is that of refusals, down to the options as the member sees them, and nothing is touched', async () => {
    const { stage } = shared();
    const { discord } = stage;
    const server = addServer(stage);
    const size = { prompt: 'a fox that is too small', size: '16x16' };
    const inherited = { prompt: 'a fox of no size', size: 'constructor' };
    const jpeg = { prompt: 'a fox that is not there', background: 'transparent', format: 'jpeg' };
    const expected: readonly (readonly [locale: string, options: OptionValues, text: RegExp])[] = [
      ['de', size, /unterstützt `größe`: `16x16` nicht\..* Dir wurde nichts berechnet\.\n-# Referenz: `\w+`$/],
      ['ja', size, /`サイズ` の `16x16` に対応していません。.*料金は発生していません。\n-# 参照番号: `\w+`$/],
      ...(['de', 'fr', 'es-ES', 'pt-BR', 'ja'] as const).map((locale) => [locale, inherited, /`constructor`/] as const),
      ['ko', size, /does not support size `16x16`\..* You were not charged\.\n-# Reference: `\w+`$/],
      [
        'de',
        jpeg,
        /^JPEG-Bilder können nicht durchsichtig sein\..* Dir wurde nichts berechnet\.\n-# Referenz: `\w+`$/m,
      ],
      ['ja', jpeg, /^JPEG画像は透明にできません。.*料金は発生していません。\n-# 参照番号: `\w+`$/m],
    ];
    for (const [locale, options, text] of expected) {
      const member = discord.world.addMember(server.guild, { locale });
      const invoked = discord.invoke({ command: 'imagine', member, channel: server.channel, options });
      const message = await messageWhere(invoked, (shown) => /`\w+`$/.test(renderMessage(shown)));
      assert.match(renderMessage(message), text);
      assert.equal(courseOf(stage, invoked), '');
    }
  });

  it('is not that of the log channel, which speaks the language of the server', async () => {
    const { stage } = shared();
    const { discord } = stage;
    const server = addServer(stage, { locale: 'de' });
    const channel = discord.world.addChannel(server.guild, { name: 'log' });
    await decide(stage, server, 'budget', { usd: '5', warning_percent: 1 });
    await decide(stage, server, 'log', { channel, jobs: true });
    const member = discord.world.addMember(server.guild, { locale: 'ja' });
    for (const count of [1, 4]) imagine(stage, { ...server, member }, `${count} badgers`, { count, quality: 'medium' });
    const told = (): string => discord.channelMessages(channel).map(renderMessage).join('\n');
    const expected = [
      new RegExp(`^Hier erscheinen ab jetzt Warnungen .*<@${server.administrator.user.id}> so festgelegt\\.$`, 'm'),
      new RegExp(`^<@${member.user.id}> hat ein Bild gemacht:`, 'm'),
      new RegExp(`^<@${member.user.id}> hat 4 Bilder gemacht:`, 'm'),
      /^\*\*Budget-Warnung:\*\* \$0\.\d{4} von \$5\.00, die dieser Server für Bilder hat, sind verbraucht\./m,
    ];
    await discord.waitFor(() => expected.every((pattern) => pattern.test(told())), WAIT_MS_MAX);
  });
});

describe('news of a job', () => {
  it('come in the language of each who waits, and count as it does', async (t) => {
    const stage = await setStage(t, { environment: { PROVIDER_CONCURRENCY: '1' } });
    await stage.startBot();
    const server = addServer(stage);
    const gate = stage.provider.holdAnswers();
    const expected: readonly (readonly [locale: string, news: RegExp])[] = [
      ['de', /^Der Anbieter ist an der Arbeit; er hat <t:\d+:R> angefangen\.$/m],
      ['fr', /; ta demande est la prochaine\./],
      ['de', /; 1 Anfrage ist vor deiner dran\./],
      ['de', /; 2 Anfragen sind vor deiner dran\./],
      ['ja', /あなたの前に3件の依頼があります。/],
      ['ko', /; 4 requests are before yours\./],
    ];
    const interactions: InteractionHandle[] = [];
    for (const [index, [locale, news]] of expected.entries()) {
      const member = stage.discord.world.addMember(server.guild, { locale });
      const interaction = imagine(stage, { ...server, member }, `fox ${index}`, { quality: 'low' });
      interactions.push(interaction);
      // Who has been told of their place has it, so the next one comes behind.
      await stage.discord.waitFor(
        () => interaction.history.some((shown) => news.test(collectText(shown))),
        WAIT_MS_MAX,
      );
    }
    gate.release();
    for (const interaction of interactions) {
      await messageWhere(interaction, ({ shownAttachments }) => shownAttachments.length > 0);
    }
  });
});

/** What ends a request, told by what is in it and not by words. */
async function messageWhere(
  interaction: InteractionHandle,
  where: (message: EmulatedMessage) => boolean,
): Promise<EmulatedMessage> {
  return interaction.finalMessage({ timeoutMs: WAIT_MS_MAX, where });
}
