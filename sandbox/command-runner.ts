import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { TypedCommand } from './command-line.ts';
import type { RegisteredCommand } from './discord/command-registry.ts';
import { OPTION_TYPE } from './discord/command-schema.ts';
import type { EmulatedMessage } from './discord/message.ts';
import type { OptionValues } from './discord/option-values.ts';
import { renderMessage } from './discord/render.ts';
import { isFinal } from './final-message.ts';
import type { Stage } from './stage.ts';

/** What a member sees of a command's end, and where its files were put. */
export type CommandResult = { readonly text: string; readonly savedPaths: readonly string[] };

/** Longer than the slowest real provider takes. */
const ANSWER_WAIT_MS_MAX = 10 * 60_000;
const OUTPUT_DIRECTORY = 'sandbox-output';

/** Types a command into the emulated Discord, waits for its end, and saves what came with it. */
export async function runCommand(stage: Stage, { name, options }: TypedCommand): Promise<CommandResult> {
  const { discord } = stage;
  const command = discord.registeredCommands().find((registered) => registered.name === name);
  if (!command) {
    const names = discord.registeredCommands().map((registered) => registered.name);
    throw new Error(`There is no command "${name}". There are: ${names.join(', ')}.`);
  }
  const interaction = discord.invoke({
    command: name,
    // Commands that are for administrators only are typed by one.
    member: command.default_member_permissions ? stage.administrator : stage.member,
    channel: stage.channel,
    options: await readValues(stage, command, options),
  });
  const message = await interaction.finalMessage({
    timeoutMs: ANSWER_WAIT_MS_MAX,
    where: isFinal,
  });
  return { text: asRead(stage, renderMessage(message)), savedPaths: await saveFiles(message) };
}

/** Turns typed words into what the command's options take: files, numbers, yes and no. */
async function readValues(
  stage: Stage,
  command: RegisteredCommand,
  typed: TypedCommand['options'],
): Promise<OptionValues> {
  const values: Record<string, OptionValues[string]> = {};
  for (const [name, value] of Object.entries(typed)) {
    const type = command.options?.find((option) => option.name === name)?.type;
    if (type === OPTION_TYPE.attachment && value !== true) {
      values[name] = stage.discord.uploadAttachment({ bytes: await readFile(value), filename: basename(value) });
    } else if (type === OPTION_TYPE.integer || type === OPTION_TYPE.number) {
      values[name] = Number(value);
    } else if (type === OPTION_TYPE.boolean) {
      values[name] = value === true || value === 'true' || value === 'yes';
    } else {
      values[name] = value;
    }
  }
  return values;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Mentions and times as Discord's client would write them out. */
function asRead(stage: Stage, text: string): string {
  const { world, clock } = stage.discord;
  const timeFormat = new Intl.RelativeTimeFormat('en');
  return text
    .replace(/<@(\d+)>/g, (mention, id: string) => `@${world.users.get(id)?.username ?? mention}`)
    .replace(/<t:(\d+):R>/g, (_mark, seconds: string) => {
      const distanceMs = Number(seconds) * 1_000 - clock.now();
      return Math.abs(distanceMs) >= DAY_MS
        ? timeFormat.format(Math.round(distanceMs / DAY_MS), 'day')
        : timeFormat.format(Math.round(distanceMs / HOUR_MS), 'hour');
    });
}

async function saveFiles(message: EmulatedMessage): Promise<string[]> {
  const savedPaths: string[] = [];
  for (const { filename, bytes } of message.shownAttachments) {
    await mkdir(OUTPUT_DIRECTORY, { recursive: true });
    const path = join(OUTPUT_DIRECTORY, filename);
    await writeFile(path, bytes);
    savedPaths.push(relative('.', path));
  }
  return savedPaths;
}
