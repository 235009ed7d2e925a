import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeProblem, describeSettings } from '../../src/discord/settings-message.ts';
import { CATALOGUES, wordsFor } from '../../src/discord/words.ts';
import type { GuildSettings, SettingsProblem } from '../../src/services/guild-settings.ts';
import type { SettingsChange } from '../../src/services/guild-settings-store.ts';
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
    assert.equal(lineOf(false, 3_000_000, 2), `${what} off · about $0.0030 each with gpt-image-2, two per image`);
    assert.equal(lineOf(true, 4_000_000, 3), `${what} on · about $0.0040 each with gpt-image-2, 3 per image`);
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

/** Every problem that there is, by its name, so that none can be added without words. */
const problems: {
  readonly [Name in SettingsProblem['problem']]: readonly (SettingsProblem & { readonly problem: Name })[];
} = {
  'not-an-amount': [{ problem: 'not-an-amount', example: '25.00' }],
  'above-ceiling': [{ problem: 'above-ceiling', max: 50 * USD }],
  'nothing-said': [{ problem: 'nothing-said' }],
  'nothing-said-access': [{ problem: 'nothing-said-access' }],
  'nothing-said-limit': [{ problem: 'nothing-said-limit' }],
  'nothing-said-log': [{ problem: 'nothing-said-log' }],
  'member-and-role': [{ problem: 'member-and-role' }],
  'not-a-size': [{ problem: 'not-a-size' }],
  'limits-full': [{ problem: 'limits-full', max: 200 }],
  'access-rules-full': [{ problem: 'access-rules-full', max: 50 }],
  'unknown-name': (['model', 'quality', 'format'] as const).map((kind) => ({
    problem: 'unknown-name',
    kind,
    name: '<@1> `x`',
    known: ['first', 'second'],
  })),
};

function told(problem: SettingsProblem, locale = 'en-US'): string {
  return describeProblem(problem, wordsFor(locale));
}

describe('describeProblem', () => {
  const all: readonly SettingsProblem[] = Object.values(problems).flat();

  it('has words of its own for every problem in every language, and says that nothing was changed', () => {
    for (const words of [...CATALOGUES.keys()].map(wordsFor)) {
      const texts = all.map((problem) => describeProblem(problem, words));
      const unchanged = words.say('settings.unchanged');
      for (const [index, text] of texts.entries()) {
        const label = `${words.locale}: ${text}`;
        assert.ok(text.endsWith(unchanged) && text.length > unchanged.length, label);
        assert.doesNotMatch(text, /\bundefined\b|\bnull\b|NaN|[{}]| {2}/, label);
        const inEnglish = describeProblem(all[index] ?? assert.fail(), english);
        if (!words.locale.startsWith('en')) assert.notEqual(text, inEnglish, label);
      }
      assert.equal(new Set(texts).size, texts.length, words.locale);
    }
  });

  it('names the numbers, the example and the options that mend it', () => {
    assert.match(told({ problem: 'above-ceiling', max: 50 * USD }), /up to \$50\.00 a month\. Nothing was changed\.$/);
    assert.match(told({ problem: 'not-an-amount', example: '2.50' }), /`2\.50`/);
    assert.match(told({ problem: 'limits-full', max: 200 }), /200 limits.*`clear`/);
    assert.match(told({ problem: 'limits-full', max: 200 }, 'de'), /200.*`zurücknehmen`/);
  });

  it('shows what was typed as the text that it is', () => {
    for (const problem of problems['unknown-name']) {
      const text = describeProblem(problem, english);
      assert.match(text, /`<\u200B@\u200B1> 'x'`/, 'in code, out of which nothing leads');
      assert.match(text, /first, second/);
    }
  });
});
