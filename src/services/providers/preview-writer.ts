import type { ByteSink, PreviewTarget } from './image-provider.ts';

/** Nobody is shown more than Discord takes; a finished 4K picture may have twice as much. */
const PREVIEW_SIZE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Writes unfinished pictures to their sinks. Nothing that goes wrong here can harm the call, which is for the finished
 * one: a preview that is too large is left out, and after a sink that failed there are no more.
 */
export class PreviewWriter {
  readonly #target: PreviewTarget | undefined;
  #sink: ByteSink | undefined;
  #sizeBytes = 0;
  #arrivedCount = 0;
  #hasFailed = false;

  /** @param target undefined where nobody wants them: a stream may come, with previews in it, that nobody asked for */
  constructor(target: PreviewTarget | undefined) {
    this.#target = target;
  }

  /** Appends to the current preview, beginning it if there is none. The bytes may be reused once this resolves. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#sizeBytes += bytes.length;
    if (!this.#isWanted()) return;
    try {
      this.#sink ??= await this.#target?.openByteSink(this.#arrivedCount);
      await this.#sink?.write(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends the current preview, and tells of it if it is whole. */
  async finish(): Promise<void> {
    const [sink, sizeBytes] = [this.#sink, this.#sizeBytes];
    if (sink === undefined || !this.#isWanted()) {
      await this.abandon();
      return;
    }
    this.#sink = undefined;
    this.#sizeBytes = 0;
    try {
      await sink.close();
      this.#target?.arrived(this.#arrivedCount, sizeBytes);
      this.#arrivedCount += 1;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Leaves the current preview, if there is one, unfinished. */
  async abandon(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#sizeBytes = 0;
    await sink?.discard();
  }

  #isWanted(): boolean {
    const countMax = this.#target?.count ?? 0;
    return !this.#hasFailed && this.#arrivedCount < countMax && this.#sizeBytes <= PREVIEW_SIZE_BYTES_MAX;
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#target?.failed(error);
  }
}
