import { setTimeout as wait } from 'node:timers/promises';
import OpenAI, { APIError } from 'openai';
import { createDecoderPool, type DecoderPool } from './base64-decoder.ts';
import { startCallDeadline, type CallDeadline } from './call-deadline.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { createHttpTransport, type HttpExchange, type HttpTransport } from './http-transport.ts';
import { readImageAnswer } from './image-answer-reader.ts';
import { UnreadableAnswerError } from './image-answer-scanner.ts';
import {
  ProviderFailure,
  type ImageCall,
  type ImageProvider,
  type ImageResult,
  type OfferedModel,
  type OpenByteSink,
} from './image-provider.ts';
import { toEditFields, toGenerateParameters } from './image-request.ts';
import { ImageTooLargeError, ImageWriter } from './image-writer.ts';
import { openMultipartUpload, type MultipartUpload } from './multipart-upload.ts';
import { readOfferedModels } from './offered-models.ts';
import { createRedactor, toProviderFailure } from './provider-errors.ts';
import { downloadResult, requireTrustedResultUrl, ResultDownloadError, type Pause } from './result-download.ts';

export type OpenAiImagesOptions = {
  readonly apiKey: string;
  /** Up to and including the version, like `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** For the whole of a call, from connecting to the last byte, in milliseconds. */
  readonly timeoutMs: number;
  /** Where results may be fetched from, besides the provider's own origin, like `https://cdn.example`. */
  readonly resultOrigins: readonly string[];
  /** Nothing larger is taken as an image; 64 MiB unless said otherwise. */
  readonly imageSizeBytesMax?: number;
  readonly now?: () => Date;
  /** How to wait before a result is fetched again. */
  readonly pause?: Pause;
};

/** The largest size that models make is 8.3 million pixels, which as a PNG of noise is about 34 MB. */
const DEFAULT_IMAGE_SIZE_BYTES_MAX = 64 * 1024 * 1024;

/** A list of models costs nothing to make, so it is not worth waiting for as long as an image. */
const LIST_TIMEOUT_MS = 15_000;

/** OpenAI's list has some twenty kilobytes. */
const LIST_SIZE_BYTES_MAX = 4 * 1024 * 1024;

/** Statuses with which a compatible provider says that it has no list of models. */
const WITHOUT_LIST_STATUSES: ReadonlySet<number> = new Set([404, 405, 501]);

