import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLedger } from '../../src/billing/ledger.ts';
import type { BudgetWarning, WarningResult } from '../../src/services/budget-watch.ts';
import { createBudgetWatch } from '../../src/services/budget-watch.ts';
import type { GuildSettings } from '../../src/services/guild-settings.ts';
import { createGuildSettingsStore } from '../../src/services/guild-settings-store.ts';
import type { ImageRequest } from '../../src/services/image-request.ts';
import type { JobOutcome } from '../../src/services/job-outcome.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { chargeOf, details } from '../billing/account-fixture.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createRequest, JOB_ID, silentLog } from './job-fixture.ts';

const GUILD = createRequest().guild;
const LOG_CHANNEL = '7';
const ADDRESS = { guildLocale: 'de' };
const DEFAULT_BUDGET = 1_000;
const CHANNEL = { logChannelId: LOG_CHANNEL };

const ended: JobOutcome = { ended: 'refused', refusal: { reason: 'interrupted' } };
const overBudget: JobOutcome = {
  ended: 'refused',
  refusal: { reason: 'over-budget', remaining: 1, needed: 2, renewsAt: 0 },
};

/** A server whose account can be spent from, and any number of processes that watch it. */
function openServer(warn: (warning: BudgetWarning) => Promise<WarningResult> = async () => 'given') {
  const outside = { now: () => 0, random: () => 0, sleep: async () => undefined };
  const database = createMemoryDatabase();
  const store = database.connect();
  const ledger = createLedger({ ...outside, store });
  const settings = createGuildSettingsStore({ ...outside, store, budgetMax: undefined });
  const warnings: BudgetWarning[] = [];
  let transfers = 0n;
  return {
    warnings,
    /** What was warned of since the last look, such as `level 800 of 1000`. */
    news: () => warnings.splice(0).map(({ kind, used, limit }) => `${kind} ${used} of ${limit}`),
    decide: async (changes: Partial<GuildSettings>) =>
      settings.change(GUILD, { by: 'ada', what: 'budget' }, (before) => ({ ...before, ...changes })),
    spend: async (cost: number, ending: 'post' | 'unknown' | 'held' = 'post', laterThan = JOB_ID) => {
      transfers += 1n;
      const ref = { guild: GUILD, transfer: (BigInt(laterThan) + transfers).toString() };
      await ledger.reserve(ref, { amount: cost, limit: Number.MAX_SAFE_INTEGER, expiresAt: 1, details });
      if (ending === 'held') return;
      await ledger.dispatch(ref, 1);
      await (ending === 'post'
        ? ledger.post(ref, chargeOf(cost), details)
        : ledger.unknown(ref, { reason: 'timeout' }));
    },
    /** Another process that watches. */
    watch: (watchStore: Store = database.connect()) => {
      const budgetWatch = createBudgetWatch({
        ...outside,
        store: watchStore,
        ledger,
        settings,
        defaultBudget: DEFAULT_BUDGET,
        logChannel: {
          async warn(warning) {
            warnings.push(warning);
            return warn(warning);
          },
        },
        log: silentLog,
      });
      return {
        observe: async (request: ImageRequest, outcome: JobOutcome): Promise<void> =>
          budgetWatch.observe({ request, address: ADDRESS }, outcome),
        drain: async (): Promise<void> => budgetWatch.drain(),
      };
    },
  };
}

