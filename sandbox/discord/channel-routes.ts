import { z } from 'zod';
import { refusals } from './api-refusal.ts';
import { parseForm } from './forms.ts';
import type { DraftPlace } from './message-draft.ts';
import { draftEdit, draftMessage } from './message-draft.ts';
import type { EmulatedMessage } from './message.ts';
import { MESSAGE_FLAG, messageBodies } from './message-schema.ts';
import { messageToWire, readableMessageToWire } from './message-wire.ts';
import { permits, PERMISSION } from './permissions.ts';
import type { Route, RouteAnswer, RouteRequest } from './route.ts';
import type { EmulatorState } from './state.ts';
import type { EmulatedChannel } from './world.ts';
import { channelToWire } from './world-wire.ts';

const CHANNEL = '/channels/{channel_id}';
const MESSAGES = `${CHANNEL}/messages`;
const MESSAGE = `${MESSAGES}/{message_id}`;

/** How long Discord remembers a nonce; "a few minutes" in its documentation. */
const NONCE_MEMORY_MS = 5 * 60 * 1000;
const LISTED_MESSAGES_DEFAULT = 50;
const LISTED_MESSAGES_MAX = 100;

/** What the bot does with its own token: channels, their messages, and opening direct messages. */
export function createChannelRoutes(state: EmulatorState): Route[] {
  const bot = { needsBot: true } as const;
  return [
    {
      ...bot,
      name: 'GET channel',
      method: 'GET',
      template: CHANNEL,
      handle: (request) => ({ status: 200, body: channelToWire(state.world, findChannel(state, request)) }),
    },
    {
      ...bot,
      name: 'open direct channel',
      method: 'POST',
      template: '/users/@me/channels',
      handle: (request) => openDirectChannel(state, request),
    },
    {
      ...bot,
      name: 'GET channel messages',
      method: 'GET',
      template: MESSAGES,
      handle: (request) => listMessages(state, request),
    },
    {
      ...bot,
      name: 'channel message',
      method: 'POST',
      template: MESSAGES,
      handle: (request) => postMessage(state, request),
    },
    {
      ...bot,
      name: 'GET channel message',
      method: 'GET',
      template: MESSAGE,
      handle: (request) => ({ status: 200, body: readableMessageToWire(state, findMessage(state, request)) }),
    },
    {
      ...bot,
      name: 'PATCH channel message',
      method: 'PATCH',
      template: MESSAGE,
      handle: (request) => editMessage(state, request),
    },
    {
      ...bot,
      name: 'DELETE channel message',
      method: 'DELETE',
      template: MESSAGE,
      handle: (request) => deleteMessage(state, request),
    },
  ];
}

function findChannel(state: EmulatorState, request: RouteRequest): EmulatedChannel {
  const channel = state.world.channel(request.parameter('channel_id'));
  if (channel === undefined) throw refusals.unknownChannel();
  if (!permits(state.world.botPermissions(channel), PERMISSION.viewChannel)) throw refusals.missingAccess();
  return channel;
}

/** A message the bot's token can reach; private ones exist only for their interaction's token. */
function findMessage(state: EmulatorState, request: RouteRequest): EmulatedMessage {
  const channel = findChannel(state, request);
  if (!permits(state.world.botPermissions(channel), PERMISSION.readMessageHistory)) throw refusals.missingAccess();
  const message = state.messages.get(request.parameter('message_id'));
  if (message?.channelId !== channel.id || isPrivate(message)) throw refusals.unknownMessage();
  return message;
}

function isPrivate(message: EmulatedMessage): boolean {
  return (message.flags & MESSAGE_FLAG.ephemeral) !== 0;
}

function placeIn(state: EmulatorState, channel: EmulatedChannel): DraftPlace {
  return {
    cdn: state.cdn,
    channelId: channel.id,
    attachmentSizeLimitBytes: state.world.attachmentSizeLimitBytes(channel),
  };
}

function openDirectChannel(state: EmulatorState, request: RouteRequest): RouteAnswer {
  const form = z.strictObject({ recipient_id: z.string().regex(/^\d{1,20}$/) });
  const user = state.world.users.get(parseForm(form, request.json).recipient_id);
  if (user === undefined) throw refusals.unknownUser();
  if (user.isBot) throw refusals.directMessagesClosed();
  return { status: 200, body: channelToWire(state.world, state.world.directChannel(user)) };
}

