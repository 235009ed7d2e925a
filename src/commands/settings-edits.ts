import type { NanoUsd } from '../billing/money.ts';
import { parseUsd } from '../billing/money.ts';
import type { AccessRule, GuildSettings, LimitSettings, SettingsProblem } from '../services/guild-settings.ts';
import { initialSettings } from '../services/guild-settings.ts';
import { IMAGE_FORMATS, QUALITIES } from '../services/providers/image-provider.ts';
import { parseSize } from '../services/providers/image-sizes.ts';

/**
 * A change of the settings, or what is wrong with it. Each adds what was said to what was decided before; with `clear`,
 * what was decided before is gone.
 */
export type SettingsEdit =
  | { readonly apply: (settings: GuildSettings) => GuildSettings | SettingsProblem }
  | SettingsProblem;

/** Settings are read with every request, so they must not grow without end. */
export const LIMITS_MAX = 100;
export const ACCESS_RULES_MAX = 50;

export function editBudget(asked: {
  usd: string | undefined;
  warningPercent: number | undefined;
  isCleared: boolean;
  max: NanoUsd | undefined;
}): SettingsEdit {
  const { warningPercent, isCleared, max } = asked;
  const budget = readUsd(asked.usd);
  if (budget === 'not an amount') return { problem: 'not-an-amount', example: '25.00' };
  if (isNothing(budget, warningPercent) && !isCleared) return { problem: 'nothing-said' };
  if (budget !== undefined && max !== undefined && budget > max) return { problem: 'above-ceiling', max };
  return {
    apply: (settings) => {
      const start = isCleared ? initialSettings() : settings;
      return {
        ...settings,
        budget: budget ?? start.budget,
        warningPercent: warningPercent ?? start.warningPercent,
      };
    },
  };
}

/** Without a member or a role, the limit is that of each member who has no other. */
export function editLimit(asked: {
  member: string | undefined;
  role: string | undefined;
  usd: string | undefined;
  imagesPerDay: number | undefined;
  isCleared: boolean;
}): SettingsEdit {
  const { member, role, imagesPerDay, isCleared } = asked;
  const nanoUsdPerMonth = readUsd(asked.usd);
  if (nanoUsdPerMonth === 'not an amount') return { problem: 'not-an-amount', example: '2.50' };
  if (member !== undefined && role !== undefined) return { problem: 'member-and-role' };
  const isRemoved = isNothing(nanoUsdPerMonth, imagesPerDay);
  if (isRemoved && !isCleared) return { problem: 'nothing-said-limit' };
  const next = (before: LimitSettings | undefined): LimitSettings | undefined => {
    if (isRemoved) return undefined;
    const start = isCleared ? undefined : before;
    return {
      nanoUsdPerMonth: nanoUsdPerMonth ?? start?.nanoUsdPerMonth,
      imagesPerDay: imagesPerDay ?? start?.imagesPerDay,
    };
  };
  return {
    apply: (settings) => {
      const { everyone, roles, members } = settings.limits;
      const limits = {
        everyone: isNothing(member, role) ? next(everyone) : everyone,
        roles: role === undefined ? roles : withKey(roles, role, next(roles[role])),
        members: member === undefined ? members : withKey(members, member, next(members[member])),
      };
      const count = Object.keys(limits.roles).length + Object.keys(limits.members).length;
      if (count > LIMITS_MAX) return { problem: 'limits-full', max: LIMITS_MAX };
      return { ...settings, limits };
    },
  };
}

