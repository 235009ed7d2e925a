import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GuildSettings } from '../../src/services/guild-settings.ts';
import { accessRulesOf, budgetIn, initialSettings, limitsOf } from '../../src/services/guild-settings.ts';
import type { GuildSettingsStore } from '../../src/services/guild-settings-store.ts';
import { createGuildSettingsStore } from '../../src/services/guild-settings-store.ts';
import { UnreadableValue } from '../../src/storage/store.ts';
import type { MemoryDatabase } from '../billing/memory-store.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createSettings } from './settings-fixture.ts';

const GUILD = 'guild';
const ada = { by: 'ada', what: 'budget' };

/** One of any number of processes on a database. Its clock stands still. */
function connect(
  database: MemoryDatabase,
  options: { readonly now?: number; readonly budgetMax?: number } = {},
): GuildSettingsStore {
  return createGuildSettingsStore({
    store: database.connect(),
    budgetMax: options.budgetMax,
    now: () => options.now ?? 0,
    random: () => 0,
    sleep: async () => undefined,
  });
}

const withBudget = (budget: number) => (settings: GuildSettings) => ({ ...settings, budget });
const withLimit = (member: string) => (settings: GuildSettings) => ({
  ...settings,
  limits: { ...settings.limits, members: { ...settings.limits.members, [member]: { imagesPerDay: 3 } } },
});

describe("a server's settings", () => {
  it('are the defaults until something is decided, and then what was decided', async () => {
    const database = createMemoryDatabase();
    const settings = connect(database);
    assert.deepEqual(await settings.read(GUILD), initialSettings());
    assert.deepEqual(await settings.history(GUILD, 5), []);
    await settings.change(GUILD, ada, withBudget(5));
    assert.deepEqual(await connect(database).read(GUILD), { ...initialSettings(), revision: 1, budget: 5 });
    assert.deepEqual(await settings.read('another'), initialSettings());
  });

  it('are understood where they were written before there was as much to decide', async () => {
    const database = createMemoryDatabase();
    const { logsJobs: _jobs, previews: _previews, ...older } = initialSettings();
    const next = { ...older, revision: 1, budget: 5 };
    await database.connect().commit({
      guard: { key: `settings:{${GUILD}}`, expected: undefined, next },
      writes: [],
    });
    assert.deepEqual(await connect(database).read(GUILD), { ...initialSettings(), revision: 1, budget: 5 });
  });

  it('keep a journal of who changed what and when, newest first', async () => {
    const database = createMemoryDatabase();
    const first = await connect(database, { now: 1_000 }).change(GUILD, ada, withBudget(5));
    const second = await connect(database, { now: 2_000 }).change(
      GUILD,
      { by: 'bob', what: 'limit' },
      withLimit('mira'),
    );
    const settings = connect(database);
    assert.deepEqual(await settings.history(GUILD, 5), [
      { revision: 2, at: 2_000, by: 'bob', what: 'limit', settings: second },
      { revision: 1, at: 1_000, by: 'ada', what: 'budget', settings: first },
    ]);
    assert.deepEqual(
      (await settings.history(GUILD, 1)).map(({ revision }) => revision),
      [2],
    );
  });

  it('are changed together with their journal, or not at all', async () => {
    const database = createMemoryDatabase();
    const settings = connect(database);
    const refusal = await settings.change(GUILD, ada, () => ({ problem: 'nothing-said' }));
    assert.deepEqual(refusal, { problem: 'nothing-said' });
    assert.deepEqual(database.rows(), []);
    await assert.rejects(
      settings.change(GUILD, ada, () => {
        throw new Error('broken');
      }),
    );
    assert.deepEqual(database.rows(), []);
  });

  it('survive changes at the same moment, each of them', async () => {
    const database = createMemoryDatabase();
    const members = Array.from({ length: 12 }, (_, index) => `member ${index}`);
    await Promise.all(
      members.map(async (member) => connect(database).change(GUILD, { by: member, what: 'limit' }, withLimit(member))),
    );
    const settings = connect(database);
    const { limits, revision } = await settings.read(GUILD);
    assert.deepEqual(Object.keys(limits.members).toSorted(), members.toSorted());
    assert.equal(revision, members.length);
    const history = await settings.history(GUILD, members.length);
    assert.deepEqual(history.map(({ by }) => by).toSorted(), members.toSorted());
    assert.deepEqual(
      history.map((change) => change.revision),
      members.map((_, index) => members.length - index),
    );
  });

  it('that cannot be understood are an error, and not the defaults', async () => {
    const database = createMemoryDatabase();
    await database.connect().commit({
      guard: { key: `settings:{${GUILD}}`, expected: undefined, next: { ...initialSettings(), budget: 'much' } },
      writes: [],
    });
    const settings = connect(database);
    await assert.rejects(settings.read(GUILD), UnreadableValue);
    await assert.rejects(settings.change(GUILD, ada, withBudget(5)), UnreadableValue);
    await assert.rejects(settings.history(GUILD, 10), UnreadableValue);
  });
});

