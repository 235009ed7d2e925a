import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  Interaction,
  MessageComponentInteraction,
  ModalSubmitInteraction,
} from 'discord.js';
import type { Logger } from 'pino';
import type { Button, Command, FirstAnswer, MessageMenu, Modal } from './command.ts';
import { nameOption } from './command-words.ts';
import { readCustomId } from './custom-id.ts';
import { settleOptions } from './option-values.ts';
import { answerEphemerally } from './ephemeral-answer.ts';
import { giveWay } from './giving-way.ts';
import type { ReplyTarget } from './message-requests.ts';
import type { ReplyEditor } from './reply-editor.ts';
import type { MessageKey } from './words.ts';
import { wordsFor } from './words.ts';

/** What is asked for by a command, a menu, a button or a form. */
export type AskingInteraction = Exclude<Interaction, AutocompleteInteraction>;

/** Everything that people can ask for, and where it is answered. */
export type Verbs = {
  /** The first answer to an interaction; undefined where it is none of ours. */
  answer(interaction: AskingInteraction): FirstAnswer | Promise<FirstAnswer> | undefined;
  /** Answers whoever is typing an option. Its promise never rejects. */
  suggest(interaction: AutocompleteInteraction): Promise<void>;
};

export function createVerbs(parts: {
  commands: readonly Command[];
  menus: readonly MessageMenu[];
  buttons: readonly Button[];
  modals: readonly Modal[];
  replies: ReplyEditor;
  log: Logger;
}): Verbs {
  const { replies, log } = parts;
  const commands = new Map(parts.commands.map((command) => [command.schema.name, command]));
  const menus = new Map(parts.menus.map((menu) => [menu.schema.name, menu]));
  const buttons = new Map(parts.buttons.map((button) => [button.verb, button]));
  const modals = new Map(parts.modals.map((modal) => [modal.verb, modal]));

  function answer(interaction: AskingInteraction): ReturnType<Verbs['answer']> {
    if (interaction.guildId !== null && isUserInstalledOnly(interaction))
      return apologize(interaction, 'router.not-on-server');
    if (interaction.isMessageComponent() || interaction.isModalSubmit()) return answerUse(interaction);
    if (!isFromGuild(interaction)) return answerElsewhere(interaction);
    if (interaction.isMessageContextMenuCommand()) return menus.get(interaction.commandName)?.answer(interaction);
    if (!interaction.isChatInputCommand()) return undefined;
    const command = commands.get(interaction.commandName);
    if (!command) return undefined;
    const unusable = settleOptions(command.schema.options ?? [], interaction.options);
    return unusable === undefined ? command.answer(interaction) : turnAway(interaction, unusable);
  }

  /** Commands are registered for servers only. Whoever can use one elsewhere all the same is told why nothing comes of it. */
  function answerElsewhere(interaction: AskingInteraction): FirstAnswer | undefined {
    const isOurs =
      (interaction.isChatInputCommand() && commands.has(interaction.commandName)) ||
      (interaction.isMessageContextMenuCommand() && menus.has(interaction.commandName));
    return isOurs ? apologize(interaction, 'router.commands-only-in-servers') : undefined;
  }

  /** Buttons and forms live on in messages, so there may be some that nobody answers any more, and they are told so. */
  function answerUse(interaction: MessageComponentInteraction | ModalSubmitInteraction): ReturnType<Verbs['answer']> {
    const customId = readCustomId(interaction.customId);
    if (customId === undefined) return undefined;
    if (!isFromGuild(interaction)) return apologize(interaction, 'router.only-in-servers');
    if (customId === 'unreadable') return answerOutdated(interaction);
    const { verb, id } = customId;
    if (interaction.isModalSubmit()) return modals.get(verb)?.answer(interaction, id) ?? answerOutdated(interaction);
    const button = interaction.isButton() ? buttons.get(verb)?.answer(interaction, id) : undefined;
    return button ?? answerOutdated(interaction);
  }

  /** During an update, the other version runs beside this one, and may know what this one does not. */
  async function answerOutdated(interaction: MessageComponentInteraction | ModalSubmitInteraction) {
    await giveWay();
    return apologize(interaction, 'router.outdated');
  }

  function turnAway(interaction: ChatInputCommandInteraction, name: string): FirstAnswer {
    log.warn({ job: interaction.id, option: name }, 'an option came with what it cannot have');
    const words = wordsFor(interaction.locale);
    return answerEphemerally(
      replies,
      interaction,
      words.say('router.unusable-option', { option: nameOption(name, words) }),
    );
  }

  function apologize(interaction: Apologizable, key: MessageKey): FirstAnswer {
    return answerEphemerally(replies, interaction, wordsFor(interaction.locale).say(key));
  }

  async function suggest(interaction: AutocompleteInteraction): Promise<void> {
    try {
      const suggestions = (await commands.get(interaction.commandName)?.suggest?.(interaction)) ?? [];
      await interaction.respond([...suggestions]);
    } catch (error) {
      log.debug({ err: error }, 'nothing was suggested, or too late');
    }
  }

  return { answer, suggest };
}

type Apologizable = ReplyTarget & { readonly locale: string };

/**
 * Whether somebody has Easel in their account and uses it on a server that it was not added to, whose administrators
 * have allowed nothing. Where it is not said who added it, as in emulations of Discord, it was the server.
 */
function isUserInstalledOnly({ authorizingIntegrationOwners: owners }: AskingInteraction): boolean {
  return owners.guildId === null && owners.userId !== null;
}

function isFromGuild<Kind extends { readonly guildId: string | null; readonly channelId: string | null }>(
  interaction: Kind,
): interaction is Kind & { readonly guildId: string; readonly channelId: string } {
  return interaction.guildId !== null && interaction.channelId !== null;
}
