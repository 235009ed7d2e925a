import type { ByteSink, OpenByteSink } from './image-provider.ts';

/** The image is larger than any that a model makes. */
export class ImageTooLargeError extends Error {
  override readonly name = 'ImageTooLargeError';
}

/**
 * Writes images to their sinks, one after another.
 *
 * The images that arrived whole are always numbers 0 to `wholeCount - 1`: one that is abandoned has its sink
 * discarded and leaves its number to the next image. Whatever a sink throws is passed on as it is.
 */
export class ImageWriter {
  readonly #openByteSink: OpenByteSink;
  readonly #imageSizeBytesMax: number;
  #sink: ByteSink | undefined;
  #sizeBytes = 0;
  #wholeCount = 0;

  constructor(openByteSink: OpenByteSink, imageSizeBytesMax: number) {
    this.#openByteSink = openByteSink;
    this.#imageSizeBytesMax = imageSizeBytesMax;
  }

  /** How many images were written whole. */
  get wholeCount(): number {
    return this.#wholeCount;
  }

  /** Memory in which the next bytes of the current image can stay, to be handed to `write` from there. */
  findRoom(sizeBytes: number): Buffer | undefined {
    return this.#sink?.findRoom?.(sizeBytes);
  }

  /**
   * Appends to the current image, beginning it if there is none. The bytes may be reused once this resolves, or at once
   * where it has nothing to wait for.
   * @throws {ImageTooLargeError}
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes > this.#imageSizeBytesMax) {
      throw new ImageTooLargeError(`An image has more than ${this.#imageSizeBytesMax} bytes.`);
    }
    return this.#sink === undefined ? this.#begin(bytes) : this.#sink.write(bytes);
  }

  async #begin(bytes: Uint8Array): Promise<void> {
    this.#sink = await this.#openByteSink(this.#wholeCount);
    await this.#sink.write(bytes);
  }

  /**
   * Ends the current image and waits until it is durable.
   * @returns false where it had no bytes, and so is no image
   */
  async finish(): Promise<boolean> {
    if (this.#sink === undefined) return false;
    await this.#sink.close();
    this.#sink = undefined;
    this.#sizeBytes = 0;
    this.#wholeCount += 1;
    return true;
  }

  /** Leaves the current image, if there is one, unfinished. */
  async abandon(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#sizeBytes = 0;
    await sink?.discard();
  }
}
