import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { TypedCommand } from './command-line.ts';
import { COMPONENT } from './discord/component-schema.ts';
import { walkComponents } from './discord/component-tree.ts';
import type { InteractionHandle } from './discord/interaction-handle.ts';
import type { EmulatedMessage } from './discord/message.ts';
import { COMMAND_TYPE } from './discord/numbers.ts';
import { optionsAt } from './discord/option-values.ts';
import { renderMessage } from './discord/render.ts';
import { isFinal } from './final-message.ts';
import { readAnswers, renderForm } from './form-answers.ts';
import type { Stage } from './stage.ts';
import { readValues } from './typed-options.ts';

/** What a member sees of a command's end, and where its files were put. */
export type CommandResult = { readonly text: string; readonly savedPaths: readonly string[] };

/** Longer than the slowest real provider takes. */
const ANSWER_WAIT_MS_MAX = 10 * 60_000;

/** Somebody at the emulated Discord, who can type commands and press the buttons under the last answer. */
export type CommandRunner = {
  /** Types a command, waits for its end, and saves what came with it. */
  type(command: TypedCommand): Promise<CommandResult>;
  /** Presses a button by what is written on it, and fills in the form that may open. */
  press(label: string, answers: TypedCommand['options']): Promise<CommandResult>;
};

/** @param outputDirectory where the files of answers are put */
export function createCommandRunner(stage: Stage, outputDirectory: string): CommandRunner {
  let last: EmulatedMessage | undefined;

  /** Waits for the end of what was begun. What deletes a message is at its end when that is gone. */
  async function follow(interaction: InteractionHandle, pressedOn?: EmulatedMessage): Promise<CommandResult> {
    const end = await stage.discord.waitFor(() => {
      const isGone = pressedOn && stage.discord.message(pressedOn.id)?.deletedAtMs !== undefined;
      return isGone ? 'gone' : interaction.finalMessageNow(isFinal);
    }, ANSWER_WAIT_MS_MAX);
    last = end === 'gone' ? undefined : end;
    if (end === 'gone') return { text: '(deleted)', savedPaths: [] };
    return { text: asRead(stage, renderMessage(end)), savedPaths: await saveFiles(end, outputDirectory) };
  }

  return {
    type: async (command) => follow(await send(stage, command)),
    async press(label, answers) {
      const message = last && stage.discord.message(last.id);
      if (!message) throw new Error('There is no answer yet whose buttons could be pressed.');
      const pressed = stage.discord.click({ member: stage.member, message, customId: findButton(message, label) });
      await pressed.acknowledged();
      if (!pressed.modal) return follow(pressed, message);
      if (Object.keys(answers).length === 0) return { text: renderForm(pressed.modal), savedPaths: [] };
      const filled = await readAnswers(stage, pressed.modal, answers);
      return follow(stage.discord.submitModal({ member: stage.member, interaction: pressed, answers: filled }));
    },
  };
}

function findButton({ components }: EmulatedMessage, label: string): string {
  const buttons = walkComponents(components).flatMap(({ component }) =>
    component.type === COMPONENT.button && typeof component.custom_id === 'string' ? [component] : [],
  );
  const button = buttons.find((candidate) => candidate.label?.toLowerCase() === label.toLowerCase());
  if (typeof button?.custom_id === 'string') return button.custom_id;
  throw new Error(
    `There is no button "${label}". There are: ${buttons.map((each) => each.label).join(', ') || 'none'}.`,
  );
}

async function send(stage: Stage, { name, options }: TypedCommand): Promise<InteractionHandle> {
  const { discord } = stage;
  const [first = '', ...path] = name.split(' ');
  const typeable = discord.registeredCommands().filter(({ type }) => type === COMMAND_TYPE.chatInput);
  const command = typeable.find((registered) => registered.name === first);
  if (!command) {
    const names = typeable.map((registered) => registered.name);
    throw new Error(`There is no command "${first}". There are: ${names.join(', ')}.`);
  }
  return discord.invoke({
    command: name,
    // Commands that are for administrators only are typed by one.
    member: command.default_member_permissions ? stage.administrator : stage.member,
    channel: stage.channel,
    options: await readValues(stage, optionsAt(command, path), options),
  });
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNITS = [
  ['day', DAY_MS],
  ['hour', HOUR_MS],
] as const;

/** Mentions and times as Discord's client would write them out. */
function asRead(stage: Stage, text: string): string {
  const { world, clock } = stage.discord;
  const timeFormat = new Intl.RelativeTimeFormat('en');
  return text
    .replace(/<@(\d+)>/g, (mention, id: string) => `@${world.users.get(id)?.username ?? mention}`)
    .replace(/<t:(\d+):R>/g, (_mark, seconds: string) => {
      const distanceMs = Number(seconds) * 1_000 - clock.now();
      const [unit, unitMs] = UNITS.find(([, lengthMs]) => Math.abs(distanceMs) >= lengthMs) ?? ['minute', MINUTE_MS];
      return timeFormat.format(Math.round(distanceMs / unitMs), unit);
    });
}

async function saveFiles(message: EmulatedMessage, outputDirectory: string): Promise<string[]> {
  const savedPaths: string[] = [];
  for (const { filename, bytes } of message.shownAttachments) {
    await mkdir(outputDirectory, { recursive: true });
    const path = join(outputDirectory, filename);
    await writeFile(path, bytes);
    savedPaths.push(relative('.', path));
  }
  return savedPaths;
}
