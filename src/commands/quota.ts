import { InteractionContextType } from 'discord.js';
import { remainingBudget } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import { periodOfSnowflake } from '../billing/period.ts';
import type { Command, GuildCommand } from '../discord/command.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText } from '../discord/result-message.ts';
import { describeQuota } from '../discord/usage-message.ts';
import type { UsageReports } from '../services/usage-report.ts';

export type QuotaCommandParts = {
  readonly ledger: Ledger;
  readonly reports: UsageReports;
  readonly budgetOf: (guild: string) => NanoUsd;
  readonly replies: ReplyEditor;
};

/** `/quota`: what a member has spent this month, and what is left. */
export function createQuotaCommand(parts: QuotaCommandParts): Command {
  return {
    schema: {
      name: 'quota',
      description: 'What you have spent on images this month, and what is left',
      contexts: [InteractionContextType.Guild],
    },
    isPrivate: () => true,
    begin: async (interaction) => ({
      abandon: async () => undefined,
      run: async () => answer(parts, interaction),
    }),
  };
}

async function answer(parts: QuotaCommandParts, interaction: GuildCommand): Promise<void> {
  const { ledger, reports, budgetOf, replies } = parts;
  const { guildId: guild, user } = interaction;
  const period = periodOfSnowflake(interaction.id);
  const report = await reports.read(guild, period, user.id);
  const remaining = remainingBudget(await ledger.head(guild, period), budgetOf(guild));
  await replies.edit(interaction, renderText(describeQuota(report, remaining)));
}
