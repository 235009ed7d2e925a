import type { DecoderPool } from './base64-decoder.ts';
import { ImageAnswerScanner } from './image-answer-scanner.ts';
import type { ImageTextState } from './image-text-decoder.ts';
import { ImageTextDecoder } from './image-text-decoder.ts';
import type { ImageWriter } from './image-writer.ts';
import type { Taken, TakeBytes } from './incoming-body.ts';
import type { SeldomWaiting } from './seldom-waiting.ts';
import { runSeldomWaiting } from './seldom-waiting.ts';

/** What an answer said besides the images that it carried itself. */
export type ImageAnswer = {
  /** The usage object exactly as it was sent; undefined where there is none. */
  readonly usage: unknown;
  /** How many images the answer tells of, whether they could be read or not. */
  readonly toldCount: number;
  /** Where images are that the answer only points to, in their order. */
  readonly resultUrls: readonly string[];
  /** What the provider says went wrong, where it answers 200 with an error inside; with a message in any case. */
  readonly error: Readonly<Record<string, unknown>> | undefined;
};

/** How an answer ended. */
export type AnswerEnd =
  | { readonly ended: 'completed'; readonly answer: ImageAnswer }
  /** By an event that tells of an error, as it was sent. */
  | { readonly ended: 'error'; readonly error: unknown }
  /** Without any word of its end. */
  | { readonly ended: 'early' };

/** An answer that is read while it arrives. */
export type AnswerReading = {
  readonly take: TakeBytes;
  /**
   * What the answer came to, once there are no more bytes.
   * @throws {UnreadableAnswerError} where it is no image answer
   */
  finish(): AnswerEnd;
  dispose(): void;
};

/**
 * Reads an image answer in JSON while it arrives, and writes the images in it as they are decoded.
 *
 * An image whose base64 is broken is left out; so are images beyond `imageCountMax`. Taking its bytes throws
 * {UnreadableAnswerError} where they are no JSON, {ImageTooLargeError}, and whatever a sink throws, as it is.
 */
export function beginImageAnswer(writer: ImageWriter, imageCountMax: number, decoders: DecoderPool): AnswerReading {
  const scanner = new ImageAnswerScanner();
  const images = new ImageTextDecoder(decoders);
  function* take(bytes: Buffer): SeldomWaiting<Taken> {
    for (const found of scanner.scan(bytes)) {
      if (writer.wholeCount < imageCountMax) {
        yield* endImage(writer, yield* images.take(found, writer));
      }
    }
    // Whatever becomes of the connection after this, the answer is whole.
    return scanner.isComplete ? 'enough' : 'more';
  }
  return {
    take: (bytes) => runSeldomWaiting(take(bytes)),
    finish: () => ({ ended: 'completed', answer: readRest(scanner.finish()) }),
    dispose: () => images.dispose(),
  };
}

function* endImage(writer: ImageWriter, state: ImageTextState): SeldomWaiting {
  if (state === 'whole') {
    yield writer.finish();
  } else if (state === 'broken') {
    yield writer.abandon();
  }
}

/** @param rest the answer, parsed, with `true` where the text of an image stood */
export function readRest(rest: unknown): ImageAnswer {
  const answer = isRecord(rest) ? rest : {};
  const entries = Array.isArray(answer.data) ? answer.data.filter(isRecord) : [];
  return {
    // Relays that do not meter send null or false.
    usage: answer.usage === null || answer.usage === false ? undefined : answer.usage,
    // An image that the answer carried itself is `true`; the URL next to it leads to the same image.
    toldCount: entries.filter(({ b64_json: text, url }) => text === true || url === true || typeof url === 'string')
      .length,
    resultUrls: entries.flatMap(({ b64_json: text, url }) => (text !== true && typeof url === 'string' ? [url] : [])),
    // Some say what went wrong without calling it an error; whoever sent images has nothing of that kind to say.
    error: readError(answer.error) ?? (entries.length === 0 ? readError(answer) : undefined),
  };
}

function readError(error: unknown): ImageAnswer['error'] {
  const told = isRecord(error) ? error : { message: error };
  return typeof told.message === 'string' ? told : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
