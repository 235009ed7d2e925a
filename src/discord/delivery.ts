import type { REST } from 'discord.js';
import { MessageFlags, Routes } from 'discord.js';
import type { Logger } from 'pino';
import type { DeliverOutcome } from '../services/job-conclusion.ts';
import type { JobOutcome } from '../services/job-outcome.ts';
import type { OpenJob } from '../services/job-journal.ts';
import type { Upload } from './multipart.ts';
import { isDiscreet } from './refusal-message.ts';
import { bodyOf, editOriginal } from './reply-editor.ts';
import type { DiscordAddress } from './reply-address.ts';
import { readAddress } from './reply-address.ts';
import type { MessagePayload } from './result-message.ts';
import { renderOutcome } from './result-message.ts';
import type { SendResult } from './send-attempts.ts';
import { sendUntilSettled } from './send-attempts.ts';
import type { UploadFitter } from './upload-fitting.ts';

/**
 * Brings the end of a job to whoever asked for it, exactly once.
 *
 * The deferred reply is edited, which can be repeated without harm. When its token is dead, a public result goes to
 * the channel, under a nonce that makes Discord refuse a second copy; a private one goes to the member directly, and
 * never to more people than it was meant for.
 */
export function createDelivery(parts: {
  rest: REST;
  fitter: UploadFitter;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): DeliverOutcome {
  const { rest, fitter, sleep, log } = parts;

  return async (job, outcome) => {
    const address = readAddress(job.address);
    const onFailure = (error: unknown): void =>
      log.warn({ job: job.request.id, err: error }, 'delivery attempt failed');
    const settle = async (send: () => Promise<unknown>): Promise<SendResult> =>
      sendUntilSettled(send, { sleep, onFailure });

    if (outcome.ended === 'refused' && isDiscreet(outcome.refusal) && !job.request.isPrivate) {
      return asResult(
        await settle(async () => replacePublicReply(rest, address, renderOutcome(job.request, outcome, []))),
      );
    }
    const ways = job.request.isPrivate ? [editReply, messageMember] : [editReply, messageChannel, messageMember];
    for (const way of ways) {
      const sent = await sendFitting(job, outcome, address, async (message) =>
        settle(async () => way({ rest, address, nonce: job.request.id, ...message })),
      );
      if (sent !== 'closed') return asResult(sent);
    }
    return 'undeliverable';
  };

  /** Makes the files smaller until they are taken; what fits from the start goes out as it is. */
  async function sendFitting(
    job: OpenJob,
    outcome: JobOutcome,
    address: DiscordAddress,
    send: (message: Message) => Promise<SendResult>,
  ): Promise<SendResult> {
    let limitBytes = address.uploadLimitBytes;
    for (let attempt = 1; attempt <= SHRINKING_ATTEMPTS_MAX; attempt += 1) {
      const uploads =
        outcome.ended === 'finished' ? await fitter.fit(job.folder, outcome.result.images, limitBytes) : [];
      const sent = await send({ payload: renderOutcome(job.request, outcome, uploads), uploads });
      if (sent !== 'too-large') return sent;
      limitBytes /= 2;
    }
    return 'closed';
  }
}

/** Discord may know a lower limit than the interaction said; halving it four times reaches any. */
const SHRINKING_ATTEMPTS_MAX = 4;

type Message = { readonly payload: MessagePayload; readonly uploads: readonly Upload[] };
type Sending = Message & { readonly rest: REST; readonly address: DiscordAddress; readonly nonce: string };

async function editReply({ rest, address, payload, uploads }: Sending): Promise<void> {
  await editOriginal(rest, address, payload, uploads);
}

async function messageChannel({ rest, address, payload, uploads, nonce }: Sending): Promise<void> {
  const message = { ...payload, nonce, enforce_nonce: true };
  await rest.post(Routes.channelMessages(address.channelId), bodyOf(message, uploads));
}

async function messageMember(sending: Sending): Promise<void> {
  const { rest, address } = sending;
  const channel = await rest.post(Routes.userChannels(), { body: { recipient_id: address.memberId } });
  if (!hasId(channel)) throw new TypeError('Discord opened a direct channel without an id');
  await messageChannel({ ...sending, address: { ...address, channelId: channel.id } });
}

/**
 * Takes a public "thinking" reply back and tells the member alone. In this order, because a follow-up would otherwise
 * take the place of the public reply.
 */
async function replacePublicReply(rest: REST, address: DiscordAddress, payload: MessagePayload): Promise<void> {
  const reply = Routes.webhookMessage(address.applicationId, address.token, '@original');
  await rest.delete(reply, { auth: false }).catch(ignoreUnknownMessage);
  const body = { ...payload, flags: payload.flags | MessageFlags.Ephemeral };
  await rest.post(Routes.webhook(address.applicationId, address.token), { body, auth: false });
}

function hasId(value: unknown): value is { id: string } {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

const DISCORD_UNKNOWN_MESSAGE = 10_008;

function ignoreUnknownMessage(error: unknown): void {
  const isGone = error instanceof Error && 'code' in error && error.code === DISCORD_UNKNOWN_MESSAGE;
  if (!isGone) throw error;
}

function asResult(sent: SendResult): 'delivered' | 'undeliverable' | 'later' {
  switch (sent) {
    case 'sent':
      return 'delivered';
    case 'later':
      return 'later';
    case 'closed':
    case 'too-large':
      return 'undeliverable';
  }
}