describe('the budget in force', () => {
  it("is the server's own, else the operator's default", () => {
    assert.equal(budgetIn(createSettings(), 10), 10);
    assert.equal(budgetIn(createSettings({ budget: 0 }), 10), 0);
  });

  it('is never above what the operator allows, also where that was lowered later', async () => {
    const database = createMemoryDatabase();
    await connect(database).change(GUILD, ada, withBudget(50));
    const lowered = connect(database, { budgetMax: 20 });
    assert.equal((await lowered.read(GUILD)).budget, 20);
    const changed = await lowered.change(GUILD, ada, withLimit('mira'));
    assert.ok(!('problem' in changed));
    assert.equal(changed.budget, 20);
    assert.equal((await connect(database).read(GUILD)).budget, 50, 'the decision itself stays');
    assert.equal((await connect(database, { budgetMax: 90 }).read(GUILD)).budget, 50);
    assert.equal((await lowered.read('another')).budget, undefined);
  });
});

describe('limitsOf', () => {
  const limits = {
    everyone: { nanoUsdPerMonth: 1 },
    roles: {
      painter: { nanoUsdPerMonth: 5, imagesPerDay: 2 },
      printer: { nanoUsdPerMonth: 3, imagesPerDay: 9 },
      patron: { nanoUsdPerMonth: 4 },
    },
    members: { mira: { imagesPerDay: 7 } },
  };
  const settings = createSettings({ limits });

  it("puts a member's own limits before those of their roles, and takes nothing from those", () => {
    assert.deepEqual(limitsOf(settings, 'mira', ['painter', 'printer']), { imagesPerDay: 7, source: 'member' });
  });

  it('takes the most generous of the roles, each kind of limit by itself', () => {
    const both = { nanoUsdPerMonth: 5, imagesPerDay: 9, source: 'role' };
    assert.deepEqual(limitsOf(settings, 'ada', ['painter', 'printer', 'no limits']), both);
    assert.deepEqual(limitsOf(settings, 'ada', ['printer', 'painter']), both);
    const one = { nanoUsdPerMonth: 3, imagesPerDay: 9, source: 'role' };
    assert.deepEqual(limitsOf(settings, 'ada', ['printer']), one);
  });

  it('takes a role without a limit of some kind for the most generous in it', () => {
    assert.deepEqual(limitsOf(settings, 'ada', ['painter', 'patron']), { nanoUsdPerMonth: 5, source: 'role' });
  });

  it("falls back to everyone's, and to none", () => {
    assert.deepEqual(limitsOf(settings, 'ada', ['no limits']), { nanoUsdPerMonth: 1, source: 'everyone' });
    assert.deepEqual(limitsOf(createSettings(), 'ada', ['painter']), { source: 'everyone' });
  });

  it('tells a limit of nothing from no limit', () => {
    const nothing = createSettings({ limits: { roles: {}, members: { mira: { nanoUsdPerMonth: 0 } } } });
    assert.deepEqual(limitsOf(nothing, 'mira', []), { nanoUsdPerMonth: 0, source: 'member' });
  });
});

describe('accessRulesOf', () => {
  const painter = { qualities: ['low'] };
  const printer = { countMax: 2 };
  const everyone = { models: ['gpt-image-2'] };
  const settings = createSettings({ access: { painter, printer, [GUILD]: everyone } });

  it("gives the rules of the member's roles", () => {
    assert.deepEqual(accessRulesOf(settings, GUILD, ['printer', 'painter', 'another']), [printer, painter]);
  });

  it("gives @everyone's to those without a rule of their own, and none where there is none", () => {
    assert.deepEqual(accessRulesOf(settings, GUILD, ['another']), [everyone]);
    assert.deepEqual(accessRulesOf(createSettings({ access: { painter } }), GUILD, []), []);
  });
});
