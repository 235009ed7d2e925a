import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SettingsEdit } from '../../src/commands/settings-edits.ts';
import { IMAGE_FORMATS, QUALITIES } from '../../src/services/providers/image-provider.ts';
import {
  ACCESS_RULES_MAX,
  editAccess,
  editBudget,
  editDefaults,
  editLimit,
  editLog,
  editPreviews,
  LIMITS_MAX,
} from '../../src/commands/settings-edits.ts';
import type { GuildSettings, SettingsProblem } from '../../src/services/guild-settings.ts';
import { createSettings } from '../services/settings-fixture.ts';

const USD = 1_000_000_000;
const known = ['gpt-image-2', 'gpt-image-1.5'];

const budget = (asked: Partial<Parameters<typeof editBudget>[0]>): SettingsEdit =>
  editBudget({ usd: undefined, warningPercent: undefined, isCleared: false, max: undefined, ...asked });
const limit = (asked: Partial<Parameters<typeof editLimit>[0]>): SettingsEdit =>
  editLimit({
    member: undefined,
    role: undefined,
    usd: undefined,
    imagesPerDay: undefined,
    isCleared: false,
    ...asked,
  });
const access = (asked: Partial<Parameters<typeof editAccess>[0]>): SettingsEdit =>
  editAccess({
    role: 'painter',
    models: undefined,
    qualities: undefined,
    countMax: undefined,
    isCleared: false,
    known,
    ...asked,
  });
const log = (asked: Partial<Parameters<typeof editLog>[0]>): SettingsEdit =>
  editLog({ channelId: undefined, logsJobs: undefined, isCleared: false, ...asked });
const defaults = (asked: Partial<Parameters<typeof editDefaults>[0]>): SettingsEdit =>
  editDefaults({
    model: undefined,
    size: undefined,
    quality: undefined,
    format: undefined,
    isCleared: false,
    known,
    ...asked,
  });

/** The settings after an edit, as they are stored: what is left open is not there. */
function after(edit: SettingsEdit, before: GuildSettings = createSettings()): GuildSettings {
  const edited = apply(edit, before);
  assert.ok(!('problem' in edited), JSON.stringify(edited));
  const stored: GuildSettings = JSON.parse(JSON.stringify(edited));
  return stored;
}

function apply(edit: SettingsEdit, before: GuildSettings): GuildSettings | SettingsProblem {
  assert.ok('apply' in edit, JSON.stringify(edit));
  return edit.apply(before);
}

function problemOf(edit: SettingsEdit): SettingsProblem {
  assert.ok('problem' in edit, 'this should not be possible');
  return edit;
}

describe('the budget', () => {
  it('is set in dollars, with the level or without', () => {
    assert.deepEqual(after(budget({ usd: '25.00' })), createSettings({ budget: 25 * USD }));
    assert.deepEqual(after(budget({ usd: ' $0 ' })), createSettings({ budget: 0 }));
    const both = createSettings({ budget: 2.5 * USD, warningPercent: 50 });
    assert.deepEqual(after(budget({ usd: '$2.5', warningPercent: 50 })), both);
    assert.deepEqual(after(budget({ warningPercent: 90 }), both), { ...both, warningPercent: 90 });
    assert.deepEqual(after(budget({ usd: '3' }), both), { ...both, budget: 3 * USD });
  });

  it('is cleared with its level, or replaced in the same breath', () => {
    const before = createSettings({ budget: USD, warningPercent: 50 });
    assert.deepEqual(after(budget({ isCleared: true }), before), createSettings());
    assert.deepEqual(after(budget({ isCleared: true, usd: '2' }), before), createSettings({ budget: 2 * USD }));
  });

  it('is not changed by what is no amount, by nothing, or beyond what the operator allows', () => {
    for (const usd of ['', 'ten', '-1', '1,50', '1.0000000001', '1e3', '10000000']) {
      assert.deepEqual(problemOf(budget({ usd })), { problem: 'not-an-amount', example: '25.00' }, usd);
    }
    assert.deepEqual(problemOf(budget({})), { problem: 'nothing-said' });
    const max = 20 * USD;
    assert.deepEqual(problemOf(budget({ usd: '20.01', max })), { problem: 'above-ceiling', max });
    assert.deepEqual(after(budget({ usd: '20', max })), createSettings({ budget: max }));
  });
});

