import { waitForChange } from './changes.ts';
import type { Gateway, Delivery } from './gateway.ts';
import type { AutocompleteChoice, CallbackType, InteractionRecord } from './interaction.ts';
import { CALLBACK_TYPE } from './interaction.ts';
import type { EmulatedMessage, MessageVersion } from './message.ts';
import type { Modal } from './modal-schema.ts';
import type { EmulatorState } from './state.ts';
import type { WireObject } from './world-wire.ts';

/** How the bot has first answered: undefined until it has. */
type AnswerState = 'replied' | 'deferred' | 'deferred update' | 'updated' | 'suggested' | 'modal' | undefined;

const ANSWER_STATES: Readonly<Record<CallbackType, Exclude<AnswerState, undefined>>> = {
  [CALLBACK_TYPE.message]: 'replied',
  [CALLBACK_TYPE.deferredMessage]: 'deferred',
  [CALLBACK_TYPE.deferredUpdate]: 'deferred update',
  [CALLBACK_TYPE.update]: 'updated',
  [CALLBACK_TYPE.autocompleteResult]: 'suggested',
  [CALLBACK_TYPE.modal]: 'modal',
};

export type WaitOptions = {
  /** How long to wait, in real milliseconds; 5000 when absent. */
  readonly timeoutMs?: number;
};

const DEFAULT_TIMEOUT_MS = 5000;

/** An interaction as the member who started it follows it. */
export type InteractionHandle = {
  readonly id: string;
  readonly token: string;
  /** How the bot answered first. A deferred reply stays `deferred` here after it has been filled. */
  readonly state: AnswerState;
  /** By the emulator's clock; undefined until answered. */
  readonly acknowledgedAfterMs: number | undefined;
  /** The modal that the bot opened. */
  readonly modal: Modal | undefined;
  readonly choices: readonly AutocompleteChoice[] | undefined;
  /** Waits for the first answer; rejects after `timeoutMs`. */
  acknowledged(options?: WaitOptions): Promise<Exclude<AnswerState, undefined>>;
  /** The message that the token calls `@original`, even when deleted. */
  original(): EmulatedMessage | undefined;
  /** All messages of this interaction that exist now, the original first, follow-ups in order. */
  messages(): EmulatedMessage[];
  /** The same with those that have been deleted. */
  messagesEver(): EmulatedMessage[];
  /** Every state the original has had, the thinking one included. */
  readonly history: readonly MessageVersion[];
  /** Calls `listener` with every new state of the original, until the returned function is called. */
  onEdit(listener: (version: MessageVersion) => void): () => void;
  /**
   * Waits for a message that is no longer "thinking": the original once filled, else the latest follow-up.
   * `where` asks for more, such as a picture, so that messages on the way there are passed over.
   */
  finalMessage(
    options?: WaitOptions & { readonly where?: (message: EmulatedMessage) => boolean },
  ): Promise<EmulatedMessage>;
  /** The same without waiting: undefined where there is none yet. */
  finalMessageNow(where?: (message: EmulatedMessage) => boolean): EmulatedMessage | undefined;
  /** Sends the same event again, as the gateway may; returns how many sessions got it. */
  redeliver(options?: { readonly deliverTo?: Delivery; readonly times?: number }): number;
};

export function createInteractionHandle(
  state: EmulatorState,
  gateway: Gateway,
  record: InteractionRecord,
  event: WireObject,
): InteractionHandle {
  const original = (): EmulatedMessage | undefined =>
    record.originalMessageId === undefined ? undefined : state.messages.getEver(record.originalMessageId);
  const messagesEver = (): EmulatedMessage[] => {
    const first = original();
    const rest = state.messages
      .all()
      .filter(({ id, interactionId }) => interactionId === record.id && id !== first?.id);
    return first === undefined ? rest : [first, ...rest];
  };
  const messages = (): EmulatedMessage[] => messagesEver().filter(({ deletedAtMs }) => deletedAtMs === undefined);
  return {
    id: record.id,
    token: record.token,
    get state() {
      return answerState(record);
    },
    get acknowledgedAfterMs() {
      return record.acknowledgedAtMs === undefined ? undefined : record.acknowledgedAtMs - record.createdAtMs;
    },
    get modal() {
      return record.modal;
    },
    get choices() {
      return record.choices;
    },
    get history() {
      return original()?.history ?? [];
    },
    acknowledged: ({ timeoutMs = DEFAULT_TIMEOUT_MS } = {}) =>
      waitForChange(
        state.changes,
        () => answerState(record),
        () => `the first answer to interaction ${record.id}`,
        timeoutMs,
      ),
    original,
    messages,
    messagesEver,
    onEdit: (listener) => watchVersions(state, original, listener),
    finalMessage: ({ timeoutMs = DEFAULT_TIMEOUT_MS, where = () => true } = {}) =>
      waitForChange(
        state.changes,
        () => findFinal(record, messages()).find(where),
        () => `the final message of interaction ${record.id} (first answer: ${answerState(record) ?? 'none'})`,
        timeoutMs,
      ),
    finalMessageNow: (where = () => true) => findFinal(record, messages()).find(where),
    redeliver: ({ deliverTo = 'latest', times = 1 } = {}) =>
      gateway.dispatch('INTERACTION_CREATE', event, { guildId: record.guildId, delivery: deliverTo, times }),
  };
}

function answerState(record: InteractionRecord): AnswerState {
  return record.callbackType === undefined ? undefined : ANSWER_STATES[record.callbackType];
}

/** Candidates for the final message: a filled original first, then follow-ups from the latest on. */
function findFinal(record: InteractionRecord, messages: readonly EmulatedMessage[]): EmulatedMessage[] {
  const isFilled = (message: EmulatedMessage): boolean => {
    if (message.isLoading) return false;
    // A message that already stood there counts once this interaction has changed it.
    return message.id !== record.sourceMessageId || message.history.length > record.sourceVersionsBefore;
  };
  const filled = messages.filter(isFilled);
  const original = filled.filter(({ id }) => id === record.originalMessageId);
  return [...original, ...filled.filter(({ id }) => id !== record.originalMessageId).toReversed()];
}

function watchVersions(
  state: EmulatorState,
  original: () => EmulatedMessage | undefined,
  listener: (version: MessageVersion) => void,
): () => void {
  let seen = original()?.history.length ?? 0;
  return state.changes.subscribe(() => {
    const history = original()?.history ?? [];
    for (const version of history.slice(seen)) listener(version);
    seen = history.length;
  });
}