export function editAccess(asked: {
  role: string;
  models: string | undefined;
  qualities: string | undefined;
  countMax: number | undefined;
  isCleared: boolean;
  known: readonly string[];
}): SettingsEdit {
  const { role, countMax, isCleared, known } = asked;
  const models = readList(asked.models);
  const qualities = readList(asked.qualities);
  const problem = checkNames('model', models, known) ?? checkNames('quality', qualities, QUALITIES);
  if (problem) return problem;
  const isRemoved = isNothing(models, qualities, countMax);
  if (isRemoved && !isCleared) return { problem: 'nothing-said-access' };
  return {
    apply: (settings) => {
      const start = isCleared ? undefined : settings.access[role];
      const rule: AccessRule = {
        models: models ?? start?.models,
        qualities: qualities ?? start?.qualities,
        countMax: countMax ?? start?.countMax,
      };
      const access = withKey(settings.access, role, isRemoved ? undefined : rule);
      if (Object.keys(access).length > ACCESS_RULES_MAX) return { problem: 'access-rules-full', max: ACCESS_RULES_MAX };
      return { ...settings, access };
    },
  };
}

export function editDefaults(asked: {
  model: string | undefined;
  size: string | undefined;
  quality: string | undefined;
  format: string | undefined;
  isCleared: boolean;
  known: readonly string[];
}): SettingsEdit {
  const { model, size, quality, format, isCleared, known } = asked;
  const problem =
    checkNames('model', listOf(model), known) ??
    checkSize(size) ??
    checkNames('quality', listOf(quality), QUALITIES) ??
    checkNames('format', listOf(format), IMAGE_FORMATS);
  if (problem) return problem;
  if (isNothing(model, size, quality, format) && !isCleared) return { problem: 'nothing-said' };
  return {
    apply: (settings) => {
      const start = isCleared ? initialSettings().defaults : settings.defaults;
      const defaults = {
        model: model ?? start.model,
        size: size ?? start.size,
        quality: quality ?? start.quality,
        format: format ?? start.format,
      };
      return { ...settings, defaults };
    },
  };
}

/** Finished requests can be told only where there is a channel for it. */
export function editLog(asked: {
  channelId: string | undefined;
  logsJobs: boolean | undefined;
  isCleared: boolean;
}): SettingsEdit {
  const { channelId, logsJobs, isCleared } = asked;
  if (isNothing(channelId, logsJobs) && !isCleared) return { problem: 'nothing-said-log' };
  return {
    apply: (settings) => {
      const start = isCleared ? initialSettings() : settings;
      const log = { logChannelId: channelId ?? start.logChannelId, logsJobs: logsJobs ?? start.logsJobs };
      if (log.logsJobs && log.logChannelId === undefined) return { problem: 'nothing-said-log' };
      return { ...settings, ...log };
    },
  };
}

export function editPreviews({ isOn }: { isOn: boolean }): SettingsEdit {
  return { apply: (settings) => ({ ...settings, previews: isOn }) };
}

function isNothing(...values: readonly unknown[]): boolean {
  return values.every((value) => value === undefined);
}

function checkNames(
  kind: 'model' | 'quality' | 'format',
  names: readonly string[] | undefined,
  known: readonly string[],
): SettingsProblem | undefined {
  const stranger = names?.find((name) => !known.includes(name));
  if (stranger === undefined) return undefined;
  return { problem: 'unknown-name', kind, name: stranger, known };
}

function checkSize(size: string | undefined): SettingsProblem | undefined {
  if (size === undefined || size === 'auto' || parseSize(size)) return undefined;
  return { problem: 'not-a-size' };
}

function readUsd(text: string | undefined): NanoUsd | undefined | 'not an amount' {
  if (text === undefined) return undefined;
  try {
    return parseUsd(text.trim().replace(/^\$/, ''));
  } catch {
    return 'not an amount';
  }
}

/** The names in a list, each once; undefined where there is none. */
function readList(text: string | undefined): string[] | undefined {
  const names = text
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names && names.length > 0 ? [...new Set(names)] : undefined;
}

function listOf(name: string | undefined): readonly string[] | undefined {
  return name === undefined ? undefined : [name];
}

/** A record with one key set, or without it. */
function withKey<Value>(
  record: Readonly<Record<string, NoInfer<Value>>>,
  key: string,
  value: Value | undefined,
): Record<string, Value> {
  const { [key]: _before, ...others } = record;
  return value === undefined ? others : { ...others, [key]: value };
}
