import { waitForChange } from './changes.ts';
import type { RegisteredCommand } from './command-registry.ts';
import { COMMAND_TYPE } from './command-schema.ts';
import type { ButtonComponent, SelectComponent } from './component-schema.ts';
import { BUTTON_STYLE, COMPONENT } from './component-schema.ts';
import { walkComponents } from './component-tree.ts';
import type { Delivery, Gateway } from './gateway.ts';
import type { AutocompleteChoice } from './interaction.ts';
import { ACKNOWLEDGE_WITHIN_MS, INTERACTION_TYPE } from './interaction.ts';
import type { IntegrationOwners } from './installations.ts';
import { ownersOfCommand, ownersOnServer } from './installations.ts';
import type { InteractionHandle } from './interaction-handle.ts';
import { createInteractionHandle } from './interaction-handle.ts';
import type { Actor, NewInteraction } from './interaction-payload.ts';
import {
  actorUser,
  createInteraction,
  INTERACTION_CONTEXT,
  mayUseCommands,
  resolveChannel,
} from './interaction-payload.ts';
import type { EmulatedMessage } from './message.ts';
import type { ModalAnswers } from './modal-answers.ts';
import { checkCount, chooseEntities, writeModalAnswers } from './modal-answers.ts';
import type { FocusedOption, OptionValues } from './option-values.ts';
import { UnsendableCommand, writeOptions } from './option-values.ts';
import { permits } from './permissions.ts';
import type { Entity } from './resolved-data.ts';
import { ResolvedData } from './resolved-data.ts';
import type { EmulatorState } from './state.ts';
import type { EmulatedChannel } from './world.ts';
import type { WireObject } from './world-wire.ts';

/** How an event reaches the bot: to which sessions, and how many times; once to the latest when absent. */
export type DeliveryOptions = {
  readonly deliverTo?: Delivery;
  readonly times?: number;
};

type CommandOptions = {
  readonly member: Actor;
  /** The guild's first channel, or the direct messages, when absent. */
  readonly channel?: EmulatedChannel;
  /** The command's name, followed by group and subcommand: `settings limits set`. */
  readonly command: string;
  /** Sends the command as if an administrator had lifted its `default_member_permissions` for this member. */
  readonly permissionsLifted?: boolean;
} & DeliveryOptions;

export type InvokeOptions = {
  readonly options?: OptionValues;
} & CommandOptions;

export type AutocompleteOptions = {
  readonly focused: FocusedOption;
} & InvokeOptions;

export type MessageMenuOptions = {
  readonly message: EmulatedMessage;
} & CommandOptions;

export type ClickOptions = {
  readonly member: Actor;
  readonly message: EmulatedMessage;
  readonly customId: string;
} & DeliveryOptions;

export type SelectOptions = {
  /** Values of a string select, or the users, roles or channels chosen. */
  readonly values: readonly string[] | readonly Entity[];
} & ClickOptions;

export type SubmitModalOptions = {
  readonly member: Actor;
  /** The interaction that the bot answered with a modal. */
  readonly interaction: InteractionHandle;
  readonly answers: ModalAnswers;
} & DeliveryOptions;

/**
 * What members do in their clients. Everything the real client would not let through throws UnsendableCommand,
 * so a test cannot pass with input that never reaches a bot.
 */
export class MemberClient {
  readonly #state: EmulatorState;
  readonly #gateway: Gateway;

  constructor(state: EmulatorState, gateway: Gateway) {
    this.#state = state;
    this.#gateway = gateway;
  }

  /** Sends a chat command. */
  invoke(options: InvokeOptions): InteractionHandle {
    return this.#sendCommand(INTERACTION_TYPE.command, options);
  }

  /** Types into an option that has suggestions, and waits for them as long as Discord does. */
  async autocomplete(options: AutocompleteOptions): Promise<readonly AutocompleteChoice[]> {
    const handle = this.#sendCommand(INTERACTION_TYPE.autocomplete, options, options.focused);
    return waitForChange(
      this.#state.changes,
      () => handle.choices,
      () => `suggestions for "${options.focused.name}" of /${options.command}`,
      ACKNOWLEDGE_WITHIN_MS,
    );
  }

