import { randomBytes } from 'node:crypto';
import type { AutocompleteInteraction, Interaction } from 'discord.js';
import { InteractionResponseType, MessageFlags, Routes } from 'discord.js';
import type { Logger } from 'pino';
import type { Button, Command, Task } from './command.ts';
import { readButtonId } from './custom-id.ts';
import type { ReplyEditor } from './reply-editor.ts';
import { describeRefusal } from './refusal-message.ts';
import { renderText } from './result-message.ts';

/** Takes every interaction that Discord sends. Its promise never rejects. */
export type Router = {
  handle(interaction: Interaction): Promise<void>;
  /** No further commands are begun; resolves when those that were have ended. */
  drain(): Promise<void>;
  readonly active: number;
};

/** Discord may send the same interaction more than once; so many of the last ones are remembered. */
const REMEMBERED_INTERACTIONS_MAX = 10_000;
const REFERENCE_BYTES = 4;

export function createRouter(parts: {
  commands: readonly Command[];
  buttons: readonly Button[];
  replies: ReplyEditor;
  log: Logger;
}): Router {
  const { replies, log } = parts;
  const commands = new Map(parts.commands.map((command) => [command.schema.name, command]));
  const buttons = new Map(parts.buttons.map((button) => [button.verb, button]));
  const seen = new Set<string>();
  const active = new Set<Promise<void>>();

  /** Whether this interaction is here for the first time, as far as this process can tell. */
  function isNew(id: string): boolean {
    if (seen.has(id)) return false;
    seen.add(id);
    const [oldest] = seen;
    if (seen.size > REMEMBERED_INTERACTIONS_MAX && oldest !== undefined) seen.delete(oldest);
    return true;
  }

  /** Acknowledges, and beside that begins; what takes long comes after both. */
  async function perform(interaction: Answerable, { isPrivate, begin }: Plan): Promise<void> {
    const [acknowledged, begun] = await Promise.allSettled([acknowledge(interaction, isPrivate), begin()]);
    if (acknowledged.status === 'rejected') {
      // Another process has it, or nobody waits any more: either way nothing may be held or paid for it here.
      log.warn({ job: interaction.id, err: acknowledged.reason }, 'acknowledgement refused');
      return begun.status === 'fulfilled' ? begun.value.abandon?.() : undefined;
    }
    if (begun.status === 'rejected') throw begun.reason;
    return begun.value.run();
  }

  /** The one place where what nobody expected is caught: logged in full, and shown as a reference only. */
  async function guard(interaction: Answerable, plan: Plan): Promise<void> {
    try {
      await perform(interaction, plan);
    } catch (error) {
      const reference = randomBytes(REFERENCE_BYTES).toString('hex');
      log.error({ job: interaction.id, reference, err: error }, 'command failed');
      await replies.edit(interaction, renderText(describeRefusal({ reason: 'bug', reference })));
    }
  }

  function planOf(interaction: Interaction): Plan | undefined {
    if (interaction.isChatInputCommand() && isFromGuild(interaction)) {
      const command = commands.get(interaction.commandName);
      const begin = command && (async () => command.begin(interaction));
      return begin && { isPrivate: command.isPrivate(interaction), begin };
    }
    if (interaction.isButton() && isFromGuild(interaction)) {
      const id = readButtonId(interaction.customId);
      const button = id && buttons.get(id.verb);
      return button && { isPrivate: true, begin: async () => button.begin(interaction, id.jobId) };
    }
    return undefined;
  }

  async function suggest(interaction: AutocompleteInteraction): Promise<void> {
    try {
      const suggestions = (await commands.get(interaction.commandName)?.suggest?.(interaction)) ?? [];
      await interaction.respond([...suggestions]);
    } catch (error) {
      log.debug({ err: error }, 'nothing was suggested, or too late');
    }
  }

  return {
    async handle(interaction) {
      if (interaction.isAutocomplete()) return suggest(interaction);
      const plan = planOf(interaction);
      if (!plan || !isNew(interaction.id)) return undefined;
      const work = guard(interaction, plan);
      active.add(work);
      await work;
      active.delete(work);
      return undefined;
    },
    async drain() {
      await Promise.all(active);
    },
    get active() {
      return active.size;
    },
  };
}

/** What of an interaction an acknowledgement and a reply need. */
type Answerable = Pick<Interaction, 'id' | 'token' | 'applicationId' | 'client'>;

type Plan = { readonly isPrivate: boolean; readonly begin: () => Promise<Task> };

function isFromGuild<Kind extends { readonly guildId: string | null; readonly channelId: string | null }>(
  interaction: Kind,
): interaction is Kind & { readonly guildId: string; readonly channelId: string } {
  return interaction.guildId !== null && interaction.channelId !== null;
}

/** Tells Discord that an answer will follow. Discord takes one such word for each interaction, from whoever is first. */
async function acknowledge(interaction: Answerable, isPrivate: boolean): Promise<void> {
  await interaction.client.rest.post(Routes.interactionCallback(interaction.id, interaction.token), {
    auth: false,
    body: {
      type: InteractionResponseType.DeferredChannelMessageWithSource,
      data: { flags: isPrivate ? MessageFlags.Ephemeral : 0 },
    },
  });
}