/** Images by OpenAI's API, or by a provider that is compatible with it. */
export function createOpenAiImages(options: OpenAiImagesOptions): ImageProvider {
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
    createClient: (exchange) => createClient(exchange, apiKey, baseUrl, timeoutMs),
  };
  return {
    async makeImages(call, openByteSink, signal) {
      const deadline = startCallDeadline(signal, timeoutMs);
      try {
        return await makeImages(context, call, openByteSink, deadline);
      } finally {
        deadline.dispose();
      }
    },
    async listModels(signal) {
      const deadline = startCallDeadline(signal, Math.min(timeoutMs, LIST_TIMEOUT_MS));
      try {
        return await listModels(context, deadline);
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
  readonly createClient: (exchange: HttpExchange) => OpenAI;
};

/** Every option that the SDK would otherwise read from the environment is given: one configuration, one place. */
function createClient(exchange: HttpExchange, apiKey: string, baseUrl: string, timeoutMs: number): OpenAI {
  return new OpenAI({
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
    fetch: exchange.fetch,
  });
}

async function makeImages(
  context: CallContext,
  call: ImageCall,
  openByteSink: OpenByteSink,
  deadline: CallDeadline,
): Promise<ImageResult> {
  const exchange = context.transport.beginExchange();
  const writer = new ImageWriter(openByteSink, context.imageSizeBytesMax);
  const upload = call.images.length > 0 ? await openUpload(call) : undefined;
  let requestId: string | undefined;
  const fail = (error: unknown): ProviderFailure =>
    judge(error, context, { exchange, deadline, makesImages: true, requestId });
  try {
    const response = await failingWith(fail, send(context.createClient(exchange), call, upload, deadline.signal));
    const givenId = response.headers.get('x-request-id');
    requestId = givenId === null ? undefined : context.redact(givenId);
    const answer = await readImageAnswer(readBody(response, fail), writer, call.count, context.decoders);
    const problem = await downloadResults(answer.resultUrls, call.count, context, writer, deadline.signal);
    if (writer.wholeCount > 0) {
      const madeCount = Math.min(answer.toldCount, call.count);
      return { imageCount: writer.wholeCount, madeCount, usage: answer.usage, requestId };
    }
    const stopReason = deadline.stopReason();
    const message = problem ?? answer.errorMessage ?? 'The answer has no image in it.';
    throw new ProviderFailure(stopReason ?? 'unusable-answer', 'unknown', {
      message: context.redact(message),
      requestId,
    });
  } catch (error) {
    // What a sink threw is not the provider's failure, and goes on as it is.
    throw error instanceof UnreadableAnswerError || error instanceof ImageTooLargeError
      ? new ProviderFailure('unusable-answer', 'unknown', { message: error.message, requestId, cause: error.cause })
      : error;
  } finally {
    await writer.abandon();
    await upload?.close();
  }
}

function judge(
  error: unknown,
  context: CallContext,
  attempt: {
    readonly exchange: HttpExchange;
    readonly deadline: CallDeadline;
    readonly makesImages: boolean;
    readonly requestId?: string | undefined;
  },
): ProviderFailure {
  const { exchange, deadline, makesImages, requestId } = attempt;
  const state = {
    stopReason: deadline.stopReason(),
    wasDispatched: exchange.wasDispatched(),
    makesImages,
    requestId,
  };
  return toProviderFailure(error, state, context.redact, context.now());
}

async function openUpload(call: ImageCall): Promise<MultipartUpload> {
  try {
    return await openMultipartUpload(toEditFields(call));
  } catch (cause) {
    throw new ProviderFailure('invalid-image', 'no', { message: 'A picture to send could not be opened.', cause });
  }
}

/**
 * `asResponse` leaves the body of an answer unread, so that it can be read as a stream; refusals are read and thrown.
 * The form of an edit is built here because the SDK's would hold every file in memory.
 */
function send(
  client: OpenAI,
  call: ImageCall,
  upload: MultipartUpload | undefined,
  signal: AbortSignal,
): Promise<Response> {
  return upload === undefined
    ? client.images.generate(toGenerateParameters(call), { signal }).asResponse()
    : client.post('/images/edits', { body: upload.body, headers: upload.headers, signal }).asResponse();
}

async function failingWith<T>(fail: (error: unknown) => ProviderFailure, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw fail(error);
  }
}

/** The bytes of a body. Leaving the loop early closes the connection; only what the connection throws is judged. */
async function* readBody(response: Response, fail: (error: unknown) => ProviderFailure): AsyncGenerator<Uint8Array> {
  try {
    if (response.body !== null) {
      yield* response.body;
    }
  } catch (error) {
    throw fail(error);
  }
}

/** @returns what went wrong with the first of those that could not be fetched */
async function downloadResults(
  resultUrls: readonly string[],
  imageCountMax: number,
  context: CallContext,
  writer: ImageWriter,
  signal: AbortSignal,
): Promise<string | undefined> {
  let problem: string | undefined;
  for (const text of resultUrls.slice(0, imageCountMax - writer.wholeCount)) {
    try {
      const url = requireTrustedResultUrl(text, context.trustedOrigins);
      await downloadResult(url, { ...context, writer }, signal);
    } catch (error) {
      if (!(error instanceof ResultDownloadError)) {
        throw error;
      }
      problem ??= error.message;
    }
  }
  return problem;
}

async function listModels(context: CallContext, deadline: CallDeadline): Promise<readonly OfferedModel[] | undefined> {
  const exchange = context.transport.beginExchange();
  const fail = (error: unknown): ProviderFailure => judge(error, context, { exchange, deadline, makesImages: false });
  try {
    const response = await context.createClient(exchange).get('/models', { signal: deadline.signal }).asResponse();
    const bytes = new GrowingBytes(LIST_SIZE_BYTES_MAX);
    for await (const chunk of readBody(response, fail)) {
      if (!bytes.append(chunk)) {
        return undefined;
      }
    }
    return readOfferedModels(bytes.text());
  } catch (error) {
    if (error instanceof APIError && error.status !== undefined && WITHOUT_LIST_STATUSES.has(error.status)) {
      return undefined;
    }
    throw fail(error);
  }
}