function listMessages(state: EmulatorState, request: RouteRequest): RouteAnswer {
  const channel = findChannel(state, request);
  const limit = Number(request.query.get('limit') ?? LISTED_MESSAGES_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > LISTED_MESSAGES_MAX) {
    throw refusals.invalidForm([
      {
        path: ['limit'],
        code: 'NUMBER_TYPE_MAX',
        message: `int value should be between 1 and ${LISTED_MESSAGES_MAX}.`,
      },
    ]);
  }
  const after = request.query.get('after');
  const mayReadHistory = permits(state.world.botPermissions(channel), PERMISSION.readMessageHistory);
  const messages = state.messages
    .all()
    .filter((message) => message.channelId === channel.id && message.deletedAtMs === undefined && !isPrivate(message));
  // After a message come those that followed it at once, and not the latest ones.
  const listed =
    after === null ? messages.slice(-limit) : messages.filter(({ id }) => BigInt(id) > BigInt(after)).slice(0, limit);
  const newestFirst = mayReadHistory ? listed.toReversed() : [];
  return { status: 200, body: newestFirst.map((message) => readableMessageToWire(state, message)) };
}

function postMessage(state: EmulatorState, request: RouteRequest): RouteAnswer {
  const channel = findChannel(state, request);
  const recipient = channel.recipientId === undefined ? undefined : state.world.users.get(channel.recipientId);
  if (recipient?.acceptsDirectMessages === false) throw refusals.directMessagesClosed();
  const held = state.world.botPermissions(channel);
  const needed = PERMISSION.sendMessages | (request.files.length > 0 ? PERMISSION.attachFiles : 0n);
  if (!permits(held, needed)) throw refusals.missingPermissions();
  const body = parseForm(messageBodies.channelMessage, request.json);
  const nonce = body.nonce?.toString();
  const earlier = body.enforce_nonce === true ? findByNonce(state, channel, nonce) : undefined;
  if (earlier !== undefined) return { status: 200, body: messageToWire(state, earlier) };
  const repliesToId = body.message_reference?.message_id;
  const repliesTo = repliesToId === undefined ? undefined : state.messages.get(repliesToId);
  const mayBeMissing = body.message_reference?.fail_if_not_exists === false;
  if (repliesToId !== undefined && repliesTo?.channelId !== channel.id && !mayBeMissing) {
    throw refusals.invalidForm([
      { path: ['message_reference'], code: 'REPLIES_UNKNOWN_MESSAGE', message: 'Unknown message' },
    ]);
  }
  const message = state.messages.create(
    {
      channelId: channel.id,
      authorId: state.world.bot.id,
      visibleTo: channel.recipientId ?? 'everyone',
      repliesToId: repliesTo?.id,
      nonce,
    },
    draftMessage(body, request.files, placeIn(state, channel)),
  );
  return { status: 200, body: messageToWire(state, message) };
}

function findByNonce(
  state: EmulatorState,
  channel: EmulatedChannel,
  nonce: string | undefined,
): EmulatedMessage | undefined {
  if (nonce === undefined) return undefined;
  const since = state.clock.now() - NONCE_MEMORY_MS;
  return state.messages
    .all()
    .find(
      (message) =>
        message.channelId === channel.id &&
        message.authorId === state.world.bot.id &&
        message.nonce === nonce &&
        message.createdAtMs >= since,
    );
}

function editMessage(state: EmulatorState, request: RouteRequest): RouteAnswer {
  const channel = findChannel(state, request);
  const message = findMessage(state, request);
  if (message.authorId !== state.world.bot.id) throw refusals.notYourMessage();
  const body = parseForm(messageBodies.channelEdit, request.json);
  const edited = state.messages.edit(message, draftEdit(message, body, request.files, placeIn(state, channel)));
  return { status: 200, body: messageToWire(state, edited) };
}

function deleteMessage(state: EmulatorState, request: RouteRequest): RouteAnswer {
  const channel = findChannel(state, request);
  const message = findMessage(state, request);
  const isOwn = message.authorId === state.world.bot.id;
  const mayManage = permits(state.world.botPermissions(channel), PERMISSION.manageMessages);
  if (!isOwn && !mayManage) throw refusals.missingPermissions();
  state.messages.delete(message);
  return { status: 204 };
}
