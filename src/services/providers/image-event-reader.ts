import type { DecoderPool } from './base64-decoder.ts';
import type { EventPart } from './event-stream.ts';
import { EventStreamSplitter } from './event-stream.ts';
import type { AnswerEnd, AnswerReading, ImageAnswer } from './image-answer-reader.ts';
import { isRecord, readRest } from './image-answer-reader.ts';
import type { ImageText } from './image-answer-scanner.ts';
import { ImageAnswerScanner, UnreadableAnswerError } from './image-answer-scanner.ts';
import type { ImageTextState, PieceWriter } from './image-text-decoder.ts';
import { ImageTextDecoder } from './image-text-decoder.ts';
import type { ImageWriter } from './image-writer.ts';
import type { Taken } from './incoming-body.ts';
import type { PreviewWriter } from './preview-writer.ts';
import type { SeldomWaiting } from './seldom-waiting.ts';
import { runSeldomWaiting } from './seldom-waiting.ts';

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
const ERROR_TYPE = /(?:^|[._])error$/;

/**
 * Reads a stream of image events while it arrives, up to the one that ends it. What is in the partial ones goes to the
 * previews, and what is in the completed one to the writer. Taking its bytes throws {UnreadableAnswerError} where there
 * are events without end, {ImageTooLargeError}, and whatever a sink of the writer throws, as it is.
 * @param imageCountMax where there are several, each may have an event of its own; what is beyond them is left out
 */
export function beginImageEvents(takers: StreamTakers, imageCountMax: number, decoders: DecoderPool): AnswerReading {
  const splitter = new EventStreamSplitter();
  const events = new ImageEvents(takers, imageCountMax, decoders);
  let end: AnswerEnd | undefined;
  function* take(bytes: Buffer): SeldomWaiting<Taken> {
    for (const part of splitter.split(bytes)) {
      end = yield* events.take(part);
      if (end !== undefined) return 'enough';
    }
    return 'more';
  }
  return {
    take: (bytes) => runSeldomWaiting(take(bytes)),
    finish: () => end ?? events.end(),
    dispose: () => events.dispose(),
  };
}

/** One event after another. */
class ImageEvents {
  readonly #takers: StreamTakers;
  readonly #imageCountMax: number;
  readonly #images: ImageTextDecoder;
  #eventCount = 0;
  readonly #answers: ImageAnswer[] = [];

  #name: string | undefined;
  #hasData = false;
  #scanner = new ImageAnswerScanner('event');
  /** Its JSON has ended, or is none: nothing more is read up to the next event. */
  #isRead = false;
  #imageTaker: (PieceWriter & { abandon(): Promise<void> }) | undefined;
  #imageState: ImageTextState = 'begun';

  constructor(takers: StreamTakers, imageCountMax: number, decoders: DecoderPool) {
    this.#takers = takers;
    this.#imageCountMax = imageCountMax;
    this.#images = new ImageTextDecoder(decoders);
  }

  *take(part: EventPart): SeldomWaiting<AnswerEnd | undefined> {
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

  /** How the stream ended that brings no more. */
  end(): AnswerEnd {
    return this.#answers.length > 0 ? { ended: 'completed', answer: join(this.#answers) } : { ended: 'early' };
  }

  dispose(): void {
    this.#images.dispose();
  }

  *#takeData(bytes: Buffer): SeldomWaiting<AnswerEnd | undefined> {
    this.#hasData = true;
    try {
      for (const found of this.#scanner.scan(bytes)) {
        yield* this.#takeImage(found);
      }
      // Not only at the empty line behind it: a connection that breaks there has still brought all that counts.
      return this.#scanner.isComplete ? yield* this.#conclude(this.#scanner.finish()) : undefined;
    } catch (error) {
      if (!(error instanceof UnreadableAnswerError)) throw error;
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
    // A second image in the same event: only one that was paid for has several.
    if (found.type === 'characters' && this.#imageState !== 'begun') yield* this.#keepImage(this.#takers.writer);
    if (this.#imageTaker === this.#takers.writer && this.#hasAllImages()) return;
    this.#imageState = yield* this.#images.take(found, this.#imageTaker);
    // Not only when its event has ended: it is paid for, whatever breaks off behind it.
    if (found.type === 'end' && this.#isCompletion()) yield* this.#keepImage(this.#takers.writer);
  }

  *#conclude(event: unknown): SeldomWaiting<AnswerEnd | undefined> {
    this.#isRead = true;
    if (!isRecord(event)) return undefined;
    const type = this.#type() ?? '';
    if (PARTIAL_TYPE.test(type)) {
      yield* this.#keepImage(this.#takers.previews);
      return undefined;
    }
    const answer = readCompletion(event);
    // Relays have names of their own for the event that brings a whole answer, or none, and some list no image on the way.
    if (this.#isCompletion() || (Array.isArray(event.data) && answer.toldCount > 0)) {
      yield* this.#keepImage(this.#takers.writer);
      this.#answers.push(answer);
      return this.#isAllTold() ? this.end() : undefined;
    }
    yield* this.#leaveImage();
    const flatError = ERROR_TYPE.test(type) ? event : undefined;
    const error = isRecord(event.error) ? event.error : (answer.error ?? flatError);
    return error && { ended: 'error', error };
  }

  #hasAllImages(): boolean {
    return this.#takers.writer.wholeCount >= this.#imageCountMax;
  }

  #isAllTold(): boolean {
    const toldCount = this.#answers.reduce((sum, answer) => sum + answer.toldCount, 0);
    return Math.max(toldCount, this.#answers.length) >= this.#imageCountMax;
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
    if (this.#eventCount > EVENTS_MAX) throw new UnreadableAnswerError('The stream has too many events.');
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

/** The images of a completed event stand in it, or in a list as a whole answer has it. */
function readCompletion(event: Readonly<Record<string, unknown>>): ImageAnswer {
  const entries: readonly unknown[] = Array.isArray(event.data) ? event.data : [];
  return readRest({ data: [event, ...entries], usage: event.usage, error: event.error });
}

function join(answers: readonly ImageAnswer[]): ImageAnswer {
  const usages = answers.map(({ usage }) => usage).filter((usage) => usage !== undefined);
  return {
    // Where several tell of it, nobody knows whether each means its own image or all of them.
    usage: usages.length === 1 ? usages[0] : undefined,
    toldCount: answers.reduce((sum, { toldCount }) => sum + toldCount, 0),
    resultUrls: answers.flatMap(({ resultUrls }) => resultUrls),
    error: answers.find(({ error }) => error !== undefined)?.error,
  };
}
