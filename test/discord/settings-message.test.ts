import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeProblem, describeSettings } from '../../src/discord/settings-message.ts';
import { wordsFor } from '../../src/discord/words.ts';
import type { GuildSettings, SettingsChange, SettingsProblem } from '../../src/services/guild-settings.ts';
import { createSettings } from '../services/settings-fixture.ts';

const english = wordsFor('en-US');
const GUILD = '100';
const USD = 1_000_000_000;
const PREVIEWS_OFF = 'Previews of requests for one image: off';

function describeWith(changes: Partial<GuildSettings>, history: readonly SettingsChange[] = []): string {
  return describeSettings(createSettings(changes), { guild: GUILD, defaultBudget: 10 * USD, history }, english);
}

describe('describeSettings', () => {
  it('says what holds where nothing was decided, and whose default it is', () => {
    assert.equal(
      describeWith({}),
      [
        '## Settings',
        'Budget: **$10.00** a month, the default of this bot · warning at 80%',
        'Warnings go nowhere: choose a channel with `/settings log`.',
        PREVIEWS_OFF,
      ].join('\n'),
    );
  });

  it("says what was decided: the server's own budget, its level, and its channel", () => {
    const text = describeWith({ budget: 25 * USD, warningPercent: 50, logChannelId: '7' });
    assert.equal(
      text,
      `## Settings\nBudget: **$25.00** a month · warning at 50%\nWarnings go to <#7>.\n${PREVIEWS_OFF}`,
    );
  });

  it('says whose limits there are, and what is not limited', () => {
    const text = describeWith({
      limits: {
        everyone: { imagesPerDay: 3 },
        roles: { '5': { nanoUsdPerMonth: 2.5 * USD, imagesPerDay: 20 } },
        members: { '9': { nanoUsdPerMonth: 0 }, '10': {} },
      },
    });
    const [, limits] = text.split('\n\n');
    assert.deepEqual(limits?.split('\n').toSorted(), [
      '<@10>: no limit',
      '<@9>: $0.00 a month',
      'Each member: 3 images a day',
      'Each of <@&5>: $2.50 a month · 20 images a day',
    ]);
  });

  it('says what roles may use, @everyone among them', () => {
    const text = describeWith({
      access: { '5': { models: ['gpt-image-2'], qualities: ['low', 'medium'] }, [GUILD]: { countMax: 1 } },
    });
    assert.match(text, /<@&5> may use models gpt-image-2 · qualities low, medium · any count/);
    assert.match(text, /@everyone may use all models · all qualities · up to 1 at once/);
  });

  it('says what holds unless chosen otherwise', () => {
    const text = describeWith({ defaults: { model: 'gpt-image-2', quality: 'low' } });
    assert.match(text, /^Unless chosen otherwise: gpt-image-2 · low$/m);
  });

  it('says whether there are previews, and what they cost', () => {
    const context = { guild: GUILD, defaultBudget: USD, history: [] };
    const lineOf = (previews: boolean, each: number, count: number): string | undefined => {
      const price = { model: 'gpt-image-2', each, count };
      const text = describeSettings(createSettings({ previews }), { ...context, previews: price }, english);
      return text.split('\n').at(-1);
    };
    const what = 'Previews of requests for one image:';
    assert.equal(lineOf(false, 3_000_000, 2), `${what} off · about $0.0030 each with gpt-image-2, two an image`);
    assert.equal(lineOf(true, 4_000_000, 3), `${what} on · about $0.0040 each with gpt-image-2, 3 an image`);
    assert.equal(lineOf(true, 0, 2), `${what} on · nothing more with gpt-image-2`);
    assert.match(describeWith({ previews: true }), /one image: on$/);
  });

  it('says whether finished requests are told as well', () => {
    assert.match(
      describeWith({ logChannelId: '7', logsJobs: true }),
      /^Warnings and every finished request go to <#7>\.$/m,
    );
  });

  it('says who changed what and when', () => {
    const change = { settings: createSettings(), revision: 1 };
    const history = [
      { ...change, what: 'limit', by: '9', at: 2_000 },
      { ...change, what: 'budget', by: '8', at: 1_000 },
    ];
    const lines = describeWith({}, history).split('\n').slice(-3);
    assert.deepEqual(lines, ['-# Latest changes', '-# limit by <@9> <t:2:R>', '-# budget by <@8> <t:1:R>']);
  });
});
