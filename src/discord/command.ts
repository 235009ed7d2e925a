import type {
  APIModalInteractionResponseCallbackData,
  AutocompleteInteraction,
  ButtonInteraction,
  ChatInputCommandInteraction,
  MessageContextMenuCommandInteraction,
  ModalSubmitInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody,
  RESTPostAPIContextMenuApplicationCommandsJSONBody,
} from 'discord.js';

/** Something that came from a server, which is where budgets and permissions are. */
type FromGuild<Kind> = Kind & { readonly guildId: string; readonly channelId: string };

export type GuildCommand = FromGuild<ChatInputCommandInteraction>;
export type GuildMessageMenu = FromGuild<MessageContextMenuCommandInteraction>;
export type GuildButton = FromGuild<ButtonInteraction>;
export type GuildModal = FromGuild<ModalSubmitInteraction>;
/** Whatever a member can ask for an image with. */
export type GuildInteraction = GuildCommand | GuildMessageMenu | GuildButton | GuildModal;

/** What is to be done once it is known whether Discord took the acknowledgement. */
export type Task = {
  /** May take as long as it needs. A deferred reply is answered by editing it. */
  run(): Promise<void>;
  /** Discord did not take the acknowledgement: nobody is waiting for an answer here. */
  abandon?(): Promise<void>;
};

/**
 * The acknowledgement, which has to be there within three seconds and decides for good what may follow: a reply that
 * everybody sees, a reply for whoever asked alone, or changes of the message that a button is under. `begin` runs
 * beside it and must be short: it may leave a trace in case the process dies.
 */
export type Deferral = {
  readonly first: 'public-reply' | 'private-reply' | 'update';
  readonly begin: () => Promise<Task>;
};

/** A form as the first answer. Nothing follows it; what comes of it is an interaction of its own. */
export type ModalOpening = { readonly first: 'modal'; readonly modal: APIModalInteractionResponseCallbackData };

export type FirstAnswer = Deferral | ModalOpening;

/** An answer before which nothing has to be left in case the process dies. */
export function answerAfterwards(first: Deferral['first'], run: Task['run']): Deferral {
  return { first, begin: async () => ({ run }) };
}

/** One verb that people can type. A promise has to be quick, because the acknowledgement waits for it. */
export type Command = {
  readonly schema: RESTPostAPIChatInputApplicationCommandsJSONBody;
  answer(interaction: GuildCommand): Deferral | Promise<Deferral>;
  /** Suggests values for the option that is being typed. It has to be quick: people type on, and ask again. */
  suggest?(interaction: AutocompleteInteraction): readonly Suggestion[] | Promise<readonly Suggestion[]>;
};

/** What people read, and what the command is given when they choose it. */
export type Suggestion = { readonly name: string; readonly value: string };

/** One verb in the menu of a message. */
export type MessageMenu = {
  readonly schema: RESTPostAPIContextMenuApplicationCommandsJSONBody;
  answer(interaction: GuildMessageMenu): FirstAnswer;
};

/** One verb that people can press. A promise has to be quick, because the acknowledgement waits for it. */
export type Button = {
  readonly verb: string;
  /** @param id the job that the button is about */
  answer(interaction: GuildButton, id: string): FirstAnswer | Promise<FirstAnswer>;
};

/** One form that people can send. Discord takes no second form as an answer to one. */
export type Modal = {
  readonly verb: string;
  /** @param id the job or the message that the form is about */
  answer(interaction: GuildModal, id: string): Deferral | Promise<Deferral>;
};