  /** Picks a command from a message's menu. */
  messageMenu(options: MessageMenuOptions): InteractionHandle {
    const channel = this.#state.world.channel(options.message.channelId);
    if (channel === undefined) throw new UnsendableCommand('The message stands in no channel.');
    const message = this.#visibleMessage(options.message, options.member);
    const command = this.#findCommand(COMMAND_TYPE.message, options.command, options, channel);
    const resolved = new ResolvedData(this.#state, channel.guildId);
    resolved.addMessage(message);
    const data = { ...describe(command, resolved), target_id: message.id };
    const owners = this.#ownersOf(command, options.member, channel);
    return this.#send({ type: INTERACTION_TYPE.command, actor: options.member, channel, data, owners }, options);
  }

  /** Presses a button. */
  click(options: ClickOptions): InteractionHandle {
    const message = this.#visibleMessage(options.message, options.member);
    const component = findInteractive(message, options.customId);
    if (component.type !== COMPONENT.button) throw new UnsendableCommand(`"${options.customId}" is no button.`);
    return this.#sendComponent(message, options, component, {});
  }

  /** Chooses in a select menu. */
  select(options: SelectOptions): InteractionHandle {
    const message = this.#visibleMessage(options.message, options.member);
    const component = findInteractive(message, options.customId);
    if (component.type === COMPONENT.button) throw new UnsendableCommand(`"${options.customId}" is no select.`);
    const refuse = (reason: string): never => {
      throw new UnsendableCommand(`The select "${options.customId}" ${reason}.`);
    };
    const resolved = new ResolvedData(this.#state, message.guildId);
    const values =
      component.type === COMPONENT.stringSelect
        ? options.values.map((value) => {
            const isOffered = component.options.some((option) => option.value === value);
            return isOffered && typeof value === 'string' ? value : refuse('has no such value');
          })
        : chooseEntities(component, options.values, resolved, refuse);
    checkCount(component, values.length, refuse);
    return this.#sendComponent(message, options, component, { values, resolved: resolved.toWire() });
  }

  /** Fills in and sends a modal. */
  submitModal(options: SubmitModalOptions): InteractionHandle {
    const { modal, id } = options.interaction;
    const opener = this.#state.interactions.get(id);
    if (modal === undefined || opener === undefined) throw new UnsendableCommand('The bot has opened no modal.');
    if (actorUser(options.member).id !== opener.userId) throw new UnsendableCommand("The modal is another member's.");
    const channel = this.#state.world.channel(opener.channelId);
    if (channel === undefined) throw new UnsendableCommand("The modal's channel is gone.");
    const resolved = new ResolvedData(this.#state, opener.guildId);
    const components = writeModalAnswers(modal, options.answers, resolved);
    return this.#send(
      {
        type: INTERACTION_TYPE.modalSubmit,
        actor: options.member,
        channel,
        data: { custom_id: modal.custom_id, components, resolved: resolved.toWire() },
        owners: opener.integrationOwners,
        sourceMessage:
          opener.sourceMessageId === undefined ? undefined : this.#state.messages.get(opener.sourceMessageId),
      },
      options,
    );
  }

  #sendCommand(
    type: typeof INTERACTION_TYPE.command | typeof INTERACTION_TYPE.autocomplete,
    options: InvokeOptions,
    focused?: FocusedOption,
  ): InteractionHandle {
    const channel = resolveChannel(this.#state, options.member, options.channel);
    const [name = '', ...path] = options.command.split(' ');
    const command = this.#findCommand(COMMAND_TYPE.chatInput, name, options, channel);
    const resolved = new ResolvedData(this.#state, channel.guildId);
    const written = writeOptions(command, path, options.options ?? {}, resolved, focused);
    const data = { ...describe(command, resolved), options: written };
    const owners = this.#ownersOf(command, options.member, channel);
    return this.#send({ type, actor: options.member, channel, data, owners }, options);
  }

  #sendComponent(
    message: EmulatedMessage,
    options: ClickOptions,
    component: ButtonComponent | SelectComponent,
    data: WireObject,
  ): InteractionHandle {
    const channel = this.#state.world.channel(message.channelId);
    if (channel === undefined) throw new UnsendableCommand('The message stands in no channel.');
    return this.#send(
      {
        type: INTERACTION_TYPE.component,
        actor: options.member,
        channel,
        data: { component_type: component.type, custom_id: options.customId, id: component.id ?? 0, ...data },
        owners: this.#state.interactions.get(message.interactionId ?? '')?.integrationOwners ?? ownersOnServer(channel),
        sourceMessage: message,
      },
      options,
    );
  }

  #send(interaction: NewInteraction, delivery: DeliveryOptions): InteractionHandle {
    const { record, event } = createInteraction(this.#state, interaction);
    this.#state.interactions.add(record);
    const handle = createInteractionHandle(this.#state, this.#gateway, record, event);
    if (handle.redeliver(delivery) === 0) throw new Error('No bot is connected to the gateway.');
    return handle;
  }

  #findCommand(
    type: RegisteredCommand['type'],
    name: string,
    options: CommandOptions,
    channel: EmulatedChannel,
  ): RegisteredCommand {
    const command = this.#state.commands.find(type, name);
    if (command === undefined) throw new UnsendableCommand(`The command "${name}" is not registered.`);
    const context = channel.guildId === undefined ? INTERACTION_CONTEXT.botDirectMessage : INTERACTION_CONTEXT.guild;
    const contexts = command.contexts ?? (command.dm_permission === false ? [INTERACTION_CONTEXT.guild] : undefined);
    if (contexts?.includes(context) === false) throw new UnsendableCommand(`"${name}" is not offered here.`);
    if (!mayUseCommands(this.#state, options.member, channel)) {
      throw new UnsendableCommand('The member cannot use commands in this channel.');
    }
    if (Object.keys(this.#ownersOf(command, options.member, channel)).length === 0) {
      throw new UnsendableCommand(`"${name}" is not installed here.`);
    }
    const needed = BigInt(command.default_member_permissions ?? 0);
    const isHidden = 'user' in options.member && !permits(this.#state.world.memberPermissions(options.member), needed);
    if (isHidden && options.permissionsLifted !== true) {
      throw new UnsendableCommand(`"${name}" is hidden from this member.`);
    }
    return command;
  }

  #ownersOf(command: RegisteredCommand, member: Actor, channel: EmulatedChannel): IntegrationOwners {
    return ownersOfCommand(this.#state.world, { channel, user: actorUser(member) }, command);
  }

  /** The message as it now stands, if this member can see it. */
  #visibleMessage(message: EmulatedMessage, member: Actor): EmulatedMessage {
    const current = this.#state.messages.get(message.id);
    if (current === undefined) throw new UnsendableCommand('The message has been deleted.');
    if (current.visibleTo !== 'everyone' && current.visibleTo !== actorUser(member).id) {
      throw new UnsendableCommand('The member cannot see the message.');
    }
    return current;
  }
}

function describe(command: RegisteredCommand, resolved: ResolvedData): WireObject {
  const wire = resolved.toWire();
  return { id: command.id, name: command.name, type: command.type, ...(wire === undefined ? {} : { resolved: wire }) };
}

function findInteractive(message: EmulatedMessage, customId: string): ButtonComponent | SelectComponent {
  for (const { component } of walkComponents(message.components)) {
    if (!('custom_id' in component) || component.custom_id !== customId) continue;
    const isLink = component.type === COMPONENT.button && component.style === BUTTON_STYLE.link;
    if (component.disabled === true || isLink) throw new UnsendableCommand(`"${customId}" is disabled.`);
    return component;
  }
  throw new UnsendableCommand(`The message has no component "${customId}".`);
}
