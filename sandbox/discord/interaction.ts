import type { IntegrationOwners } from './installations.ts';
import type { Modal } from './modal-schema.ts';
import { refusals } from './api-refusal.ts';

/** Kinds of interaction. */
export const INTERACTION_TYPE = { command: 2, component: 3, autocomplete: 4, modalSubmit: 5 } as const;
export type InteractionType = (typeof INTERACTION_TYPE)[keyof typeof INTERACTION_TYPE];

/** Kinds of first answer. */
export const CALLBACK_TYPE = {
  message: 4,
  deferredMessage: 5,
  deferredUpdate: 6,
  update: 7,
  autocompleteResult: 8,
  modal: 9,
} as const;
export type CallbackType = (typeof CALLBACK_TYPE)[keyof typeof CALLBACK_TYPE];

/** The first answer must come within three seconds. */
export const ACKNOWLEDGE_WITHIN_MS = 3000;
/** After the first answer, the token works until fifteen minutes from the interaction. */
const TOKEN_LIFETIME_MS = 15 * 60 * 1000;

/** A choice that an autocomplete answer offers. */
export type AutocompleteChoice = {
  readonly name: string;
  readonly value: string | number;
};

/** An interaction and what became of it. */
export type InteractionRecord = {
  readonly id: string;
  readonly token: string;
  readonly type: InteractionType;
  readonly createdAtMs: number;
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string | undefined;
  readonly attachmentSizeLimitBytes: number;
  readonly integrationOwners: IntegrationOwners;
  /** The message whose button, select or modal it came from. */
  readonly sourceMessageId: string | undefined;
  acknowledgedAtMs: number | undefined;
  /** How many states the source message had had just before the first answer. */
  sourceVersionsBefore: number;
  callbackType: CallbackType | undefined;
  /** The message that `@original` means. */
  originalMessageId: string | undefined;
  choices: readonly AutocompleteChoice[] | undefined;
  modal: Modal | undefined;
};

/** All interactions, found by id for their first answer and by token for everything later. */
export class InteractionStore {
  readonly #byId = new Map<string, InteractionRecord>();
  readonly #byToken = new Map<string, InteractionRecord>();

  add(record: InteractionRecord): void {
    this.#byId.set(record.id, record);
    this.#byToken.set(record.token, record);
  }

  get(id: string): InteractionRecord | undefined {
    return this.#byId.get(id);
  }

  /** The interaction that still waits for its first answer; refuses one unknown, answered (40060) or too late (10062). */
  awaitingAnswer(id: string, token: string, nowMs: number): InteractionRecord {
    const record = this.#byId.get(id);
    if (record === undefined || record.token !== token) throw refusals.unknownInteraction();
    if (record.acknowledgedAtMs !== undefined) throw refusals.alreadyAcknowledged();
    if (nowMs - record.createdAtMs > ACKNOWLEDGE_WITHIN_MS) throw refusals.unknownInteraction();
    return record;
  }

  /** The answered interaction behind a webhook token; refuses a token that is wrong or old (50027) or not yet usable (10015). */
  answered(token: string, nowMs: number): InteractionRecord {
    const record = this.#byToken.get(token);
    if (record === undefined) throw refusals.invalidWebhookToken();
    if (nowMs - record.createdAtMs > TOKEN_LIFETIME_MS) throw refusals.invalidWebhookToken();
    if (record.acknowledgedAtMs === undefined) throw refusals.unknownWebhook();
    return record;
  }
}
