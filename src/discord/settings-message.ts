import type { NanoUsd } from '../billing/money.ts';
import { formatUsd } from '../billing/money.ts';
import type { AccessRule, GuildSettings, LimitSettings, SettingsChange } from '../services/guild-settings.ts';
import { budgetIn } from '../services/guild-settings.ts';
import { escapeText, relativeTime } from './wording.ts';

/** What has been decided for a server, and by whom. It names people and roles without calling them. */
export function describeSettings(
  settings: GuildSettings,
  context: {
    readonly guild: string;
    readonly defaultBudget: NanoUsd;
    readonly history: readonly SettingsChange[];
  },
): string {
  const { limits, access, defaults, logChannelId } = settings;
  const budget = formatUsd(budgetIn(settings, context.defaultBudget), 2);
  const roleName = (role: string): string => (role === context.guild ? '@everyone' : `<@&${role}>`);
  const sections: readonly (readonly string[])[] = [
    [
      '## Settings',
      `Budget: **${budget}** a month${settings.budget === undefined ? ', the default of this bot' : ''} · warning at ${settings.warningPercent}%`,
      logChannelId === undefined
        ? 'Warnings go nowhere: choose a channel with `/settings log`.'
        : `Warnings go to <#${logChannelId}>.`,
    ],
    [
      ...(limits.everyone ? [`Each member: ${describeLimit(limits.everyone)}`] : []),
      ...Object.entries(limits.roles).map(([role, limit]) => `Each of ${roleName(role)}: ${describeLimit(limit)}`),
      ...Object.entries(limits.members).map(([member, limit]) => `<@${member}>: ${describeLimit(limit)}`),
    ],
    Object.entries(access).map(([role, rule]) => `${roleName(role)} may use ${describeRule(rule)}`),
    describeDefaults(defaults),
    describeHistory(context.history),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function describeLimit({ nanoUsdPerMonth, imagesPerDay }: LimitSettings): string {
  const parts = [
    ...(nanoUsdPerMonth === undefined ? [] : [`${formatUsd(nanoUsdPerMonth, 2)} a month`]),
    ...(imagesPerDay === undefined ? [] : [`${imagesPerDay} images a day`]),
  ];
  return parts.length > 0 ? parts.join(' · ') : 'no limit';
}

function describeRule({ models, qualities, countMax }: AccessRule): string {
  return [
    models ? `models ${models.join(', ')}` : 'all models',
    qualities ? `qualities ${qualities.join(', ')}` : 'all qualities',
    countMax === undefined ? 'any count' : `up to ${countMax} at once`,
  ].join(' · ');
}

function describeDefaults(defaults: GuildSettings['defaults']): string[] {
  const chosen = Object.values(defaults).filter((value) => value !== undefined);
  return chosen.length > 0 ? [`Unless chosen otherwise: ${chosen.map(escapeText).join(' · ')}`] : [];
}

function describeHistory(history: readonly SettingsChange[]): string[] {
  if (history.length === 0) return [];
  const lines = history.map(({ what, by, at }) => `-# ${what} by <@${by}> ${relativeTime(at)}`);
  return ['-# Latest changes', ...lines];
}
