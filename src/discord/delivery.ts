import type { REST } from 'discord.js';
import { Routes } from 'discord.js';
import type { Logger } from 'pino';
import type { DeliverOutcome, Delivery, MessagePlace } from '../services/job-conclusion.ts';
import type { FinishedImage, JobOutcome, ResultNote } from '../services/job-outcome.ts';
import type { LateNews } from '../services/job-progress.ts';
import type { OpenJob } from '../services/open-job.ts';
import { referenceOf } from '../services/job-reference.ts';
import { deleteOriginal, editOriginal, postEphemeral, postOnce } from './message-requests.ts';
import type { MessagePayload } from './message-payload.ts';
import { renderText } from './message-payload.ts';
import type { Upload } from './multipart.ts';
import { REQUEST_FILES_BYTES_MAX } from './multipart.ts';
import { isDiscreet } from './refusal-message.ts';
import type { DiscordAddress } from './reply-address.ts';
import { readAddress } from './reply-address.ts';
import type { MessageContext } from './result-message.ts';
import { renderOutcome } from './result-message.ts';
import type { SendResult } from './send-attempts.ts';
import { isMessageGone, mayBeDone, sendUntilSettled } from './send-attempts.ts';
import { findPostedResult, idOf, placeOf } from './sent-message.ts';
import type { FittedUpload, UploadFitter } from './upload-fitting.ts';
import { wordsFor } from './words.ts';

/**
 * Brings the end of a job to whoever asked for it, exactly once.
 *
 * The deferred reply is edited, which can be repeated without harm. When its token is dead, a public result goes to
 * the channel, unless it stands there already, and under a nonce that makes Discord refuse a second copy; a private one,
 * or one that is fetched afterwards, goes to the member directly, and never to more people than it was meant for.
 */
