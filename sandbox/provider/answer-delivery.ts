/** Sends finished work to the client, or fails to, as the call's plan says. */
import { answerBody, errorEvent, streamEvents } from './answer-body.ts';
import type { WireError } from './api-refusal.ts';
import { serverError } from './api-refusal.ts';
import { refusalOf } from './call-judge.ts';
import type { ProviderCall } from './call-log.ts';
import type { Exchange, Pace } from './exchange.ts';
import {
  breakOff,
  gzipFor,
  identityHeaders,
  jsonHeaders,
  promptPace,
  sendBody,
  sendHtml,
  wait,
  writeHead,
  writePaced,
} from './exchange.ts';
import type { EndingFault, FaultPlan, PictureFile } from './faults.ts';
import type { FinishedWork } from './image-work.ts';
import type { ResultFiles } from './result-files.ts';

export type AnswerDeliveryParts = {
  readonly files: ResultFiles;
  /** The provider's own origin. */
  readonly origin: () => string;
  /** How long the work takes, which a stream spreads over its events. */
  readonly latencyMs: (call: ProviderCall) => number;
  readonly now: () => number;
};

/**
 * Resolves when the answer is written, or will never be.
 * @throws {ApiRefusal} where the plan ends in an error of the server
 */
export type DeliverAnswer = (exchange: Exchange, work: FinishedWork, plan: FaultPlan) => Promise<void>;

const cutAfterShareDefault = 0.5;

/** How many partial images go out before a stream's ending; undefined for all of them. */
function partialsBefore(ending: EndingFault | undefined): number | undefined {
  if (ending?.kind === 'refuse' || ending?.kind === 'server-error') return 1;
  return ending?.kind === 'bill-then-cut' ? ending.afterPartialImages : undefined;
}

/** The error that ends a stream, where one does. */
function errorMidStream({ call }: Exchange, ending: EndingFault | undefined): WireError | undefined {
  if (ending?.kind === 'refuse') return refusalOf(ending, call).error;
  return ending?.kind === 'server-error' ? serverError(ending.status, call.requestId).error : undefined;
}

const bytesCutShort = 1_000;

/** A picture as it is sent. */
function shapedFile(picture: Buffer, file: PictureFile = 'whole'): Buffer {
  switch (file) {
    case 'whole':
      return picture;
    case 'html':
      return Buffer.from('<html>nope</html>');
    case 'cut-short':
      return picture.subarray(0, -bytesCutShort);
  }
}

export function createAnswerDelivery(parts: AnswerDeliveryParts): DeliverAnswer {
  async function sendWhole(exchange: Exchange, work: FinishedWork, plan: FaultPlan, pace: Pace): Promise<void> {
    const { shape } = plan;
    const contentType = `image/${work.parameters.format}`;
    const fileOrigin = shape.urlOrigin ?? parts.origin();
    const pictures = shape.images === 'url' ? work.pictures : [];
    const urls = pictures.map((picture) => fileOrigin + parts.files.keep(picture, contentType));
    const plain = answerBody(work, shape, urls, parts.now());
    const { chunks, headers } = shape.gzip === true ? await gzipFor(exchange, plain) : { chunks: plain, headers: {} };
    await sendBody(exchange, 200, { ...jsonHeaders(exchange.call, shape), ...headers }, chunks, pace);
  }

  async function sendStream(exchange: Exchange, work: FinishedWork, plan: FaultPlan, pace: Pace): Promise<void> {
    const { ending, shape } = plan;
    const { partials, completed } = streamEvents(work, shape, parts.now());
    const contentType = { 'content-type': 'text/event-stream; charset=utf-8' };
    writeHead(exchange, 200, { ...identityHeaders(exchange.call, shape), ...contentType });
    exchange.response.flushHeaders();
    const eventWaitMs = parts.latencyMs(exchange.call) / (partials.length + 1);
    const partialsSent = partials.slice(0, partialsBefore(ending));
    for (const [index, partial] of partialsSent.entries()) {
      await wait(exchange, eventWaitMs);
      await writePaced(exchange, [partial], { ...promptPace, dripBytesPerSecond: pace.dripBytesPerSecond });
      if (index === 0) await wait(exchange, plan.afterPartialDelayMs);
    }
    await wait(exchange, eventWaitMs);
    const isCutHere = ending?.kind === 'bill-then-cut' && ending.afterPartialImages !== undefined;
    if (isCutHere) return breakOff(exchange, 'cut');
    const error = errorMidStream(exchange, ending);
    if (error !== undefined) await writePaced(exchange, [errorEvent(error, shape)], promptPace);
    else if (ending?.kind !== 'bill-then-stop-stream') await writePaced(exchange, [completed], pace);
    exchange.response.end();
  }

  return async (exchange, made, plan) => {
    const { ending, shape } = plan;
    const work = {
      ...made,
      pictures: made.pictures.map((picture, index) => shapedFile(picture, shape.files?.[index])),
    };
    switch (ending?.kind) {
      case 'server-error':
        if (ending.midStream === true && work.parameters.stream) return sendStream(exchange, work, plan, promptPace);
        throw serverError(ending.status, exchange.call.requestId);
      case 'html':
        return sendHtml(exchange, ending.status ?? 200);
      case 'bill-then-drop':
        return breakOff(exchange, 'dropped');
      case 'bill-then-hang':
        exchange.forcedEnd = 'hung';
        return;
      default: {
        const cutAfterShare =
          ending?.kind === 'bill-then-cut' ? (ending.afterShare ?? cutAfterShareDefault) : undefined;
        const { midBodyDelayMs, dripBytesPerSecond } = plan;
        const send = work.parameters.stream ? sendStream : sendWhole;
        await send(exchange, work, plan, { midBodyDelayMs, dripBytesPerSecond, cutAfterShare });
      }
    }
  };
}
