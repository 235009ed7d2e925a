import type {
  AutocompleteInteraction,
  ButtonInteraction,
  ChatInputCommandInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js';

/** Something that came from a server, which is where budgets and permissions are. */
type FromGuild<Kind> = Kind & { readonly guildId: string; readonly channelId: string };

export type GuildCommand = FromGuild<ChatInputCommandInteraction>;
export type GuildButton = FromGuild<ButtonInteraction>;

/** What is to be done once it is known whether Discord took the acknowledgement. */
export type Task = {
  /** Answers by editing the deferred reply, and may take as long as it needs. */
  run(): Promise<void>;
  /** Discord did not take the acknowledgement: nobody is waiting for an answer here. */
  abandon?(): Promise<void>;
};

/** One verb that people can type. The router acknowledges it before anything else happens. */
export type Command = {
  readonly schema: RESTPostAPIChatInputApplicationCommandsJSONBody;
  /** Whether only the person who asked sees the answer. Discord lets this be decided only once. */
  isPrivate(interaction: GuildCommand): boolean;
  /** Runs beside the acknowledgement and must be short: it may leave a trace in case the process dies. */
  begin(interaction: GuildCommand): Promise<Task>;
  /** Suggests values for the option that is being typed. It has to be quick: people type on, and ask again. */
  suggest?(interaction: AutocompleteInteraction): readonly Suggestion[] | Promise<readonly Suggestion[]>;
};

/** What people read, and what the command is given when they choose it. */
export type Suggestion = { readonly name: string; readonly value: string };

/** One verb that people can press. Its answer is for the person who pressed it alone. */
export type Button = {
  readonly verb: string;
  begin(interaction: GuildButton, jobId: string): Promise<Task>;
};
