import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import OpenAI from 'openai';
import type { AnswerForm } from './answer-form.ts';
import { recognizeForm } from './answer-form.ts';
import type { DecoderPool } from './base64-decoder.ts';
import { createDecoderPool } from './base64-decoder.ts';
import type { CallDeadline } from './call-deadline.ts';
import { startCallDeadline } from './call-deadline.ts';
import type { HttpExchange, HttpTransport } from './http-transport.ts';
import { createHttpTransport } from './http-transport.ts';
import type { AnswerEnd, AnswerReading, ImageAnswer } from './image-answer-reader.ts';
import { beginImageAnswer } from './image-answer-reader.ts';
import { UnreadableAnswerError } from './image-answer-scanner.ts';
import { beginImageEvents } from './image-event-reader.ts';
import type { ImageCall, ImageProvider, ImageResult, OpenByteSink, ToldPrice } from './image-provider.ts';
import { ProviderFailure } from './image-provider.ts';
import { toEditFields, toGenerateParameters } from './image-request.ts';
import type { ReadBody } from './incoming-body.ts';
import { explainFailures } from './incoming-body.ts';
import { ImageTooLargeError, ImageWriter } from './image-writer.ts';
import type { MultipartUpload } from './multipart-upload.ts';
import { openMultipartUpload } from './multipart-upload.ts';
import type { OpenAiImagesOptions } from './openai-images.ts';
import { PreviewWriter } from './preview-writer.ts';
import type { CallState } from './provider-errors.ts';
import { createRedactor, toProviderFailure, toToldFailure } from './provider-errors.ts';
import type { Reduced } from './refused-parts.ts';
import { findRefusedParts, PartRefusedError, RefusedParts } from './refused-parts.ts';
import type { Pause } from './result-download.ts';
import {
  downloadResult,
  requireTrustedResultUrl,
  ResultDownloadError,
  UntrustedResultError,
} from './result-download.ts';

/** The largest size that models make is 8.3 million pixels, which as a PNG of noise is about 34 MB. */
const DEFAULT_IMAGE_SIZE_BYTES_MAX = 64 * 1024 * 1024;

/** Calls for images by OpenAI's SDK. */
export function createOpenAiImageCalls(options: OpenAiImagesOptions): Pick<ImageProvider, 'makeImages'> {
  const { apiKey, baseUrl, timeoutMs, resultOrigins } = options;
  const now = options.now ?? (() => new Date());
  const transport = createHttpTransport({ silenceMsMax: timeoutMs });
  const context: CallContext = {
    transport,
    now,
    redact: createRedactor(apiKey),
    trustedOrigins: new Set([baseUrl, ...resultOrigins].map((url) => new URL(url).origin)),
    imageSizeBytesMax: options.imageSizeBytesMax ?? DEFAULT_IMAGE_SIZE_BYTES_MAX,
    decoders: createDecoderPool(),
    pause: options.pause ?? ((waitMs, signal) => wait(waitMs, undefined, { signal })),
    ...createClient(apiKey, baseUrl, timeoutMs),
  };
  const refusedParts = new RefusedParts();

  return {
    async makeImages(call, openByteSink, previews) {
      const deadline = startCallDeadline(timeoutMs);
      try {
        return await refusedParts.without({ call, previews }, async (reduced) =>
          makeImages(context, { call, openByteSink, ...reduced }, deadline),
        );
      } finally {
        deadline.dispose();
      }
    },
  };
}

type CallContext = {
  readonly transport: HttpTransport;
  readonly now: () => Date;
  readonly redact: (text: string) => string;
  readonly trustedOrigins: ReadonlySet<string>;
  readonly imageSizeBytesMax: number;
  readonly decoders: DecoderPool;
  readonly pause: Pause;
  readonly client: OpenAI;
  /** What the client fetches within `run` goes through this exchange. */
  readonly exchanges: AsyncLocalStorage<HttpExchange>;
};

/**
 * One client for all calls: to make one takes nearly half as long as to send a request by it. Every option that the SDK
 * would otherwise read from the environment is given: one configuration, one place.
 */
function createClient(apiKey: string, baseUrl: string, timeoutMs: number): Pick<CallContext, 'client' | 'exchanges'> {
  const exchanges = new AsyncLocalStorage<HttpExchange>();
  const client = new OpenAI({
    apiKey,
    baseURL: baseUrl,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: 'off',
    // A repeated call is a second image on the bill. Whether to repeat is for the job to say.
    maxRetries: 0,
    timeout: timeoutMs,
    // Base64 hardly shrinks, and unpacking it costs more than all the rest of a call.
    defaultHeaders: { 'accept-encoding': 'identity' },
    async fetch(url, init) {
      const exchange = exchanges.getStore();
      if (exchange === undefined) throw new Error('The SDK was used outside of an exchange.');
      return exchange.fetch(url, init);
    },
  });
  return { client, exchanges };
}

