/** A buffer that grows as it is written to, up to a limit. */
export class GrowingBytes {
  #bytes: Buffer;
  #length = 0;
  readonly #sizeBytesMax: number;

  /** @param sizeBytesMax how much it holds at most */
  constructor(sizeBytesMax: number) {
    this.#sizeBytesMax = sizeBytesMax;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(4096, sizeBytesMax));
  }

  get length(): number {
    return this.#length;
  }

  /** @returns false, with nothing appended, where the limit would be passed */
  append(run: Uint8Array): boolean {
    if (!this.#reserve(run.length)) return false;
    this.#bytes.set(run, this.#length);
    this.#length += run.length;
    return true;
  }

  /** @returns false, with nothing appended, where the limit would be passed */
  appendByte(byte: number): boolean {
    if (!this.#reserve(1)) return false;
    this.#bytes[this.#length] = byte;
    this.#length += 1;
    return true;
  }

  /** Forgets everything from `length` on. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** The bytes from `start` on, read as UTF-8; a byte order mark is dropped. */
  text(start = 0): string {
    return new TextDecoder().decode(this.#bytes.subarray(start, this.#length));
  }

  #reserve(sizeBytes: number): boolean {
    const needed = this.#length + sizeBytes;
    if (needed > this.#sizeBytesMax) return false;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#sizeBytesMax, Math.max(needed, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    return true;
  }
}
