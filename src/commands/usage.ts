import type { AutocompleteInteraction } from 'discord.js';
import { ApplicationCommandOptionType, InteractionContextType, PermissionFlagsBits } from 'discord.js';
import type { Logger } from 'pino';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import { formatPeriod, parsePeriod, periodOfSnowflake } from '../billing/period.ts';
import type { Command, GuildCommand, Suggestion } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import type { Upload } from '../discord/multipart.ts';
import { REQUEST_FILES_BYTES_MAX, uploadFromBytes, uploadFromFile } from '../discord/multipart.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText, renderTextWithFiles } from '../discord/message-payload.ts';
import type { UsageView } from '../discord/usage-message.ts';
import { chartWords, describeChart, describeUsage } from '../discord/usage-message.ts';
import { formatCodes, formatMonth, formatSize } from '../discord/wording.ts';
import type { Words } from '../discord/words.ts';
import { wordsFor } from '../discord/words.ts';
import type { ChartRenderer } from '../services/usage/chart-renderer.ts';
import type { ExportFile, ExportFiles } from '../services/usage/export-files.ts';
import { chartOf } from '../services/usage/usage-chart-data.ts';
import type { UsageReport, UsageReports } from '../services/usage/usage-report.ts';
import { mayManageServer } from './asker.ts';
import { SUGGESTIONS_MAX } from './image-options.ts';

export type UsageCommandParts = {
  readonly ledger: Ledger;
  readonly reports: UsageReports;
  readonly charts: ChartRenderer;
  readonly exports: ExportFiles;
  readonly budgetOf: (guild: string) => Promise<NanoUsd>;
  readonly replies: ReplyEditor;
  readonly now: () => number;
  readonly log: Logger;
};

/** A table, and the same as JSON. */
const EXPORT_FILES = 2;

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
          autocomplete: true,
        },
        { type: ApplicationCommandOptionType.User, name: 'member', description: 'Only what this member has spent' },
        {
          type: ApplicationCommandOptionType.Boolean,
          name: 'export',
          description: 'Attach every entry as CSV and JSONL',
        },
      ],
    },
    answer: (interaction) => answerAfterwards('private-reply', async () => answer(parts, interaction)),
    suggest: async (interaction) => suggestMonths(parts, interaction),
  };
}

async function answer(parts: UsageCommandParts, interaction: GuildCommand): Promise<void> {
  const { reports, exports, replies, now } = parts;
  const { guildId: guild, options } = interaction;
  const words = wordsFor(interaction.locale);

  if (!mayManageServer(interaction)) {
    return replies.answer(interaction, renderText(words.say('usage.not-allowed')));
  }
  const month = options.getString('month');
  const period = month === null ? periodOfSnowflake(interaction.id) : parsePeriod(month);
  if (period === undefined) {
    return replies.answer(interaction, renderText(words.say('usage.not-a-month')));
  }
  const member = options.getUser('member')?.id;
  const report = await reports.read(guild, period, member);
  const view = { limit: await parts.budgetOf(guild), member, now: now() };
  const chart = await printChart(parts, report, view, words);
  const text = describeUsage(report, view, words);
  if (!options.getBoolean('export')) return send(parts, interaction, { text, withoutFiles: text, chart, files: [] });

  // All of it goes up in one request, and the chart takes its place in that first.
  const roomBytes = REQUEST_FILES_BYTES_MAX - (chart?.upload.sizeBytes ?? 0);
  const sizeBytesMax = Math.min(interaction.attachmentSizeLimit, Math.floor(roomBytes / EXPORT_FILES));
  await exports.withFiles({ guild, period, member, sizeBytesMax }, async (written) => {
    const files = written.filter(({ sizeBytes }) => sizeBytes <= sizeBytesMax);
    await send(parts, interaction, {
      text: `${text}${describeTooLarge(written, sizeBytesMax, words)}`,
      withoutFiles: `${text}${describeRefused(written, words)}`,
      chart,
      files,
    });
  });
}

type Chart = { readonly upload: Upload; readonly altText: string };

type Answer = {
  readonly text: string;
  /** What is said where Discord finds too large what comes with it. */
  readonly withoutFiles: string;
  readonly chart: Chart | undefined;
  readonly files: readonly ExportFile[];
};

async function send(
  parts: UsageCommandParts,
  interaction: GuildCommand,
  { text, withoutFiles, chart, files }: Answer,
): Promise<void> {
  const names = files.map(({ name }) => name);
  const picture = chart && { name: chart.upload.name, altText: chart.altText };
  const uploads = [...(chart ? [chart.upload] : []), ...files.map((file) => uploadFromFile(file.path, file))];
  const message = renderTextWithFiles(text, names, picture);
  await parts.replies.answer(interaction, message, uploads, renderText(withoutFiles));
}

/** A report is worth as much without its picture, which words can stand in for. */
async function printChart(
  { charts, log }: UsageCommandParts,
  report: UsageReport,
  view: UsageView,
  words: Words,
): Promise<Chart | undefined> {
  if (report.isPruned) return undefined;
  try {
    const budget = view.member === undefined ? view.limit : undefined;
    const png = await charts.render(
      chartOf(report, { budget, now: view.now, words: chartWords(report.period, words) }),
    );
    const upload = uploadFromBytes(`usage-${formatPeriod(report.period)}.png`, 'image/png', png);
    return { upload, altText: describeChart(report, view, words) };
  } catch (error) {
    log.warn({ err: error }, 'a chart could not be drawn; the report goes out without it');
    return undefined;
  }
}

function describeTooLarge(files: readonly ExportFile[], sizeBytesMax: number, words: Words): string {
  const names = files.filter(({ sizeBytes }) => sizeBytes > sizeBytesMax).map(({ name }) => name);
  if (names.length === 0) return '';
  const values = { limit: formatSize(sizeBytesMax, words), files: formatCodes(names, words) };
  return `\n\n${words.say('usage.export-too-large', values)}`;
}

function describeRefused(files: readonly ExportFile[], words: Words): string {
  const names = files.map(({ name }) => name);
  return `\n\n${words.say('usage.export-refused', { files: formatCodes(names, words) })}`;
}

/** The months that have entries, the latest first, by what is typed of their number or their name. */
async function suggestMonths(
  { ledger }: UsageCommandParts,
  interaction: AutocompleteInteraction,
): Promise<readonly Suggestion[]> {
  const { guildId: guild } = interaction;
  if (guild === null || !mayManageServer(interaction)) return [];
  const words = wordsFor(interaction.locale);
  const typed = interaction.options.getFocused().toLowerCase();
  const months = await ledger.periods(guild, periodOfSnowflake(interaction.id));
  return months
    .map((period) => ({ name: formatMonth(period, words), value: formatPeriod(period) }))
    .filter(({ name, value }) => value.includes(typed) || name.toLowerCase().includes(typed))
    .slice(0, SUGGESTIONS_MAX);
}
