import type { CommandForm } from './command-schema.ts';
import { COMMAND_TYPE } from './command-schema.ts';
import type { SnowflakeSource } from './snowflake.ts';

/** A command as Discord keeps it. */
export type RegisteredCommand = {
  readonly id: string;
  /** Changes with every change of the command. */
  readonly version: string;
} & CommandForm;

/** The application's global commands. */
export class CommandRegistry {
  readonly #nextId: SnowflakeSource;
  #commands: readonly RegisteredCommand[] = [];

  constructor(nextId: SnowflakeSource) {
    this.#nextId = nextId;
  }

  /** Replaces all commands; one of the same name and type keeps its id. */
  overwrite(forms: readonly CommandForm[]): readonly RegisteredCommand[] {
    this.#commands = forms.map((form) => ({
      ...form,
      id: this.find(form.type, form.name)?.id ?? this.#nextId(),
      version: this.#nextId(),
    }));
    return this.#commands;
  }

  all(): readonly RegisteredCommand[] {
    return this.#commands;
  }

  find(type: CommandForm['type'], name: string): RegisteredCommand | undefined {
    return this.#commands.find((command) => command.type === type && command.name === name);
  }
}

/** A command as REST shows it. */
export function commandToWire(
  command: RegisteredCommand,
  application: { readonly id: string; readonly installations: readonly number[] },
): Record<string, unknown> {
  return {
    ...command,
    application_id: application.id,
    description: command.description ?? '',
    default_member_permissions: command.default_member_permissions ?? null,
    dm_permission: command.dm_permission ?? true,
    contexts: command.contexts ?? null,
    integration_types: command.integration_types ?? application.installations,
    nsfw: command.nsfw ?? false,
    ...(command.type === COMMAND_TYPE.chatInput ? { options: command.options ?? [] } : { options: undefined }),
  };
}
