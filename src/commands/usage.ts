import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ApplicationCommandOptionType, InteractionContextType, PermissionFlagsBits } from 'discord.js';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import { formatPeriod, parsePeriod, periodOfSnowflake } from '../billing/period.ts';
import type { Command, GuildCommand } from '../discord/command.ts';
import type { Upload } from '../discord/multipart.ts';
import { uploadFromBytes } from '../discord/multipart.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText, renderTextWithFiles } from '../discord/result-message.ts';
import { describeUsage } from '../discord/usage-message.ts';
import { formatSize } from '../discord/wording.ts';
import { exportLedger } from '../services/ledger-export.ts';
import type { UsageReports } from '../services/usage-report.ts';

export type UsageCommandParts = {
  readonly ledger: Ledger;
  readonly reports: UsageReports;
  readonly budgetOf: (guild: string) => NanoUsd;
  readonly replies: ReplyEditor;
};

const compress = promisify(gzip);

/** `/usage`: what a server has spent, for those who answer for it. */
export function createUsageCommand(parts: UsageCommandParts): Command {
  return {
    schema: {
      name: 'usage',
      description: 'What this server has spent on images',
      contexts: [InteractionContextType.Guild],
      default_member_permissions: PermissionFlagsBits.ManageGuild.toString(),
      options: [
        {
          type: ApplicationCommandOptionType.String,
          name: 'month',
          description: 'Another month, like 2026-11',
          min_length: 6,
          max_length: 7,
        },
        { type: ApplicationCommandOptionType.User, name: 'member', description: 'Only what this member has spent' },
        {
          type: ApplicationCommandOptionType.Boolean,
          name: 'export',
          description: 'Attach every entry as CSV and JSONL',
        },
      ],
    },
    isPrivate: () => true,
    begin: async (interaction) => ({ run: async () => answer(parts, interaction) }),
  };
}

async function answer(parts: UsageCommandParts, interaction: GuildCommand): Promise<void> {
  const { ledger, reports, replies } = parts;
  const { guildId: guild, options } = interaction;
  const say = async (text: string): Promise<void> => replies.edit(interaction, renderText(text));

  // Discord hides the command from others, but a server's owner can show it to anybody.
  if (!interaction.memberPermissions?.has(PermissionFlagsBits.ManageGuild)) {
    return say('Only members who may manage this server can see what it has spent. `/quota` shows your own numbers.');
  }
  const month = options.getString('month');
  const period = month === null ? periodOfSnowflake(interaction.id) : parsePeriod(month);
  if (period === undefined) return say('That is not a month. Write it like `2026-11`.');

  const member = options.getUser('member')?.id;
  const report = await reports.read(guild, period, member);
  const text = describeUsage(report, { limit: parts.budgetOf(guild), member });
  if (!options.getBoolean('export')) return say(text);

  const { csv, jsonl } = await exportLedger(ledger, guild, period, member);
  const name = `easel-${formatPeriod(period)}${member === undefined ? '' : `-${member}`}`;
  const limitBytes = interaction.attachmentSizeLimit;
  const files = await Promise.all([
    toUpload(`${name}.csv`, 'text/csv', csv, limitBytes),
    toUpload(`${name}.jsonl`, 'application/x-ndjson', jsonl, limitBytes),
  ]);
  const tooLarge = files.find(({ sizeBytes }) => sizeBytes > limitBytes);
  if (tooLarge) {
    return say(
      `${text}\n\nThe export is larger than the ${formatSize(limitBytes)} that Discord takes here. ` +
        'Export one member at a time, or ask the operator for the whole of it.',
    );
  }
  const names = files.map((file) => file.name);
  return replies.edit(interaction, renderTextWithFiles(text, names), files);
}

/** A text file, compressed only where it would be too large as it is. */
async function toUpload(name: string, contentType: string, text: string, limitBytes: number): Promise<Upload> {
  const bytes = Buffer.from(text);
  return bytes.length <= limitBytes
    ? uploadFromBytes(name, contentType, bytes)
    : uploadFromBytes(`${name}.gz`, 'application/gzip', await compress(bytes));
}
