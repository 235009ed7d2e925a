import type { DecoderPool } from './base64-decoder.ts';
import { EventStreamSplitter, type EventPart } from './event-stream.ts';
import { isRecord, readRest, type ImageAnswer } from './image-answer-reader.ts';
import { ImageAnswerScanner, UnreadableAnswerError, type ImageText } from './image-answer-scanner.ts';
import { ImageTextDecoder, type ImageTextState, type PieceWriter } from './image-text-decoder.ts';
import type { ImageWriter } from './image-writer.ts';
import type { ReadBody } from './incoming-body.ts';
import type { PreviewWriter } from './preview-writer.ts';
import { runSeldomWaiting, type SeldomWaiting } from './seldom-waiting.ts';

/** How a stream ended. */
export type StreamEnd =
  | { readonly ended: 'completed'; readonly answer: ImageAnswer }
  /** By an event that tells of an error, as it was sent. */
  | { readonly ended: 'error'; readonly error: unknown }
  /** Without any word of its end. */
  | { readonly ended: 'early' };

/** Who takes what a stream brings. */
type StreamTakers = {
  readonly writer: ImageWriter;
  readonly previews: PreviewWriter;
  /** Hears of every image, finished or not, when its first bytes arrive. */
  readonly onImage: () => void;
};

/** Events that are not known here are passed over, within bounds: a stream has some five of its own. */
const EVENTS_MAX = 10_000;

/** `image_generation.…`, `image_edit.…`, or another beginning by which a relay goes. */
const PARTIAL_TYPE = /(?:^|\.)partial_image$/;
const COMPLETED_TYPE = /(?:^|\.)completed$/;

/**
 * Reads a stream of image events while it arrives, up to the one that ends it. What is in the partial ones goes to the
 * previews, and what is in the completed one to the writer.
 * @param readBody brings the bytes of the stream; it is ended early when its last event has been read, or anything
 *   below throws
 * @throws {UnreadableAnswerError} where there are events without end
 * @throws {ImageTooLargeError}
 * @throws whatever the body or a sink of the writer throws, as it is
 */
export async function readImageEvents(
  readBody: ReadBody,
  takers: StreamTakers,
  decoders: DecoderPool,
): Promise<StreamEnd> {
  const splitter = new EventStreamSplitter();
  const events = new ImageEvents(takers, decoders);
  let end: StreamEnd | undefined;
  function* take(bytes: Buffer): SeldomWaiting<'more' | 'enough'> {
    for (const part of splitter.split(bytes)) {
      end = yield* events.take(part);
      if (end !== undefined) {
        return 'enough';
      }
    }
    return 'more';
  }
  try {
    await readBody((bytes) => runSeldomWaiting(take(bytes)));
    return end ?? { ended: 'early' };
  } finally {
    events.dispose();
  }
}

/** One event after another. */
class ImageEvents {
  readonly #takers: StreamTakers;
  readonly #images: ImageTextDecoder;
  #eventCount = 0;

  #name: string | undefined;
  #hasData = false;
  #scanner = new ImageAnswerScanner('event');
  /** Its JSON has ended, or is none: nothing more is read up to the next event. */
  #isRead = false;
  #imageTaker: (PieceWriter & { abandon(): Promise<void> }) | undefined;
  #imageState: ImageTextState = 'begun';

  constructor(takers: StreamTakers, decoders: DecoderPool) {
    this.#takers = takers;
    this.#images = new ImageTextDecoder(decoders);
  }

  *take(part: EventPart): SeldomWaiting<StreamEnd | undefined> {
    switch (part.type) {
      case 'name':
        this.#name = part.name;
        return undefined;
      case 'data':
        return this.#isRead ? undefined : yield* this.#takeData(part.bytes);
      case 'end':
        yield* this.#beginNext();
        return undefined;
    }
  }

  dispose(): void {
    this.#images.dispose();
  }

  *#takeData(bytes: Buffer): SeldomWaiting<StreamEnd | undefined> {
    this.#hasData = true;
    try {
      for (const found of this.#scanner.scan(bytes)) {
        yield* this.#takeImage(found);
      }
      // Not only at the empty line behind it: a connection that breaks there has still brought all that counts.
      return this.#scanner.isComplete ? yield* this.#conclude(this.#scanner.finish()) : undefined;
    } catch (error) {
      if (!(error instanceof UnreadableAnswerError)) {
        throw error;
      }
      // Not an image event, but a word like `[DONE]`.
      yield* this.#leaveImage();
      this.#isRead = true;
      return undefined;
    }
  }

  *#takeImage(found: ImageText): SeldomWaiting {
    if (this.#imageTaker === undefined) {
      // An event that has not said yet what it is may be the one that was paid for.
      const isPartial = PARTIAL_TYPE.test(this.#type() ?? '');
      this.#imageTaker = isPartial ? this.#takers.previews : this.#takers.writer;
      this.#takers.onImage();
    }
    this.#imageState = yield* this.#images.take(found, this.#imageTaker);
    // Not only when its event has ended: it is paid for, whatever breaks off behind it.
    if (found.type === 'end' && this.#isCompletion()) yield* this.#keepImage(this.#takers.writer);
  }

  *#conclude(event: unknown): SeldomWaiting<StreamEnd | undefined> {
    this.#isRead = true;
    if (!isRecord(event)) {
      return undefined;
    }
    const type = this.#type() ?? '';
    if (this.#isCompletion()) {
      yield* this.#keepImage(this.#takers.writer);
      return { ended: 'completed', answer: readRest({ data: [event], usage: event.usage, error: event.error }) };
    }
    if (PARTIAL_TYPE.test(type)) {
      yield* this.#keepImage(this.#takers.previews);
      return undefined;
    }
    yield* this.#leaveImage();
    const isError = type === 'error' || isRecord(event.error);
    return isError ? { ended: 'error', error: event.error ?? event } : undefined;
  }

  /** What the event says of itself, or else the name that it goes by. */
  #type(): string | undefined {
    return this.#scanner.type ?? this.#name;
  }

  #isCompletion(): boolean {
    return COMPLETED_TYPE.test(this.#type() ?? '');
  }

  *#keepImage(taker: ImageWriter | PreviewWriter): SeldomWaiting {
    if (taker === this.#imageTaker && this.#imageState === 'whole') {
      yield taker.finish();
    } else {
      yield* this.#leaveImage();
    }
  }

  *#leaveImage(): SeldomWaiting {
    if (this.#imageTaker !== undefined) yield this.#imageTaker.abandon();
    this.#images.reset();
  }

  *#beginNext(): SeldomWaiting {
    this.#name = undefined;
    if (!this.#hasData) {
      // A comment, which keeps a connection alive and may come as often as it likes.
      return;
    }
    this.#eventCount += 1;
    if (this.#eventCount > EVENTS_MAX) {
      throw new UnreadableAnswerError('The stream has too many events.');
    }
    if (!this.#isRead) {
      yield* this.#leaveImage();
    }
    this.#hasData = false;
    this.#scanner = new ImageAnswerScanner('event');
    this.#isRead = false;
    this.#imageTaker = undefined;
    this.#imageState = 'begun';
  }
}
