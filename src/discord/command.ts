import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js';

/** A command that came from a server, which is where budgets and permissions are. */
export type GuildCommand = ChatInputCommandInteraction & { readonly guildId: string };

/** What a command does once it is known whether Discord took the acknowledgement. */
export type CommandTask = {
  /** Answers by editing the deferred reply, and may take as long as it needs. */
  run(): Promise<void>;
  /** Discord did not take the acknowledgement: nobody is waiting for an answer here. */
  abandon(): Promise<void>;
};

/** One verb that people can type. The router acknowledges it before anything else happens. */
export type Command = {
  readonly schema: RESTPostAPIChatInputApplicationCommandsJSONBody;
  /** Whether only the person who asked sees the answer. Discord lets this be decided only once. */
  isPrivate(interaction: GuildCommand): boolean;
  /** Runs beside the acknowledgement and must be short: it may leave a trace in case the process dies. */
  begin(interaction: GuildCommand): Promise<CommandTask>;
  /** Suggests values for the option that is being typed. Reads nothing but memory. */
  suggest?(interaction: AutocompleteInteraction): readonly { readonly name: string; readonly value: string }[];
};
