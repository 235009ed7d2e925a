import type { APIMessageTopLevelComponent } from 'discord.js';
import { ButtonStyle, ComponentType, InteractionContextType } from 'discord.js';
import { remainingBudget } from '../billing/guild-account.ts';
import { remainingAllowance } from '../billing/member-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import { dayOfSnowflake, periodOfSnowflake } from '../billing/period.ts';
import { VERB } from '../discord/button-verbs.ts';
import type { Command, GuildCommand } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import { writeCustomId } from '../discord/custom-id.ts';
import { describeAllowance } from '../discord/limit-message.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText, withBelow } from '../discord/message-payload.ts';
import { describeQuota } from '../discord/usage-message.ts';
import { relativeTime } from '../discord/wording.ts';
import type { Words } from '../discord/words.ts';
import { wordsFor } from '../discord/words.ts';
import type { GuildSettingsStore } from '../services/guild-settings-store.ts';
import { limitsOf } from '../services/guild-settings.ts';
import type { KeptResult, KeptResults } from '../services/kept-results.ts';
import type { UsageReports } from '../services/usage/usage-report.ts';
import { rolesOf } from './asker.ts';
import { giveWayUnless } from '../discord/giving-way.ts';

export type QuotaCommandParts = {
  readonly ledger: Ledger;
  readonly reports: UsageReports;
  readonly settings: Pick<GuildSettingsStore, 'read'>;
  readonly keptResults: KeptResults;
  readonly budgetOf: (guild: string) => Promise<NanoUsd>;
  readonly replies: ReplyEditor;
  /** Whether processes on other machines may answer as well, which keep results that are not to be found here. */
  readonly hasOtherMachines: boolean;
};

/** As many buttons as one row holds; whoever has more fetches these first. */
const OFFERED_RESULTS_MAX = 5;

/** `/quota`: what a member has spent this month, what is left, and what is kept for them. */
export function createQuotaCommand(parts: QuotaCommandParts): Command {
  return {
    schema: {
      name: 'quota',
      description: 'What you have spent on images this month, and what is left',
      contexts: [InteractionContextType.Guild],
    },
    async answer(interaction) {
      if (parts.hasOtherMachines) await giveWayUnless(async () => hasKept(parts, interaction));
      return answerAfterwards('private-reply', async () => answer(parts, interaction));
    },
  };
}

async function hasKept({ keptResults }: QuotaCommandParts, { guildId, user }: GuildCommand): Promise<boolean> {
  const kept = await keptResults.list(guildId, user.id);
  return kept.length > 0;
}

async function answer(parts: QuotaCommandParts, interaction: GuildCommand): Promise<void> {
  const { ledger, reports, keptResults, budgetOf, replies } = parts;
  const { guildId: guild, user } = interaction;
  const words = wordsFor(interaction.locale);
  const period = periodOfSnowflake(interaction.id);
  const report = await reports.read(guild, period, user.id);
  const remaining = remainingBudget(await ledger.head(guild, period), await budgetOf(guild));
  const limits = limitsOf(await parts.settings.read(guild), user.id, rolesOf(interaction));
  const member = await ledger.member(guild, period, user.id);
  const left = remainingAllowance(member, limits, dayOfSnowflake(interaction.id));
  const allowance = describeAllowance(limits, left, words);
  const quota = describeQuota(report, remaining, words);
  const message = renderText(allowance === undefined ? quota : `${quota}\n${allowance}`);
  const kept = await keptResults.list(guild, user.id);
  await replies.answer(interaction, withBelow(message, ...offer(kept, words)));
}

function offer(kept: readonly KeptResult[], { say }: Words): APIMessageTopLevelComponent[] {
  const offered = kept.slice(0, OFFERED_RESULTS_MAX);
  const [first] = offered;
  if (!first) return [];
  const content = say('quota.kept', {
    why: reasonOf(kept),
    count: kept.length,
    droppedAt: relativeTime(first.keptUntil),
  });
  return [
    { type: ComponentType.TextDisplay, content },
    {
      type: ComponentType.ActionRow,
      components: offered.map(({ id }, index) => ({
        type: ComponentType.Button,
        style: ButtonStyle.Primary,
        label:
          offered.length === 1 ? say('quota.kept-button') : say('quota.kept-button-numbered', { number: index + 1 }),
        custom_id: writeCustomId({ verb: VERB.fetch, id }),
      })),
    },
  ];
}

function reasonOf(kept: readonly KeptResult[]): 'cancelled' | 'undelivered' | 'either' {
  if (kept.every(({ isCancelled }) => isCancelled)) return 'cancelled';
  return kept.some(({ isCancelled }) => isCancelled) ? 'either' : 'undelivered';
}
