import { z } from 'zod';
import { refusals } from './api-refusal.ts';
import { parseForm } from './forms.ts';
import type { CallbackType, InteractionRecord } from './interaction.ts';
import { CALLBACK_TYPE, INTERACTION_TYPE } from './interaction.ts';
import { draftEdit, draftMessage } from './message-draft.ts';
import type { EmulatedMessage } from './message.ts';
import { EMPTY_CONTENT, hasFlag } from './message.ts';
import { MESSAGE_FLAG, messageBodies } from './message-schema.ts';
import { messageToWire } from './message-wire.ts';
import { modalData } from './modal-schema.ts';
import type { Route, RouteAnswer, RouteRequest } from './route.ts';
import type { EmulatorState } from './state.ts';

const envelope = z.strictObject({
  type: z.union(Object.values(CALLBACK_TYPE).map((type) => z.literal(type))),
  data: z.unknown().optional(),
});

const deferData = z.strictObject({ flags: z.number().int().min(0).nullish() }).nullish();

const choicesData = z.strictObject({
  choices: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(100),
        name_localizations: z.record(z.string(), z.string()).nullish(),
        value: z.union([z.string().max(100), z.number()]),
      }),
    )
    .max(25),
});

/** Which first answers each kind of interaction takes; updates also need a message to update. */
const ALLOWED: Readonly<Record<InteractionRecord['type'], readonly CallbackType[]>> = {
  [INTERACTION_TYPE.command]: [CALLBACK_TYPE.message, CALLBACK_TYPE.deferredMessage, CALLBACK_TYPE.modal],
  [INTERACTION_TYPE.component]: [
    CALLBACK_TYPE.message,
    CALLBACK_TYPE.deferredMessage,
    CALLBACK_TYPE.deferredUpdate,
    CALLBACK_TYPE.update,
    CALLBACK_TYPE.modal,
  ],
  [INTERACTION_TYPE.autocomplete]: [CALLBACK_TYPE.autocompleteResult],
  [INTERACTION_TYPE.modalSubmit]: [
    CALLBACK_TYPE.message,
    CALLBACK_TYPE.deferredMessage,
    CALLBACK_TYPE.deferredUpdate,
    CALLBACK_TYPE.update,
  ],
};

/** The first answer to an interaction. */
export function createCallbackRoutes(state: EmulatorState): Route[] {
  return [
    {
      name: 'callback',
      method: 'POST',
      template: '/interactions/{interaction_id}/{interaction_token}/callback',
      needsBot: false,
      handle: (request) => answerInteraction(state, request),
    },
  ];
}

function answerInteraction(state: EmulatorState, request: RouteRequest): RouteAnswer {
  const id = request.parameter('interaction_id');
  const token = request.parameter('interaction_token');
  const record = state.interactions.awaitingAnswer(id, token, state.clock.now());
  const { type, data } = parseForm(envelope, request.json);
  const updates = type === CALLBACK_TYPE.deferredUpdate || type === CALLBACK_TYPE.update;
  if (!ALLOWED[record.type].includes(type) || (updates && record.sourceMessageId === undefined)) {
    throw refusals.invalidForm([
      { path: ['type'], code: 'INTERACTION_TYPE_INVALID', message: `An answer of type ${type} is not possible here.` },
    ]);
  }
  const source = record.sourceMessageId === undefined ? undefined : state.messages.get(record.sourceMessageId);
  record.sourceVersionsBefore = source?.history.length ?? 0;
  const message = applyAnswer(state, record, type, data, request);
  record.callbackType = type;
  record.acknowledgedAtMs = state.clock.now();
  record.originalMessageId = message?.id;
  state.changes.announce();
  if (request.query.get('with_response') !== 'true') return { status: 204 };
  return { status: 200, body: describeAnswer(state, record, message) };
}

function applyAnswer(
  state: EmulatorState,
  record: InteractionRecord,
  type: CallbackType,
  data: unknown,
  request: RouteRequest,
): EmulatedMessage | undefined {
  switch (type) {
    case CALLBACK_TYPE.message: {
      const body = parseForm(messageBodies.interactionMessage, data, ['data']);
      const place = state.placeOf(record);
      const content = draftMessage(body, request.files, place, MESSAGE_FLAG.ephemeral);
      return state.createAnswer(record, content);
    }
    case CALLBACK_TYPE.deferredMessage: {
      const isPrivate = hasFlag(parseForm(deferData, data, ['data'])?.flags ?? 0, MESSAGE_FLAG.ephemeral);
      const flags = MESSAGE_FLAG.loading | (isPrivate ? MESSAGE_FLAG.ephemeral : 0);
      return state.createAnswer(record, { ...EMPTY_CONTENT, flags });
    }
    case CALLBACK_TYPE.deferredUpdate:
      return sourceMessage(state, record);
    case CALLBACK_TYPE.update: {
      const source = sourceMessage(state, record);
      const body = parseForm(messageBodies.interactionMessage, data, ['data']);
      return state.messages.edit(source, draftEdit(source, body, request.files, state.placeOf(record)));
    }
    case CALLBACK_TYPE.autocompleteResult:
      record.choices = parseForm(choicesData, data, ['data']).choices;
      return undefined;
    case CALLBACK_TYPE.modal:
      record.modal = parseForm(modalData, data, ['data']);
      return undefined;
  }
}

function sourceMessage(state: EmulatorState, record: InteractionRecord): EmulatedMessage {
  const source = record.sourceMessageId === undefined ? undefined : state.messages.get(record.sourceMessageId);
  if (source === undefined) throw refusals.unknownMessage();
  return source;
}

function describeAnswer(
  state: EmulatorState,
  record: InteractionRecord,
  message: EmulatedMessage | undefined,
): Record<string, unknown> {
  const isMessage = message !== undefined;
  return {
    interaction: {
      id: record.id,
      type: record.type,
      ...(isMessage
        ? {
            response_message_id: message.id,
            response_message_loading: message.isLoading,
            response_message_ephemeral: message.visibleTo !== 'everyone',
          }
        : {}),
    },
    resource: { type: record.callbackType, ...(isMessage ? { message: messageToWire(state, message) } : {}) },
  };
}