describe('limits', () => {
  it('are those of a member, of a role, or of each member', () => {
    const one = { nanoUsdPerMonth: 2 * USD };
    const none = { roles: {}, members: {} };
    assert.deepEqual(
      after(limit({ member: 'mira', usd: '2' })),
      createSettings({ limits: { ...none, members: { mira: one } } }),
    );
    assert.deepEqual(
      after(limit({ role: 'painter', usd: '2' })),
      createSettings({ limits: { ...none, roles: { painter: one } } }),
    );
    assert.deepEqual(
      after(limit({ usd: '2', imagesPerDay: 0 })),
      createSettings({ limits: { ...none, everyone: { ...one, imagesPerDay: 0 } } }),
    );
  });

  const places = [
    { whose: { member: 'mira' }, limitIn: ({ limits }: GuildSettings) => limits.members['mira'] },
    { whose: { role: 'painter' }, limitIn: ({ limits }: GuildSettings) => limits.roles['painter'] },
    { whose: {}, limitIn: ({ limits }: GuildSettings) => limits.everyone },
  ] as const;
  for (const place of places) {
    const { whose, limitIn } = place;
    it(`add to what was decided, are replaced, and are cleared, and leave others alone: ${JSON.stringify(whose)}`, () => {
      const five = { imagesPerDay: 5 };
      const before = createSettings({ limits: { everyone: five, roles: { painter: five }, members: { mira: five } } });
      const changes = [
        { asked: { usd: '1' }, limit: { nanoUsdPerMonth: USD, imagesPerDay: 5 } },
        { asked: { imagesPerDay: 6 }, limit: { imagesPerDay: 6 } },
        { asked: { usd: '1', isCleared: true }, limit: { nanoUsdPerMonth: USD } },
        { asked: { isCleared: true }, limit: undefined },
      ];
      for (const change of changes) {
        const edited = after(limit({ ...whose, ...change.asked }), before);
        assert.deepEqual(limitIn(edited), change.limit);
        for (const other of places) if (other !== place) assert.deepEqual(other.limitIn(edited), five);
      }
    });
  }

  it('cannot be what is no amount, or nothing, or for a member and a role at once', () => {
    assert.deepEqual(problemOf(limit({ usd: 'some' })), { problem: 'not-an-amount', example: '2.50' });
    assert.deepEqual(problemOf(limit({ member: 'mira' })), { problem: 'nothing-said-limit' });
    const both = limit({ member: 'mira', role: 'painter', usd: '1' });
    assert.deepEqual(problemOf(both), { problem: 'member-and-role' });
  });

  it('are no more than so many', () => {
    const limits = { roles: { painter: {} }, members: numbered(LIMITS_MAX - 1) };
    const full = createSettings({ limits });
    const refused = { problem: 'limits-full', max: LIMITS_MAX };
    for (const whose of [{ member: 'mira' }, { role: 'printer' }]) {
      assert.deepEqual(apply(limit({ ...whose, usd: '1' }), full), refused);
    }
    assert.deepEqual(after(limit({ role: 'painter', usd: '1' }), full).limits.roles, {
      painter: { nanoUsdPerMonth: USD },
    });
    const cleared = after(limit({ role: 'painter', isCleared: true }), full);
    assert.deepEqual(after(limit({ member: 'mira', imagesPerDay: 1 }), cleared).limits.members['mira'], {
      imagesPerDay: 1,
    });
  });
});

