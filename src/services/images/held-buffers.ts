/**
 * Large buffers of one piece of work, whose memory is given back as soon as that is over.
 *
 * Left to the collector it comes back late: what a library has held for a moment is often taken for old, and is not
 * looked at again until 64 MB have come together, and then with everything else. Every fifteenth edit of a picture of
 * 2 MB had such a collection, of 65 ms of CPU.
 *
 *     using held = new HeldBuffers();
 *     const plane = held.hold(await readPlane());
 */
export class HeldBuffers implements Disposable {
  readonly #memory = new Set<ArrayBuffer>();

  /**
   * Takes charge of a buffer that nobody uses afterwards, be it in the library's threads. It is empty then. What shares
   * its memory with others is left as it is.
   */
  hold(bytes: Buffer): Buffer {
    const { buffer } = bytes;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) this.#memory.add(buffer);
    return bytes;
  }

  [Symbol.dispose](): void {
    for (const memory of this.#memory) memory.transfer(0);
    this.#memory.clear();
  }
}
