/** Sends finished work to the client, or fails to, as the call's plan says. */
import { answerBody, errorEvent, streamEvents } from './answer-body.ts';
import { serverError } from './api-refusal.ts';
import { refusalOf } from './call-judge.ts';
import type { ProviderCall } from './call-log.ts';
import {
  breakOff,
  type Exchange,
  gzipFor,
  identityHeaders,
  jsonHeaders,
  type Pace,
  promptPace,
  sendBody,
  sendHtml,
  wait,
  writeHead,
  writePaced,
} from './exchange.ts';
import type { FaultPlan } from './faults.ts';
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
    const partialsSent = ending?.kind === 'refuse' ? partials.slice(0, 1) : partials;
    for (const partial of partialsSent) {
      await wait(exchange, eventWaitMs);
      await writePaced(exchange, [partial], { ...promptPace, dripBytesPerSecond: pace.dripBytesPerSecond });
    }
    await wait(exchange, eventWaitMs);
    if (ending?.kind === 'refuse') {
      await writePaced(exchange, [errorEvent(refusalOf(ending, exchange.call).error)], promptPace);
    } else if (ending?.kind !== 'bill-then-stop-stream') {
      await writePaced(exchange, [completed], pace);
    }
    exchange.response.end();
  }

  return async (exchange, work, plan) => {
    const { ending } = plan;
    switch (ending?.kind) {
      case 'server-error':
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