describe('the watch over a budget', () => {
  it('warns at the level once, and at the cap once', async () => {
    const { decide, spend, news, watch } = openServer();
    const { observe } = watch();
    await decide(CHANNEL);
    await spend(799);
    await observe(createRequest(), ended);
    assert.deepEqual(news(), []);
    await spend(1);
    await observe(createRequest(), ended);
    await observe(createRequest(), ended);
    assert.deepEqual(news(), ['level 800 of 1000']);
    await spend(200);
    await observe(createRequest(), ended);
    await observe(createRequest(), overBudget);
    assert.deepEqual(news(), ['cap 1000 of 1000']);
  });

  it('says where, for which month, and how much', async () => {
    const { decide, spend, warnings, watch } = openServer();
    await decide({ ...CHANNEL, budget: 500, warningPercent: 10 });
    await spend(50);
    await watch().observe(createRequest(), ended);
    const warning = { guild: GUILD, period: '202611', channelId: LOG_CHANNEL, used: 50, limit: 500, address: ADDRESS };
    assert.deepEqual(warnings, [{ kind: 'level', ...warning }]);
  });

  it('counts what nobody knows as used, and not what is only held', async () => {
    const { decide, spend, news, watch } = openServer();
    const { observe } = watch();
    await decide(CHANNEL);
    await spend(900, 'held');
    await observe(createRequest(), overBudget);
    assert.deepEqual(news(), [], 'what is held may yet be freed');
    await spend(900, 'unknown');
    await observe(createRequest(), ended);
    assert.deepEqual(news(), ['level 900 of 1000']);
  });

  it('takes a request that did not fit for the cap where most is used, and not where the request was a dear one', async () => {
    const { decide, spend, news, watch } = openServer();
    const { observe } = watch();
    await decide({ ...CHANNEL, warningPercent: 100 });
    await spend(799);
    await observe(createRequest(), overBudget);
    assert.deepEqual(news(), []);
    await spend(1);
    await observe(createRequest(), ended);
    assert.deepEqual(news(), []);
    await observe(createRequest(), overBudget);
    await observe(createRequest(), overBudget);
    assert.deepEqual(news(), ['cap 800 of 1000']);
  });

  it('warns once among two processes that look at the same moment', async () => {
    const { decide, spend, news, watch } = openServer();
    const watches = [watch(), watch()];
    await decide(CHANNEL);
    await spend(1_000);
    await Promise.all(
      watches.flatMap(({ observe }) => Array.from({ length: 5 }, async () => observe(createRequest(), overBudget))),
    );
    assert.deepEqual(news().toSorted(), ['cap 1000 of 1000', 'level 1000 of 1000']);
  });

  it('warns again of a budget that was raised, and not of one that was lowered', async () => {
    const { decide, spend, news, watch } = openServer();
    const { observe } = watch();
    await decide(CHANNEL);
    await spend(1_000);
    await observe(createRequest(), ended);
    assert.equal(news().length, 2);
    await decide({ budget: 2_000 });
    await observe(createRequest(), ended);
    assert.deepEqual(news(), []);
    await spend(600);
    await observe(createRequest(), ended);
    assert.deepEqual(news(), ['level 1600 of 2000']);
    await decide({ budget: 900 });
    await observe(createRequest(), overBudget);
    assert.deepEqual(news(), []);
  });

  it('is about one month: the next one is warned of by itself', async () => {
    const { decide, spend, news, watch } = openServer();
    const { observe } = watch();
    await decide(CHANNEL);
    await spend(1_000);
    await observe(createRequest(), ended);
    assert.equal(news().length, 2);
    const december = (BigInt(Date.UTC(2026, 11, 1) - Date.UTC(2015, 0, 1)) << 22n).toString();
    await observe(createRequest({ id: december }), ended);
    assert.deepEqual(news(), []);
    await spend(800, 'post', december);
    await observe(createRequest({ id: december }), ended);
    assert.deepEqual(news(), ['level 800 of 1000']);
  });

  it('says nothing where there is no log channel, and nothing is used up by that', async () => {
    const { decide, spend, news, watch } = openServer();
    const { observe } = watch();
    await spend(800);
    await observe(createRequest(), ended);
    assert.deepEqual(news(), []);
    await decide(CHANNEL);
    await observe(createRequest(), ended);
    assert.deepEqual(news(), ['level 800 of 1000']);
  });

  it('says nothing of a budget of nothing', async () => {
    const { decide, news, watch } = openServer();
    await decide({ ...CHANNEL, budget: 0 });
    await watch().observe(createRequest(), overBudget);
    assert.deepEqual(news(), []);
  });

  it('warns with the next job where the channel could not be reached, and not where it takes nothing', async () => {
    const results: WarningResult[] = ['later', 'given', 'refused'];
    const { decide, spend, news, watch } = openServer(async () => results.shift() ?? 'given');
    const { observe } = watch();
    await decide(CHANNEL);
    await spend(800);
    for (let count = 0; count < 3; count += 1) await observe(createRequest(), ended);
    assert.deepEqual(news(), ['level 800 of 1000', 'level 800 of 1000'], 'the second one was given');
    await spend(200);
    for (let count = 0; count < 3; count += 1) await observe(createRequest(), ended);
    assert.deepEqual(news(), ['cap 1000 of 1000'], 'the channel is gone');
  });

  it('warns with the next job where the first attempt went wrong in a way that nobody expected', async () => {
    const failures = [new Error('no words in this language')];
    const { decide, spend, news, watch } = openServer(async () => {
      const failure = failures.pop();
      if (failure) throw failure;
      return 'given';
    });
    const { observe } = watch();
    await decide(CHANNEL);
    await spend(800);
    for (let count = 0; count < 3; count += 1) await observe(createRequest(), ended);
    assert.deepEqual(news(), ['level 800 of 1000', 'level 800 of 1000'], 'the second one was given');
  });

  it('is through when all is told, and looks at no more accounts at a time than there is room for', async () => {
    const given = Promise.withResolvers<WarningResult>();
    const { decide, spend, news, watch } = openServer(async () => given.promise);
    await decide(CHANNEL);
    await spend(800);
    const { observe, drain } = watch();
    const seen = Array.from({ length: 600 }, async () => observe(createRequest(), ended));
    const left = await Promise.race([Promise.all(seen.slice(-90)), drain().then(() => 'drained')]);
    assert.notEqual(left, 'drained', 'whoever finds no room does not wait for any');
    const drained = drain().then(() => news());
    given.resolve('given');
    assert.deepEqual(await drained, ['level 800 of 1000']);
  });

  it('never rejects, whether the channel or the store fails', async () => {
    const { decide, spend, warnings, watch } = openServer(async () => {
      throw new Error('Missing Access');
    });
    await decide(CHANNEL);
    await spend(800);
    await watch().observe(createRequest(), ended);
    assert.equal(warnings.length, 1);
    const broken = { ...createMemoryDatabase().connect(), read: async () => Promise.reject(new StoreFailure('gone')) };
    await watch(broken).observe(createRequest(), ended);
    assert.equal(warnings.length, 1);
  });
});