/** One request for images, and who takes what it brings. */
type ImageTask = Reduced & {
  readonly call: ImageCall;
  readonly openByteSink: OpenByteSink;
};

/** What the steps of one attempt share. */
type Attempt = CallContext & {
  readonly task: ImageTask;
  readonly writer: ImageWriter;
  readonly deadline: CallDeadline;
  readonly exchange: HttpExchange;
};

async function makeImages(context: CallContext, task: ImageTask, deadline: CallDeadline): Promise<ImageResult> {
  const { call, openByteSink, previews } = task;
  const exchange = context.transport.beginExchange();
  const writer = new ImageWriter(openByteSink, context.imageSizeBytesMax);
  const attempt: Attempt = { ...context, task, writer, deadline, exchange };
  const partialImages = previews?.count ?? 0;
  const upload = call.images.length > 0 ? await openUpload(task, partialImages) : undefined;
  let requestId: string | undefined;
  let answer: ImageAnswer | undefined;
  try {
    const response = await send(attempt, upload);
    const givenId = response.headers.get('x-request-id');
    requestId = givenId === null ? undefined : context.redact(givenId);
    answer = await readAnswer(attempt, response, requestId);
    const problem = await downloadResults(answer.resultUrls, call.count, context, writer, deadline.signal);
    const hasAllImages = writer.wholeCount > 0 && writer.wholeCount >= Math.min(answer.toldCount, call.count);
    if (hasAllImages) return { ...billingOf(answer, call), imageCount: writer.wholeCount, requestId };
    throw explainMissingImages(answer, problem, attempt, requestId);
  } catch (error) {
    // What a sink threw is not the provider's failure, and goes on as it is.
    const failure =
      error instanceof UnreadableAnswerError || error instanceof ImageTooLargeError
        ? new ProviderFailure('unusable-answer', 'unknown', {
            message: error.message,
            requestId,
            toldPrice: toldPriceOf(answer, call),
            cause: error.cause,
          })
        : error;
    // Images that are whole are paid for, whatever became of those behind them.
    if (writer.wholeCount === 0) throw failure;
    return { ...billingOf(answer, call), imageCount: writer.wholeCount, requestId, cutOffBy: failure };
  } finally {
    await writer.abandon();
    await upload?.close();
  }
}

/**
 * An answer that did not bring an image may say why. It is believed where it says that the request was refused, and
 * tells of nothing that it cost. Where it does not call it an error, it is believed what it tells of its price.
 * @param problem what went wrong with the images that it only points to
 */
function explainMissingImages(
  answer: ImageAnswer,
  problem: ResultDownloadError | undefined,
  attempt: Attempt,
  requestId: string | undefined,
): ProviderFailure {
  const { error, usage, toldCount } = answer;
  if (error !== undefined) {
    const hasPartialImages = usage !== undefined || toldCount > 0;
    const state = stateOf(attempt, { makesImages: true, hasPartialImages, requestId });
    return toToldFailure(error, state, attempt.redact, attempt.now());
  }
  const kind = problem instanceof UntrustedResultError ? 'untrusted-result' : 'unusable-answer';
  return new ProviderFailure(attempt.deadline.signal.aborted ? 'timeout' : kind, 'unknown', {
    message: attempt.redact(problem?.message ?? describeMissing(toldCount)),
    requestId,
    toldPrice: toldPriceOf(answer, attempt.task.call),
  });
}

function describeMissing(toldCount: number): string {
  return toldCount === 0 ? 'The answer has no image in it.' : 'An image in the answer could not be read.';
}

/** What an answer without images tells of its price; undefined where it was not read to its end, or is an error. */
function toldPriceOf(answer: ImageAnswer | undefined, { count }: ImageCall): ToldPrice | undefined {
  if (answer?.usage === undefined || answer.error !== undefined) return undefined;
  return { madeCount: Math.min(answer.toldCount, count), usage: answer.usage };
}

/** What an answer tells of its price; nothing where it was not read to its end. */
function billingOf(answer: ImageAnswer | undefined, { count }: ImageCall): Pick<ImageResult, 'madeCount' | 'usage'> {
  return { madeCount: answer && Math.min(answer.toldCount, count), usage: answer?.usage };
}