describe('rules of access', () => {
  it('list what a role may use, each name once', () => {
    const rule = { models: ['gpt-image-2', 'gpt-image-1.5'], qualities: ['low'], countMax: 2 };
    const asked = { models: 'gpt-image-2, gpt-image-1.5 ,gpt-image-2,', qualities: ' low', countMax: 2 };
    assert.deepEqual(after(access(asked)), createSettings({ access: { painter: rule } }));
  });

  it('add to what was decided, are replaced, and are cleared', () => {
    const others = { printer: { countMax: 1 } };
    const before = createSettings({ access: { ...others, painter: { qualities: ['low'] } } });
    const painter = (edit: SettingsEdit): unknown => {
      const { painter: rule, ...rest } = after(edit, before).access;
      assert.deepEqual(rest, others);
      return rule;
    };
    assert.deepEqual(painter(access({ countMax: 2 })), { qualities: ['low'], countMax: 2 });
    assert.deepEqual(painter(access({ qualities: 'high' })), { qualities: ['high'] });
    assert.deepEqual(painter(access({ countMax: 2, isCleared: true })), { countMax: 2 });
    assert.equal(painter(access({ isCleared: true })), undefined);
  });

  it('name only what there is, and something at all', () => {
    const unknown = { problem: 'unknown-name' };
    assert.deepEqual(problemOf(access({ models: 'gpt-image-2, dall-e' })), {
      ...unknown,
      kind: 'model',
      name: 'dall-e',
      known,
    });
    assert.deepEqual(problemOf(access({ qualities: 'standard' })), {
      ...unknown,
      kind: 'quality',
      name: 'standard',
      known: QUALITIES,
    });
    for (const nothing of [{}, { models: ' , ' }, { qualities: '' }]) {
      assert.deepEqual(problemOf(access(nothing)), { problem: 'nothing-said-access' });
    }
  });

  it('are no more than so many', () => {
    const full = createSettings({ access: numbered(ACCESS_RULES_MAX) });
    const refused = { problem: 'access-rules-full', max: ACCESS_RULES_MAX };
    assert.deepEqual(apply(access({ countMax: 1 }), full), refused);
    assert.deepEqual(after(access({ role: '0', countMax: 1 }), full).access['0'], { countMax: 1 });
  });
});

describe('defaults', () => {
  it('add to what was decided, are replaced, and are cleared', () => {
    const all = { model: 'gpt-image-2', size: '1536x1024', quality: 'low', format: 'webp' };
    assert.deepEqual(after(defaults(all)), createSettings({ defaults: all }));
    const before = createSettings({ defaults: { model: 'gpt-image-2', quality: 'low' } });
    assert.deepEqual(after(defaults({ size: 'auto', quality: 'high' }), before).defaults, {
      model: 'gpt-image-2',
      size: 'auto',
      quality: 'high',
    });
    assert.deepEqual(after(defaults({ isCleared: true }), before).defaults, {});
    assert.deepEqual(after(defaults({ isCleared: true, format: 'jpeg' }), before).defaults, { format: 'jpeg' });
  });

  it('name only what there is, and something at all', () => {
    const problems = [
      [{ model: 'dall-e' }, { problem: 'unknown-name', kind: 'model', name: 'dall-e', known }],
      [{ size: 'huge' }, { problem: 'not-a-size' }],
      [{ quality: 'hd' }, { problem: 'unknown-name', kind: 'quality', name: 'hd', known: QUALITIES }],
      [{ format: 'gif' }, { problem: 'unknown-name', kind: 'format', name: 'gif', known: IMAGE_FORMATS }],
      [{}, { problem: 'nothing-said' }],
    ] as const;
    for (const [asked, problem] of problems) assert.deepEqual(problemOf(defaults(asked)), problem);
  });
});

describe('the log', () => {
  it('gets a channel, and every request in it, step by step', () => {
    const chosen = after(log({ channelId: '42' }));
    assert.deepEqual(chosen, createSettings({ logChannelId: '42' }));
    const telling = after(log({ logsJobs: true }), chosen);
    assert.deepEqual(telling, createSettings({ logChannelId: '42', logsJobs: true }));
    assert.deepEqual(after(log({ channelId: '43' }), telling), { ...telling, logChannelId: '43' });
    assert.deepEqual(after(log({ logsJobs: false }), telling), chosen);
    assert.deepEqual(after(log({ isCleared: true }), telling), createSettings());
    assert.deepEqual(after(log({ channelId: '43', isCleared: true }), telling), createSettings({ logChannelId: '43' }));
  });

  it('tells nothing where there is no channel', () => {
    assert.deepEqual(log({}), { problem: 'nothing-said-log' });
    const edit = log({ logsJobs: true });
    assert.ok('apply' in edit);
    assert.deepEqual(edit.apply(createSettings()), { problem: 'nothing-said-log' });
    assert.deepEqual(after(log({ logsJobs: false })), createSettings());
  });
});

describe('previews', () => {
  it('are switched on and off, and nothing else', () => {
    const on = after(editPreviews({ isOn: true }), createSettings({ budget: 5 }));
    assert.deepEqual(on, createSettings({ budget: 5, previews: true }));
    assert.deepEqual(after(editPreviews({ isOn: false }), on), createSettings({ budget: 5 }));
  });
});

/** So many entries that decide nothing. */
function numbered(count: number): Record<string, object> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [String(index), {}]));
}
