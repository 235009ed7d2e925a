import * as z from 'zod';
import type { MemberLimits } from '../billing/member-account.ts';
import type { NanoUsd } from '../billing/money.ts';

/** What the administrators of a server have decided: how much may be spent, by whom, and on what. */
export type GuildSettings = z.infer<typeof settingsSchema>;

const amount = z.int().nonnegative();

const memberLimitsSchema = z.object({
  nanoUsdPerMonth: amount.optional(),
  imagesPerDay: amount.optional(),
});

/** What a member may spend and make, as it was decided; what is left out is not limited. */
export type LimitSettings = z.infer<typeof memberLimitsSchema>;

const accessRuleSchema = z.object({
  models: z.array(z.string()).optional(),
  qualities: z.array(z.string()).optional(),
  countMax: z.int().positive().optional(),
});

/** What the members of a role may use; what is left out is not restricted. */
export type AccessRule = z.infer<typeof accessRuleSchema>;

const WARNING_PERCENT_DEFAULT = 80;

export const settingsSchema = z.object({
  v: z.literal(1),
  /** The number of the last change; 0 where nothing was ever changed. */
  revision: amount,
  /** The month's budget; left out where the operator's default holds. */
  budget: amount.optional(),
  /** At which share of the budget a warning goes to the log channel. */
  warningPercent: z.int().positive(),
  limits: z.object({
    everyone: memberLimitsSchema.optional(),
    roles: z.record(z.string(), memberLimitsSchema),
    members: z.record(z.string(), memberLimitsSchema),
  }),
  access: z.record(z.string(), accessRuleSchema),
  defaults: z.object({
    model: z.string().optional(),
    size: z.string().optional(),
    quality: z.string().optional(),
    format: z.string().optional(),
  }),
  logChannelId: z.string().optional(),
  /** Whether the log channel is told of every job that cost something or may have, and not only of warnings. */
  logsJobs: z.boolean().default(false),
  /** Whether pictures are shown while they are made, which the provider charges for. */
  previews: z.boolean().default(false),
});

/** Why a change cannot be made. */
export type SettingsProblem =
  | { readonly problem: 'not-an-amount'; readonly example: string }
  | { readonly problem: 'above-ceiling'; readonly max: NanoUsd }
  | { readonly problem: 'nothing-said' | 'nothing-said-access' | 'nothing-said-limit' | 'nothing-said-log' }
  | { readonly problem: 'member-and-role' | 'not-a-size' }
  | { readonly problem: 'limits-full' | 'access-rules-full'; readonly max: number }
  | {
      readonly problem: 'unknown-name';
      readonly kind: 'model' | 'quality' | 'format';
      readonly name: string;
      readonly known: readonly string[];
    };

/** Nothing is decided yet: the operator's defaults hold. */
export function initialSettings(): GuildSettings {
  return {
    v: 1,
    revision: 0,
    warningPercent: WARNING_PERCENT_DEFAULT,
    limits: { roles: {}, members: {} },
    access: {},
    defaults: {},
    logsJobs: false,
    previews: false,
  };
}

/** Who a limit was decided for. */
export type LimitSource = 'member' | 'role' | 'everyone';

/** The limits that hold for a member, and whose they are, so that a refusal can name them. */
export type EffectiveLimits = MemberLimits & { readonly source: LimitSource };

/**
 * A member's own limits go before those of their roles, of which the most generous holds, and those before
 * everyone's. They take the place of each other as a whole, so that nobody has to add up who limits what.
 */
export function limitsOf(settings: GuildSettings, member: string, roles: readonly string[]): EffectiveLimits {
  const { limits } = settings;
  const own = limits.members[member];
  if (own) return { ...compact(own), source: 'member' };
  const byRole = roles.map((role) => limits.roles[role]).filter((limit) => limit !== undefined);
  if (byRole.length > 0) return { ...compact(byRole.reduce(moreGenerous)), source: 'role' };
  return { ...compact(limits.everyone ?? {}), source: 'everyone' };
}

/** For each kind of limit the higher one; none at all is the highest. */
function moreGenerous(one: LimitSettings, other: LimitSettings): LimitSettings {
  return {
    nanoUsdPerMonth: higher(one.nanoUsdPerMonth, other.nanoUsdPerMonth),
    imagesPerDay: higher(one.imagesPerDay, other.imagesPerDay),
  };
}

function higher(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}

function compact({ nanoUsdPerMonth, imagesPerDay }: LimitSettings): MemberLimits {
  return {
    ...(nanoUsdPerMonth === undefined ? {} : { nanoUsdPerMonth }),
    ...(imagesPerDay === undefined ? {} : { imagesPerDay }),
  };
}

/** The rules for a member's roles; the server's own id is the role that everybody has. None means no restriction. */
export function accessRulesOf(settings: GuildSettings, guild: string, roles: readonly string[]): readonly AccessRule[] {
  const own = roles.map((role) => settings.access[role]).filter((rule) => rule !== undefined);
  if (own.length > 0) return own;
  const everyone = settings.access[guild];
  return everyone ? [everyone] : [];
}

/** The budget in force: the server's own, else the operator's default. */
export function budgetIn(settings: GuildSettings, defaultBudget: NanoUsd): NanoUsd {
  return settings.budget ?? defaultBudget;
}
