import type { Base64Decoder, DecoderPool, FindRoom } from './base64-decoder.ts';
import { InvalidBase64Error } from './base64-decoder.ts';
import type { ImageText } from './image-answer-scanner.ts';
import type { SeldomWaiting } from './seldom-waiting.ts';

/** Takes the bytes of one picture, in order. */
export type PieceWriter = {
  /** Memory in which the next bytes can stay, to be handed to `write` from there; undefined where there is none. */
  findRoom?(sizeBytes: number): Buffer | undefined;
  /** The bytes are only lent until the promise has resolved, if there is one. */
  write(bytes: Uint8Array): Promise<void> | undefined;
};

/** How far the text of an image has come: it goes on, or it has ended and was base64, or was not. */
export type ImageTextState = 'begun' | 'whole' | 'broken';

/** Turns the texts of images, one after another, into bytes. */
export class ImageTextDecoder {
  readonly #decoders: DecoderPool;
  #decoder: Base64Decoder | undefined;
  #isBroken = false;

  constructor(decoders: DecoderPool) {
    this.#decoders = decoders;
  }

  /** @throws whatever the writer throws, as it is */
  *take(found: ImageText, writer: PieceWriter): SeldomWaiting<ImageTextState> {
    // Taken with the first image, so that the many calls that are still waiting hold no buffers.
    this.#decoder ??= this.#decoders.take();
    const findRoom: FindRoom = (sizeBytes) => writer.findRoom?.(sizeBytes);
    if (found.type === 'characters') {
      yield* this.#decode(this.#decoder.push(found.characters, findRoom), writer);
      return 'begun';
    }
    yield* this.#decode(this.#decoder.finish(findRoom), writer);
    const state = this.#isBroken ? 'broken' : 'whole';
    this.reset();
    return state;
  }

  /** Forgets the current image. */
  reset(): void {
    this.#decoder?.reset();
    this.#isBroken = false;
  }

  dispose(): void {
    if (this.#decoder !== undefined) {
      this.#decoders.giveBack(this.#decoder);
      this.#decoder = undefined;
    }
  }

  *#decode(pieces: Iterable<Uint8Array>, writer: PieceWriter): SeldomWaiting {
    if (this.#isBroken) return;
    try {
      for (const piece of pieces) {
        const written = writer.write(piece);
        if (written !== undefined) {
          yield written;
        }
      }
    } catch (error) {
      if (!(error instanceof InvalidBase64Error)) throw error;
      this.#isBroken = true;
    }
  }
}
