import { refusals } from './api-refusal.ts';
import { parseForm } from './forms.ts';
import { isOfUser } from './installations.ts';
import type { InteractionRecord } from './interaction.ts';
import { draftEdit, draftMessage } from './message-draft.ts';
import type { EmulatedMessage } from './message.ts';
import { MESSAGE_FLAG, messageBodies } from './message-schema.ts';
import { messageToWire } from './message-wire.ts';
import type { Route, RouteAnswer, RouteRequest } from './route.ts';
import type { EmulatorState } from './state.ts';

const WEBHOOK = '/webhooks/{webhook_id}/{webhook_token}';

/** Everything an interaction's token is good for after the first answer. */
export function createWebhookRoutes(state: EmulatorState): Route[] {
  const common = { needsBot: false } as const;
  const original = { ...common, template: `${WEBHOOK}/messages/@original` };
  const byId = { ...common, template: `${WEBHOOK}/messages/{message_id}` };
  return [
    {
      ...common,
      name: 'follow-up',
      method: 'POST',
      template: WEBHOOK,
      handle: (request) => postFollowUp(state, request),
    },
    {
      ...original,
      name: 'GET original',
      method: 'GET',
      handle: (request) => show(state, findOriginal(state, request)),
    },
    { ...original, name: 'PATCH original', method: 'PATCH', handle: (request) => edit(state, findOriginal, request) },
    {
      ...original,
      name: 'DELETE original',
      method: 'DELETE',
      handle: (request) => remove(state, findOriginal, request),
    },
    { ...byId, name: 'GET follow-up', method: 'GET', handle: (request) => show(state, findById(state, request)) },
    { ...byId, name: 'PATCH follow-up', method: 'PATCH', handle: (request) => edit(state, findById, request) },
    { ...byId, name: 'DELETE follow-up', method: 'DELETE', handle: (request) => remove(state, findById, request) },
  ];
}

function findInteraction(state: EmulatorState, request: RouteRequest): InteractionRecord {
  if (request.parameter('webhook_id') !== state.applicationId) throw refusals.unknownWebhook();
  const record = state.interactions.answered(request.parameter('webhook_token'), state.clock.now());
  // A guild that removed the bot has removed its webhooks too, but for those of members who brought the bot themselves.
  const isRemoved = record.guildId !== undefined && !state.world.guild(record.guildId).botPresent;
  if (isRemoved && !isOfUser(record.integrationOwners)) throw refusals.unknownWebhook();
  return record;
}

function findOriginal(state: EmulatorState, request: RouteRequest): EmulatedMessage {
  const { originalMessageId } = findInteraction(state, request);
  const message = originalMessageId === undefined ? undefined : state.messages.get(originalMessageId);
  if (message === undefined) throw refusals.unknownMessage();
  return message;
}

function findById(state: EmulatorState, request: RouteRequest): EmulatedMessage {
  const record = findInteraction(state, request);
  const message = state.messages.get(request.parameter('message_id'));
  const isOwn = message?.interactionId === record.id || message?.id === record.originalMessageId;
  if (message === undefined || !isOwn) throw refusals.unknownMessage();
  return message;
}

function show(state: EmulatorState, message: EmulatedMessage): RouteAnswer {
  return { status: 200, body: messageToWire(state, message) };
}

function edit(
  state: EmulatorState,
  find: (state: EmulatorState, request: RouteRequest) => EmulatedMessage,
  request: RouteRequest,
): RouteAnswer {
  const message = find(state, request);
  const body = parseForm(messageBodies.interactionEdit, request.json);
  const place = state.placeOf(findInteraction(state, request));
  return show(state, state.messages.edit(message, draftEdit(message, body, request.files, place)));
}

function remove(
  state: EmulatorState,
  find: (state: EmulatorState, request: RouteRequest) => EmulatedMessage,
  request: RouteRequest,
): RouteAnswer {
  state.messages.delete(find(state, request));
  return { status: 204 };
}

/** A follow-up while the bot is still "thinking" fills the deferred message, whose audience the defer fixed. */
function postFollowUp(state: EmulatorState, request: RouteRequest): RouteAnswer {
  const record = findInteraction(state, request);
  const body = parseForm(messageBodies.interactionMessage, request.json);
  const content = draftMessage(body, request.files, state.placeOf(record), MESSAGE_FLAG.ephemeral);
  const original = record.originalMessageId === undefined ? undefined : state.messages.get(record.originalMessageId);
  if (original?.isLoading !== true) return show(state, state.createAnswer(record, content));
  const audience = original.flags & MESSAGE_FLAG.ephemeral;
  return show(
    state,
    state.messages.edit(original, { ...content, flags: (content.flags & ~MESSAGE_FLAG.ephemeral) | audience }),
  );
}
