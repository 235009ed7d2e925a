import type { NanoUsd } from '../billing/money.ts';
import { formatDecidedUsd, formatUsd } from '../billing/money.ts';
import type { AccessRule, GuildSettings, LimitSettings, SettingsProblem } from '../services/guild-settings.ts';
import { budgetIn } from '../services/guild-settings.ts';
import type { SettingsChange } from '../services/guild-settings-store.ts';
import type { PreviewPrice } from '../services/preview-price.ts';
import { nameChoice, nameOption } from './command-words.ts';
import { escapeCode, escapeText, join, relativeTime } from './wording.ts';
import type { Words } from './words.ts';

/** What has been decided for a server, and by whom. It names people and roles without calling them. */
export function describeSettings(
  settings: GuildSettings,
  context: {
    readonly guild: string;
    readonly defaultBudget: NanoUsd;
    readonly history: readonly SettingsChange[];
    /** What one preview costs; left out where nobody can tell. */
    readonly previews?: PreviewPrice | undefined;
  },
  words: Words,
): string {
  const { say } = words;
  const { limits, access, defaults, logChannelId } = settings;
  const budget = formatDecidedUsd(budgetIn(settings, context.defaultBudget));
  const warningShare = settings.warningPercent / 100;
  const roleName = (role: string): string => (role === context.guild ? '@everyone' : `<@&${role}>`);
  const sections: readonly (readonly string[])[] = [
    [
      say('settings.heading'),
      say(settings.budget === undefined ? 'settings.budget-default' : 'settings.budget', { budget, warningShare }),
      logChannelId === undefined
        ? say('settings.log-none')
        : say(settings.logsJobs ? 'settings.log-jobs' : 'settings.log', { channel: `<#${logChannelId}>` }),
      describePreviews(settings.previews, context.previews, words),
    ],
    [
      ...(limits.everyone ? [say('settings.limit.everyone', { limit: describeLimit(limits.everyone, words) })] : []),
      ...Object.entries(limits.roles).map(([role, limit]) =>
        say('settings.limit.role', { role: roleName(role), limit: describeLimit(limit, words) }),
      ),
      ...Object.entries(limits.members).map(([member, limit]) =>
        say('settings.limit.member', { member: `<@${member}>`, limit: describeLimit(limit, words) }),
      ),
    ],
    Object.entries(access).map(([role, rule]) =>
      say('settings.access', { role: roleName(role), rule: describeRule(rule, words) }),
    ),
    describeDefaults(defaults, words),
    describeHistory(context.history, words),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function describePreviews(isOn: boolean, price: PreviewPrice | undefined, { say }: Words): string {
  const state = isOn ? 'on' : 'off';
  if (!price) return say('settings.previews', { state });
  const { model, each, count } = price;
  if (each === 0) return say('settings.previews-free', { state, model });
  return say('settings.previews-price', { state, amount: formatUsd(each, 4), model, count });
}

/** Why nothing was changed. */
export function describeProblem(problem: SettingsProblem, words: Words): string {
  return join(explainProblem(problem, words), words.say('settings.unchanged'), words);
}

function explainProblem(problem: SettingsProblem, words: Words): string {
  const { say } = words;
  const clear = nameOption('clear', words);
  switch (problem.problem) {
    case 'not-an-amount':
      return say('settings.problem.not-an-amount', { example: problem.example });
    case 'above-ceiling':
      return say('settings.problem.above-ceiling', { max: formatDecidedUsd(problem.max) });
    case 'nothing-said':
    case 'nothing-said-access':
    case 'nothing-said-limit':
    case 'nothing-said-log':
      return say(`settings.problem.${problem.problem}`, { clear });
    case 'member-and-role':
    case 'not-a-size':
      return say(`settings.problem.${problem.problem}`);
    case 'limits-full':
    case 'access-rules-full':
      return say(`settings.problem.${problem.problem}`, { max: problem.max, clear });
    case 'unknown-name':
      return say(`settings.problem.unknown-${problem.kind}`, {
        name: escapeCode(problem.name),
        known: problem.known.join(', '),
      });
  }
}

function describeLimit({ nanoUsdPerMonth, imagesPerDay }: LimitSettings, { say }: Words): string {
  const parts = [
    ...(nanoUsdPerMonth === undefined
      ? []
      : [say('settings.limit.month', { amount: formatDecidedUsd(nanoUsdPerMonth) })]),
    ...(imagesPerDay === undefined ? [] : [say('settings.limit.day', { images: imagesPerDay })]),
  ];
  return parts.length > 0 ? parts.join(' · ') : say('settings.limit.none');
}

function describeRule({ models, qualities, countMax }: AccessRule, words: Words): string {
  const { say } = words;
  return [
    models ? say('settings.access.models', { models: models.join(', ') }) : say('settings.access.models-any'),
    qualities
      ? say('settings.access.qualities', {
          qualities: qualities.map((quality) => nameChoice(quality, words)).join(', '),
        })
      : say('settings.access.qualities-any'),
    countMax === undefined ? say('settings.access.count-any') : say('settings.access.count', { countMax }),
  ].join(' · ');
}

function describeDefaults(defaults: GuildSettings['defaults'], words: Words): string[] {
  const chosen = Object.values(defaults).filter((value) => value !== undefined);
  const choices = chosen.map((choice) => escapeText(nameChoice(choice, words))).join(' · ');
  return chosen.length > 0 ? [words.say('settings.defaults', { choices })] : [];
}

function describeHistory(history: readonly SettingsChange[], { say }: Words): string[] {
  if (history.length === 0) return [];
  const lines = history.map(({ what, by, at }) =>
    say('settings.history.change', { what, administrator: `<@${by}>`, changedAt: relativeTime(at) }),
  );
  return [say('settings.history'), ...lines];
}