async function readAnswer(attempt: Attempt, response: Response, requestId: string | undefined): Promise<ImageAnswer> {
  const { task, writer, decoders } = attempt;
  const { count } = task.call;
  const previews = new PreviewWriter(task.previews);
  let hasPartialImages = false;
  const takers = { writer, previews, onImage: () => (hasPartialImages = true) };
  const fail = (error: unknown): ProviderFailure => judge(error, attempt, { makesImages: true, requestId });
  try {
    const end = await readInItsForm(
      explainFailures(attempt.exchange.readBody, fail),
      response.headers.get('content-type'),
      {
        json: () => beginImageAnswer(writer, count, decoders),
        events: () => beginImageEvents(takers, count, decoders),
      },
    );
    switch (end.ended) {
      case 'completed':
        return end.answer;
      case 'error': {
        const state = stateOf(attempt, { makesImages: true, hasPartialImages, requestId });
        throw toToldFailure(end.error, state, attempt.redact, attempt.now());
      }
      case 'early':
        throw new UnreadableAnswerError('The stream ended before its image was complete.');
    }
  } finally {
    await previews.abandon();
  }
}

/** A provider may answer with a stream that nobody asked for, or in one piece whoever asked for a stream. */
async function readInItsForm(
  readBody: ReadBody,
  label: string | null,
  begin: Readonly<Record<AnswerForm, () => AnswerReading>>,
): Promise<AnswerEnd> {
  let reading: AnswerReading | undefined;
  try {
    await readBody((bytes) => {
      if (reading !== undefined) return reading.take(bytes);
      const recognized = recognizeForm(bytes, label);
      if (recognized === undefined) return 'more';
      reading = begin[recognized.form]();
      return reading.take(bytes.subarray(recognized.start));
    });
    reading ??= begin.json();
    return reading.finish();
  } finally {
    reading?.dispose();
  }
}

type Judged = Pick<CallContext, 'redact' | 'now'> & Pick<Attempt, 'exchange' | 'deadline'>;
type KnownOfCall = Omit<CallState, 'isTimeUp' | 'wasDispatched' | 'requestId'> & {
  readonly requestId?: string | undefined;
};

function judge(error: unknown, attempt: Judged, known: KnownOfCall): ProviderFailure {
  return toProviderFailure(error, stateOf(attempt, known), attempt.redact, attempt.now());
}

function stateOf({ exchange, deadline }: Judged, known: KnownOfCall): CallState {
  return {
    requestId: undefined,
    ...known,
    isTimeUp: deadline.signal.aborted,
    wasDispatched: exchange.wasDispatched(),
  };
}

async function openUpload({ call, omitted }: ImageTask, partialImages: number): Promise<MultipartUpload> {
  try {
    return await openMultipartUpload(toEditFields(call, partialImages, omitted));
  } catch (cause) {
    throw new ProviderFailure('invalid-image', 'no', { message: 'A picture to send could not be opened.', cause });
  }
}

/**
 * `asResponse` leaves the body of an answer unread, so that it can be read as a stream; refusals are read and thrown.
 * The form of an edit is built here because the SDK's would hold every file in memory.
 */
async function send(attempt: Attempt, upload: MultipartUpload | undefined): Promise<Response> {
  const { task, deadline, exchange, exchanges, client } = attempt;
  const { call, previews, omitted } = task;
  const { signal } = deadline;
  try {
    return await exchanges.run(exchange, async () =>
      upload === undefined
        ? client.images.generate(toGenerateParameters(call, previews?.count ?? 0, omitted), { signal }).asResponse()
        : client.post('/images/edits', { body: upload.body, headers: upload.headers, signal }).asResponse(),
    );
  } catch (error) {
    const parts = findRefusedParts(error, task);
    if (parts.length > 0) throw new PartRefusedError(parts, error);
    throw judge(error, attempt, { makesImages: true });
  }
}

/** @returns what went wrong with the first of those that could not be fetched */
async function downloadResults(
  resultUrls: readonly string[],
  imageCountMax: number,
  context: CallContext,
  writer: ImageWriter,
  signal: AbortSignal,
): Promise<ResultDownloadError | undefined> {
  let problem: ResultDownloadError | undefined;
  for (const text of resultUrls.slice(0, imageCountMax - writer.wholeCount)) {
    try {
      const url = requireTrustedResultUrl(text, context.trustedOrigins);
      await downloadResult(url, { ...context, writer }, signal);
    } catch (error) {
      if (!(error instanceof ResultDownloadError)) throw error;
      problem ??= error;
    }
  }
  return problem;
}
