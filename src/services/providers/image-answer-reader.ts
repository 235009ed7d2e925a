import { InvalidBase64Error, type Base64Decoder, type DecoderPool } from './base64-decoder.ts';
import { ImageAnswerScanner, type ImageText } from './image-answer-scanner.ts';
import type { ImageWriter } from './image-writer.ts';

/** What an answer said besides the images that it carried itself. */
export type ImageAnswer = {
  /** The usage object exactly as it was sent; undefined where there is none. */
  readonly usage: unknown;
  /** How many images the answer tells of, whether they could be read or not. */
  readonly toldCount: number;
  /** Where images are that the answer only points to, in their order. */
  readonly resultUrls: readonly string[];
  /** What the provider says went wrong, where it answers 200 with an error inside. */
  readonly errorMessage: string | undefined;
};

/**
 * Reads an image answer while it arrives and writes the images in it as they are decoded.
 *
 * An image whose base64 is broken is left out; so are images beyond `imageCountMax`.
 * @param body the bytes of the JSON; it is ended early when anything below throws
 * @throws {UnreadableAnswerError} where the body is no image answer
 * @throws {ImageTooLargeError}
 * @throws whatever the body or a sink throws, as it is
 */
export async function readImageAnswer(
  body: AsyncIterable<Uint8Array>,
  writer: ImageWriter,
  imageCountMax: number,
  decoders: DecoderPool,
): Promise<ImageAnswer> {
  const scanner = new ImageAnswerScanner();
  const images = new ImageTextDecoder(writer, imageCountMax, decoders);
  try {
    for await (const chunk of body) {
      for (const found of scanner.scan(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) {
        await images.take(found);
      }
    }
  } finally {
    images.dispose();
  }
  return readRest(scanner.finish());
}

/** Turns the texts of images into written images. */
class ImageTextDecoder {
  readonly #writer: ImageWriter;
  readonly #imageCountMax: number;
  readonly #decoders: DecoderPool;
  #decoder: Base64Decoder | undefined;
  #isBroken = false;

  constructor(writer: ImageWriter, imageCountMax: number, decoders: DecoderPool) {
    this.#writer = writer;
    this.#imageCountMax = imageCountMax;
    this.#decoders = decoders;
  }

  async take(found: ImageText): Promise<void> {
    if (this.#writer.wholeCount >= this.#imageCountMax) {
      return;
    }
    // Taken with the first image, so that the many calls that are still waiting hold no buffers.
    this.#decoder ??= this.#decoders.take();
    if (found.type === 'characters') {
      await this.#decode(this.#decoder.push(found.characters));
      return;
    }
    await this.#decode(this.#decoder.finish());
    if (this.#isBroken) {
      await this.#writer.abandon();
    } else {
      await this.#writer.finish();
    }
    this.#decoder.reset();
    this.#isBroken = false;
  }

  dispose(): void {
    if (this.#decoder !== undefined) {
      this.#decoders.giveBack(this.#decoder);
      this.#decoder = undefined;
    }
  }

  async #decode(pieces: Iterable<Uint8Array>): Promise<void> {
    if (this.#isBroken) {
      return;
    }
    try {
      for (const piece of pieces) {
        await this.#writer.write(piece);
      }
    } catch (error) {
      if (!(error instanceof InvalidBase64Error)) {
        throw error;
      }
      this.#isBroken = true;
    }
  }
}

function readRest(rest: unknown): ImageAnswer {
  const answer = isRecord(rest) ? rest : {};
  const entries = Array.isArray(answer.data) ? answer.data.filter(isRecord) : [];
  return {
    // Relays that do not meter send null or false.
    usage: answer.usage === null || answer.usage === false ? undefined : answer.usage,
    // An image that the answer carried itself is `true`; the URL next to it leads to the same image.
    toldCount: entries.filter(({ b64_json: text, url }) => text === true || url === true || typeof url === 'string')
      .length,
    resultUrls: entries.flatMap(({ b64_json: text, url }) => (text !== true && typeof url === 'string' ? [url] : [])),
    errorMessage: readErrorMessage(answer.error),
  };
}

function readErrorMessage(error: unknown): string | undefined {
  const message = isRecord(error) ? error.message : error;
  return typeof message === 'string' ? message : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
