import type { EmulatedAttachment, EmulatedMessage } from './message.ts';
import type { MessageWireContext } from './message-wire.ts';
import { messageToWire } from './message-wire.ts';
import type { EmulatedChannel, EmulatedMember, EmulatedRole, EmulatedUser } from './world.ts';
import type { WireObject } from './world-wire.ts';
import { channelToWire, memberToWire, roleToWire, userToWire } from './world-wire.ts';

/** Anything an option, a select or a modal can point at. */
export type Entity = EmulatedUser | EmulatedMember | EmulatedRole | EmulatedChannel | EmulatedAttachment;

export type EntityKind = 'user' | 'role' | 'channel' | 'attachment';

/** Which kind of thing this is, told by what only that kind has. */
export function entityKind(entity: Entity): EntityKind {
  if ('bytes' in entity) return 'attachment';
  if ('mentionable' in entity) return 'role';
  if ('user' in entity || 'username' in entity) return 'user';
  return 'channel';
}

/** The id by which the bot knows an entity; a member goes by the user's. */
function entityId(entity: Entity): string {
  return 'user' in entity ? entity.user.id : entity.id;
}

/** Collects the `resolved` part of an interaction while its options are written. */
export class ResolvedData {
  readonly #context: MessageWireContext;
  readonly #guildId: string | undefined;
  readonly #sections = new Map<string, Map<string, WireObject>>();

  constructor(context: MessageWireContext, guildId: string | undefined) {
    this.#context = context;
    this.#guildId = guildId;
  }

  /** Adds an entity and returns its id, which is the value of the option. */
  add(entity: Entity): string {
    const id = entityId(entity);
    const { world, cdn } = this.#context;
    if ('bytes' in entity) this.#put('attachments', id, { ...cdn.toWire(entity), ephemeral: true });
    else if ('mentionable' in entity) this.#put('roles', id, roleToWire(entity));
    else if ('user' in entity) this.#addUser(entity.user);
    else if ('username' in entity) this.#addUser(entity);
    else this.#put('channels', id, { ...channelToWire(world, entity), permissions: '0' });
    return id;
  }

  addMessage(message: EmulatedMessage): void {
    this.#put('messages', message.id, messageToWire(this.#context, message));
  }

  /** The JSON of `resolved`; undefined when nothing was added. */
  toWire(): WireObject | undefined {
    if (this.#sections.size === 0) return undefined;
    return Object.fromEntries([...this.#sections].map(([name, entries]) => [name, Object.fromEntries(entries)]));
  }

  #addUser(user: EmulatedUser): void {
    const { world } = this.#context;
    this.#put('users', user.id, userToWire(user));
    const member = this.#guildId === undefined ? undefined : world.guild(this.#guildId).members.get(user.id);
    if (member !== undefined) this.#put('members', user.id, memberToWire(world, member, false));
  }

  #put(section: string, id: string, value: WireObject): void {
    const entries = this.#sections.get(section) ?? new Map<string, WireObject>();
    entries.set(id, value);
    this.#sections.set(section, entries);
  }
}