export function createDelivery(parts: {
  rest: REST;
  fitter: UploadFitter;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): DeliverOutcome {
  const { rest, fitter, sleep, log } = parts;

  async function settle<Answer>(job: OpenJob, send: () => Promise<Answer>): Promise<Settled<Answer>> {
    let answer: Answer | undefined;
    let failure: unknown;
    let mayHaveStood = false;
    const onFailure = (error: unknown): void => {
      failure = error;
      mayHaveStood ||= mayBeDone(error);
      log.warn({ job: job.request.id, err: error }, 'delivery attempt failed');
    };
    const result = await sendUntilSettled(
      async () => {
        answer = await send();
      },
      { sleep, onFailure },
    );
    const isDeleted = mayHaveStood && isMessageGone(failure);
    return { result, answer, failure, isDeleted };
  }

  /**
   * Makes the files smaller until they are taken; what fits from the start goes out as it is, and what cannot be made to
   * fit is told of instead.
   */
  async function bring(job: OpenJob, outcome: JobOutcome, way: Way): Promise<Sent> {
    const address = readAddress(job.address);
    const words = wordsFor(address.locale);
    const send = async (shown: JobOutcome, uploads: readonly FittedUpload[]): Promise<Settled<Posted>> => {
      const payload = renderOutcome(job.request, shown, uploads, words, way.context);
      return settle(job, async () => way.send({ rest, address, jobId: job.request.id, payload, uploads }));
    };
    const images = outcome.ended === 'finished' ? outcome.result.images : [];
    const shareBytes = Math.floor(REQUEST_FILES_BYTES_MAX / Math.max(1, images.length));
    let sizeBytesMax = Math.min(address.uploadLimitBytes, shareBytes);
    for (let attempt = 1; attempt <= SHRINKING_ATTEMPTS_MAX; attempt += 1) {
      const fitted = await fitter.fit(job.folder, images, sizeBytesMax);
      const uploads = fitted.filter((upload) => upload !== undefined);
      const missingCount = images.length - uploads.length;
      const sent = await send(missingCount > 0 ? noteMissing(job, outcome, missingCount) : outcome, uploads);
      const originals = images.filter((_image, index) => fitted[index]?.shrunk === true);
      if (sent.result !== 'too-large') return { ...sent, originals, isComplete: missingCount === 0 };
      sizeBytesMax = halfOfLargest(uploads, sizeBytesMax);
    }
    // Whoever paid for them hears at least where they are.
    const told = await send(noteMissing(job, outcome, images.length), []);
    const result = told.result === 'too-large' ? 'closed' : told.result;
    return { ...told, result, originals: [], isComplete: false };
  }

  /** Once more, when nothing can come any more that would cover it. Until then the job keeps its pictures. */
  async function bringAgain(job: OpenJob, outcome: JobOutcome, first: Sent, lateNews: LateNews): Promise<Sent> {
    // Nobody can tell which of the two Discord carried out last.
    await lateNews.settled;
    const again = await bring(job, outcome, inReply);
    // Whoever has deleted it meanwhile does not want it anywhere else.
    return again.result === 'closed' && isMessageGone(again.failure) ? first : again;
  }

  return async (job, outcome, lateNews) => {
    // Whoever fetches what was kept for them may be in another channel than the one in which they asked for it.
    const isForMember = job.request.isPrivate || job.keptUntil !== undefined;
    if (outcome.ended === 'refused' && isDiscreet(outcome.refusal) && !isForMember) {
      const address = readAddress(job.address);
      const payload = renderOutcome(job.request, outcome, [], wordsFor(address.locale));
      const sending = { rest, address, jobId: job.request.id, payload, uploads: [] };
      const result = await tellEphemerally(sending, async (send) => (await settle(job, send)).result);
      return asDelivery({ result, answer: undefined, originals: [], isComplete: true });
    }
    for (const way of isForMember ? PRIVATE_WAYS : PUBLIC_WAYS) {
      const first = await bring(job, outcome, way);
      const isCovered = first.result === 'sent' && way === inReply && lateNews !== undefined;
      const sent = isCovered ? await bringAgain(job, outcome, first, lateNews) : first;
      // Whoever deleted it saw it there. It must not come back for everybody, nor be lost where nobody has seen it.
      if (sent.isDeleted) return { state: 'undeliverable' };
      if (sent.result !== 'closed') return asDelivery(sent);
    }
    return { state: 'undeliverable' };
  };
}

/** What would leave the files as they are would only have them refused once more. */
function halfOfLargest(uploads: readonly FittedUpload[], sizeBytesMax: number): number {
  const largestBytes = Math.max(...uploads.map(({ sizeBytes }) => sizeBytes));
  return (uploads.length > 0 ? Math.min(sizeBytesMax, largestBytes) : sizeBytesMax) / 2;
}

/**
 * A place may have a lower limit than the interaction said, as direct messages have. From the most that a request can
 * carry, halving it twice reaches Discord's lowest, of ten megabytes.
 */
const SHRINKING_ATTEMPTS_MAX = 4;

type Sending = {
  readonly rest: REST;
  readonly address: DiscordAddress;
  readonly jobId: string;
  readonly payload: MessagePayload;
  readonly uploads: readonly Upload[];
};

/** Where Discord said that the message stands. */
type Posted = MessagePlace | undefined;

/** What became of sending something until it was settled, with what the last attempt was answered. */
type Settled<Answer> = {
  readonly result: SendResult;
  readonly answer: Answer | undefined;
  readonly failure: unknown;
  /** Whether the message is gone since an attempt that Discord may have carried out without saying so. */
  readonly isDeleted: boolean;
};

type Sent = Settled<Posted> & {
  readonly originals: readonly FinishedImage[];
  /** Whether every picture was among the files. */
  readonly isComplete: boolean;
};

/** One attempt to bring a message to somebody, and where they read it then. */
type Way = { readonly context: MessageContext; readonly send: (sending: Sending) => Promise<Posted> };

const inReply: Way = { context: 'server', send: editReply };
const inChannel: Way = { context: 'server', send: messageChannel };
const toMember: Way = { context: 'direct-messages', send: messageMember };
const PUBLIC_WAYS: readonly Way[] = [inReply, inChannel, toMember];
const PRIVATE_WAYS: readonly Way[] = [inReply, toMember];

async function editReply({ rest, address, payload, uploads }: Sending): Promise<Posted> {
  return placeOf(await editOriginal(rest, address, payload, uploads));
}

/**
 * Before it posts, it looks: whoever died right after an edit, and came back when the token was dead, would post a
 * second copy. A text without pictures costs nobody anything if it is read twice.
 */
async function messageChannel(sending: Sending): Promise<Posted> {
  const { rest, address, uploads, jobId } = sending;
  const posted = uploads.length > 0 ? await findPostedResult(rest, address, jobId) : undefined;
  return posted ?? postMessage(sending, address.channelId);
}

async function messageMember(sending: Sending): Promise<Posted> {
  const { rest, address } = sending;
  const channel = await rest.post(Routes.userChannels(), { body: { recipient_id: address.memberId } });
  const channelId = idOf(channel);
  if (channelId === undefined) throw new TypeError('Discord opened a direct channel without an id');
  return postMessage(sending, channelId);
}

async function postMessage({ rest, payload, uploads, jobId }: Sending, channelId: string): Promise<Posted> {
  return placeOf(await postOnce(rest, channelId, jobId, payload, uploads));
}

/** Says what is nobody else's, although the reply is for everybody: where it cannot be replaced any more, to the member. */
async function tellEphemerally(
  sending: Sending,
  settle: (send: () => Promise<unknown>) => Promise<SendResult>,
): Promise<SendResult> {
  const result = await replacePublicReply(sending, settle);
  return result === 'closed' ? settle(async () => toMember.send(sending)) : result;
}

/** Stands where the public reply cannot be removed, and says nothing in any language. */
const NOTHING_SAID = '…';

/**
 * Takes a public "thinking" reply back and tells the member alone. In this order, because a follow-up would otherwise
 * take the place of the public reply, and be as public. Where the reply cannot be removed, it is filled with nothing.
 */
async function replacePublicReply(
  { rest, address, payload }: Sending,
  settle: (send: () => Promise<unknown>) => Promise<SendResult>,
): Promise<SendResult> {
  const removed = await settle(async () => deleteOriginal(rest, address));
  const vacated =
    removed === 'sent' ? removed : await settle(async () => editOriginal(rest, address, renderText(NOTHING_SAID)));
  if (vacated !== 'sent') return vacated;
  return settle(async () => postEphemeral(rest, address, payload));
}

/** The outcome as it is told where some of its pictures cannot be shown. */
function noteMissing(job: OpenJob, outcome: JobOutcome, count: number): JobOutcome {
  if (outcome.ended !== 'finished') return outcome;
  const note: ResultNote = { note: 'too-large', count, reference: referenceOf(job.request.id) };
  return { ...outcome, result: { ...outcome.result, notes: [...outcome.result.notes, note] } };
}

function asDelivery({ result, answer: place, originals, isComplete }: Omit<Sent, 'failure' | 'isDeleted'>): Delivery {
  switch (result) {
    case 'sent':
      return isComplete ? { state: 'delivered', place, originals } : { state: 'incomplete', place };
    case 'later':
      return { state: 'later' };
    case 'closed':
    case 'too-large':
      return { state: 'undeliverable' };
  }
}
