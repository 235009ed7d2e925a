import type { CommandForm } from '../discord/command-schema.ts';
import type { MessageComponent } from '../discord/component-schema.ts';
import type { Embed } from '../discord/message-schema.ts';
import type { Modal } from '../discord/modal-schema.ts';

/** What the page is told, for its server and its browser side alike. Everything here crosses the wire as JSON. */

/** Somebody whom the page can be. */
export type PersonView = {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly directChannelId: string;
};

export type NamedView = { readonly id: string; readonly name: string };

export type MemberView = NamedView & { readonly isBot: boolean };

export type GuildView = NamedView & {
  readonly channels: readonly NamedView[];
  readonly roles: readonly NamedView[];
  readonly members: readonly MemberView[];
};

export type WorldView = {
  readonly bot: NamedView;
  readonly people: readonly PersonView[];
  readonly guilds: readonly GuildView[];
  /** Every user there is, also those of other servers, so that no mention stays a number. */
  readonly users: readonly MemberView[];
  /** True where pictures come from a real provider and cost real money. */
  readonly usesRealProvider: boolean;
};

/** A command that this person is offered in this channel. */
export type CommandView = Pick<CommandForm, 'type' | 'name' | 'description' | 'options'> & { readonly id: string };

export type AttachmentView = {
  readonly id: string;
  readonly channelId: string;
  readonly filename: string;
  readonly description: string | null;
  readonly contentType: string | null;
  readonly sizeBytes: number;
  readonly width: number | null;
  readonly height: number | null;
  /** On the page's own origin. */
  readonly url: string;
};

export type MessageView = {
  readonly id: string;
  readonly author: MemberView;
  /** The command that it answers, and who used it. */
  readonly usedCommand: { readonly userName: string; readonly command: string } | null;
  readonly repliesTo: { readonly id: string; readonly authorName: string; readonly excerpt: string } | null;
  readonly content: string;
  readonly embeds: readonly Embed[];
  readonly components: readonly MessageComponent[];
  /** Every file of the message, also those that only a component shows. */
  readonly attachments: readonly AttachmentView[];
  readonly usesComponentsV2: boolean;
  readonly isEphemeral: boolean;
  readonly isLoading: boolean;
  readonly mentionsViewer: boolean;
  readonly createdAtMs: number;
  readonly editedAtMs: number | null;
};

/** The latest message of the bot's that this person sees, by channel; so that one shows that came elsewhere. */
export type LatestView = Readonly<Record<string, string>>;

export type ClockView = { readonly offsetMs: number };

export type BotView = {
  readonly state: 'starting' | 'running' | 'stopping' | 'stopped';
  readonly pid: number | null;
  /** How the last one ended. */
  readonly lastWords: string | null;
};

/** How often a fault happens. */
export type FaultMode = 'off' | 'next' | 'always';

export type FaultView = {
  readonly id: string;
  readonly side: 'provider' | 'discord';
  readonly title: string;
  readonly description: string;
  readonly mode: FaultMode;
  /** How often it has happened since it was switched on. */
  readonly timesUsed: number;
};

/** One call that the provider billed, beside what the journal says of it. */
export type BillRow = {
  readonly requestId: string;
  readonly model: string;
  readonly atMs: number;
  readonly providerNanoUsd: number;
  /** Null where no journal has booked the call. */
  readonly ledgerNanoUsd: number | null;
};

/** The provider's bill and the ledger's total for one server and month, in nano-US-dollars. */
export type BillView = {
  readonly guildName: string;
  /** `YYYY-MM`, UTC. */
  readonly month: string;
  /** Null where a real provider keeps the bill. */
  readonly providerNanoUsd: number | null;
  readonly ledgerNanoUsd: number;
  readonly heldNanoUsd: number;
  readonly unknownNanoUsd: number;
  /** Whether both are the same, every booked call for itself included, and the journal adds up to its own head. */
  readonly isEqual: boolean;
  /** What the journal itself has to complain of: a broken chain, or a total that does not follow. */
  readonly journalFault: string | null;
  /** The latest calls of this server and month. */
  readonly rows: readonly BillRow[];
  /** Calls that were billed and that no server's journal has booked: lost answers, or calls under way. */
  readonly unbooked: readonly BillRow[];
};

/** What is shown beside the channel; each part is sent anew when it changes. */
export type PanelView = {
  readonly world: WorldView;
  readonly commands: readonly CommandView[];
  readonly latest: LatestView;
  readonly clock: ClockView;
  readonly bot: BotView;
  readonly faults: readonly FaultView[];
  readonly bill: BillView | null;
};

/** How the bot first answered an interaction; `none` when it did not within three seconds. */
export type InteractionView = {
  readonly interaction: string;
  readonly answer: 'replied' | 'deferred' | 'deferred update' | 'updated' | 'suggested' | 'modal' | 'none';
  readonly modal: Modal | null;
};

export type ChoiceView = { readonly name: string; readonly value: string | number };
