import PQueue from 'p-queue';
import type { Logger } from 'pino';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import type { Period } from '../billing/period.ts';
import { periodOfSnowflake } from '../billing/period.ts';
import { changeValue } from '../storage/change-value.ts';
import type { Store } from '../storage/store.ts';
import type { GuildSettingsStore } from './guild-settings-store.ts';
import { budgetIn } from './guild-settings.ts';
import type { OpenJob, ReplyAddress } from './open-job.ts';
import type { JobOutcome } from './job-outcome.ts';

/** What administrators are told about a month's budget, each of it once. */
export type BudgetWarning = {
  readonly kind: 'level' | 'cap';
  readonly guild: string;
  readonly period: Period;
  readonly channelId: string;
  readonly used: NanoUsd;
  readonly limit: NanoUsd;
  /** Where the request came from after which this was noticed. */
  readonly address: ReplyAddress;
};

/** What became of a warning. */
export type WarningResult =
  | 'given'
  /** The channel is gone, or closed to Easel. */
  | 'refused'
  /** It could not be given now. */
  | 'later';

/**
 * Watches how much of a month's budget is used, and warns in the log channel at the level and at the cap: of each
 * budget once, and of a raised one again.
 */
export type BudgetWatch = {
  /** Looks at a guild's account after one of its jobs has ended. Never rejects. */
  observe(job: WatchedJob, outcome: JobOutcome): Promise<void>;
  /** Resolves when every account has been looked at, and all is told, or could not be. */
  drain(): Promise<void>;
};

type WatchedJob = Pick<OpenJob, 'request' | 'address'>;

/** What was used up at the least when a month was warned, by the kind of warning. */
type Warned = { readonly [Kind in BudgetWarning['kind']]?: NanoUsd };

/**
 * From this share of a budget on, a request that does not fit means that the budget is used up. Below it, it means that
 * the request is a dear one.
 */
const NEARLY_USED_PERCENT = 80;

/** At once, so that a server whose channel is slow does not stand before all others. */
const CONCURRENCY = 8;
/** Whoever comes on top of as many as this is not looked at: the next job of the same server tells the same. */
const WAITING_MAX = 500;

const warnedKey = (guild: string, period: Period): string => `warned:{${guild}}:${period}`;

export function createBudgetWatch(parts: {
  store: Store;
  ledger: Ledger;
  settings: GuildSettingsStore;
  defaultBudget: NanoUsd;
  logChannel: { warn(warning: BudgetWarning): Promise<WarningResult> };
  random: () => number;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): BudgetWatch {
  const { ledger, logChannel, log } = parts;
  const line = new PQueue({ concurrency: CONCURRENCY });

  /**
   * Changes what is noted of a month's warnings.
   * @param change answers nothing where nothing is to be changed
   * @returns whether anything was
   */
  async function note(guild: string, period: Period, change: (warned: Warned) => Warned | undefined): Promise<boolean> {
    return changeValue(parts, warnedKey(guild, period), (warned: Warned = {}) => {
      const next = change(warned);
      return { next, answer: next !== undefined };
    });
  }

  /** Warns of an amount, unless somebody, in any process, has warned of it or of a higher one. */
  async function warnOnce(warning: BudgetWarning, threshold: NanoUsd): Promise<void> {
    const { guild, period, kind } = warning;
    const isFirst = await note(guild, period, (warned) =>
      (warned[kind] ?? -1) >= threshold ? undefined : { ...warned, [kind]: threshold },
    );
    if (!isFirst) return;
    let result: WarningResult = 'later';
    try {
      result = await logChannel.warn(warning);
    } finally {
      // Whoever ends a job next may have more luck, also where this failed. Of a higher amount somebody else warns.
      if (result === 'later') {
        await note(guild, period, ({ [kind]: warnedOf, ...others }) => (warnedOf === threshold ? others : undefined));
      }
    }
  }

  async function look({ request, address }: WatchedJob, outcome: JobOutcome): Promise<void> {
    const settings = await parts.settings.read(request.guild);
    const channelId = settings.logChannelId;
    const limit = budgetIn(settings, parts.defaultBudget);
    // A budget of nothing is a decision, and not something that is ever used up.
    if (channelId === undefined || limit === 0) return;
    const { guild, id } = request;
    const period = periodOfSnowflake(id);
    const { settled, exposure } = await ledger.head(guild, period);
    const used = settled + exposure;
    const isRefused = outcome.ended === 'refused' && outcome.refusal.reason === 'over-budget';
    const isNearlyUsed = used >= shareOf(limit, NEARLY_USED_PERCENT);
    const thresholds = { level: shareOf(limit, settings.warningPercent), cap: limit };
    const isReached = { level: used >= thresholds.level, cap: used >= limit || (isRefused && isNearlyUsed) };
    for (const kind of ['level', 'cap'] as const) {
      if (!isReached[kind]) continue;
      await warnOnce({ kind, guild, period, channelId, used, limit, address }, thresholds[kind]);
    }
  }

  return {
    async observe(job, outcome) {
      const { guild } = job.request;
      if (line.size >= WAITING_MAX) {
        log.error({ guild }, 'too many accounts to look at: a budget warning may come late');
        return;
      }
      // A warning that fails must not fail the request that it is about.
      await line
        .add(async () => look(job, outcome))
        .catch((error: unknown) => log.error({ guild, err: error }, 'a budget warning could not be given'));
    },
    drain: async () => line.onIdle(),
  };
}

/** A share of an amount, rounded up. */
function shareOf(amount: NanoUsd, percent: number): NanoUsd {
  return Math.ceil((amount * percent) / 100);
}
