/**
 * Decodes base64 that arrives in runs of any length, in pieces of bounded size.
 *
 * Long runs are decoded from where they lie to where they shall be, because each copy of a picture costs half as much as
 * its decoding. Short ones are gathered in a buffer that is kept, so that a run of one byte costs little more than its
 * copy. The memory needed does not depend on the size of the image.
 */

/**
 * How many characters are decoded at once. Decoding goes through a string, and strings from 128 KiB on are large
 * objects for the garbage collector, which triple the cost.
 */
const STAGED_CHARACTERS_MAX = 32 * 1024;
/** From this length on a run is decoded where it lies; below it, the string would cost more than the copy. */
const LONG_RUN_CHARACTERS = 2 * 1024;
/** Four characters are three bytes. */
const GROUP_CHARACTERS = 4;
const GROUP_BYTES = 3;

/** How large the pieces are that are handed on: large enough that a file is written in few calls. */
const PIECE_SIZE_BYTES = 192 * 1024;

/**
 * Finds memory of at least this size in which the next bytes of the image can stay; undefined where there is none. It
 * is written to until the piece in it has been handed on.
 */
export type FindRoom = (sizeBytes: number) => Buffer | undefined;

const NO_ROOM: FindRoom = () => undefined;

/** The longest `data:…;base64,` in front of an image; real ones have some thirty characters. */
const DATA_URL_HEAD_CHARACTERS_MAX = 256;

const SPACE = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
const EQUALS_SIGN = 0x3d;
const COMMA = 0x2c;

/** True for every byte of the standard and of the URL-safe base64 alphabet. */
const IS_ALPHABET: readonly boolean[] = Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9+/_-]/.test(String.fromCharCode(byte)),
);

/** The characters are not base64, so the image that they should be is lost. */
export class InvalidBase64Error extends Error {
  override readonly name = 'InvalidBase64Error';
}

/**
 * One decoder serves one image after another.
 *
 * It takes the standard and the URL-safe alphabet, with or without padding, broken by whitespace or not, and with or
 * without a `data:…;base64,` in front, because compatible providers send all of these.
 */
export class Base64Decoder {
  readonly #staging = Buffer.allocUnsafeSlow(STAGED_CHARACTERS_MAX);
  readonly #ownPiece = Buffer.allocUnsafeSlow(PIECE_SIZE_BYTES);
  /** The current piece: in the room that was found for it, or in our own. */
  #piece: Buffer = this.#ownPiece;
  #pieceLength = 0;
  #stagedCharacters = 0;
  #atHead = true;
  #padded = false;
  /** Whether all that was decoded so far was purely base64, as nearly always. */
  #isPure = false;

  /**
   * Takes the next characters and yields what became decodable. A piece is overwritten by the next one, unless it lies
   * where there was room.
   * @throws {InvalidBase64Error}
   */
  *push(characters: Buffer, findRoom: FindRoom = NO_ROOM): Generator<Uint8Array> {
    let taken = 0;
    while (taken < characters.length) {
      this.#placePiece(findRoom);
      taken += this.#take(characters, taken);
      if (this.#pieceLength > PIECE_SIZE_BYTES - STAGED_CHARACTERS_MAX) {
        yield this.#takePiece();
      }
    }
  }

  /**
   * Ends the image, yields its last bytes and makes ready for the next image.
   * @throws {InvalidBase64Error}
   */
  *finish(findRoom: FindRoom = NO_ROOM): Generator<Uint8Array> {
    try {
      this.#placePiece(findRoom);
      this.#decodeStaged(true);
      if (this.#pieceLength > 0) {
        yield this.#takePiece();
      }
    } finally {
      this.reset();
    }
  }

  /** Forgets the current image. */
  reset(): void {
    this.#stagedCharacters = 0;
    this.#piece = this.#ownPiece;
    this.#pieceLength = 0;
    this.#atHead = true;
    this.#padded = false;
    this.#isPure = false;
  }

  /** A piece of which nothing is there yet begins where there is room now. */
  #placePiece(findRoom: FindRoom): void {
    if (this.#pieceLength === 0) {
      this.#piece = findRoom(PIECE_SIZE_BYTES) ?? this.#ownPiece;
    }
  }

  #takePiece(): Uint8Array {
    const piece = this.#piece.subarray(0, this.#pieceLength);
    this.#pieceLength = 0;
    return piece;
  }

  /** @returns how many characters were taken, from `start` on */
  #take(characters: Buffer, start: number): number {
    const isLong = characters.length - start >= LONG_RUN_CHARACTERS;
    if (!isLong || !this.#isPure) return this.#stage(characters, start, STAGED_CHARACTERS_MAX);
    if (this.#stagedCharacters > 0) {
      // What is needed to end the group that was begun, and then all that was staged is decoded.
      return this.#stage(characters, start, roundUpToGroup(this.#stagedCharacters));
    }
    const end = start + roundDownToGroup(Math.min(characters.length - start, STAGED_CHARACTERS_MAX));
    this.#isPure = this.#decode(characters, start, end);
    return this.#isPure ? end - start : 0;
  }

  /** Copies characters until so many are staged, and then decodes them. */
  #stage(characters: Buffer, start: number, fullCharacters: number): number {
    const run = characters.subarray(start, start + fullCharacters - this.#stagedCharacters);
    this.#staging.set(run, this.#stagedCharacters);
    this.#stagedCharacters += run.length;
    if (this.#stagedCharacters === fullCharacters) {
      this.#decodeStaged(false);
    }
    return run.length;
  }

  #decodeStaged(isLast: boolean): void {
    if (this.#atHead) {
      this.#dropDataUrlHead();
      this.#atHead = false;
    }
    if (!this.#padded && this.#decodeAllStaged(isLast)) {
      this.#isPure = true;
      return;
    }
    // Whitespace, early padding or rubbish: rare, so only now is every character looked at.
    this.#isPure = false;
    this.#removeWhitespaceAndPadding();
    if (!this.#decodeAllStaged(isLast || this.#padded)) {
      throw new InvalidBase64Error('The base64 text ends in the middle of a byte.');
    }
  }

  /**
   * Appends what is staged to the piece: whole groups of four, or everything.
   * @returns false, with nothing taken, where the staged text is not purely base64
   */
  #decodeAllStaged(isLast: boolean): boolean {
    let end = this.#stagedCharacters;
    if (isLast) {
      while (end > 0 && this.#staging[end - 1] === EQUALS_SIGN) {
        end -= 1;
      }
    } else {
      end = roundDownToGroup(end);
    }
    if (end % GROUP_CHARACTERS === 1 || !this.#decode(this.#staging, 0, end)) return false;
    this.#staging.copyWithin(0, end, this.#stagedCharacters);
    this.#stagedCharacters -= end;
    return true;
  }

  /** @returns false, with nothing taken, where the text is not purely base64 */
  #decode(text: Buffer, start: number, end: number): boolean {
    // Buffer's decoder skips what it does not know, so a short count is how foreign characters show.
    const written = this.#piece.write(text.toString('latin1', start, end), this.#pieceLength, 'base64');
    if (written !== Math.floor(((end - start) * GROUP_BYTES) / GROUP_CHARACTERS)) return false;
    this.#pieceLength += written;
    return true;
  }

  /** Padding ends the image: only more padding and whitespace may follow it. */
  #removeWhitespaceAndPadding(): void {
    let kept = 0;
    for (let position = 0; position < this.#stagedCharacters; position += 1) {
      const byte = this.#staging.readUInt8(position);
      if (IS_ALPHABET[byte] && !this.#padded) {
        this.#staging[kept] = byte;
        kept += 1;
      } else if (byte === EQUALS_SIGN) {
        this.#padded = true;
      } else if (!isWhitespace(byte)) {
        throw new InvalidBase64Error('A character in the text is not base64.');
      }
    }
    this.#stagedCharacters = kept;
  }

  #dropDataUrlHead(): void {
    const head = this.#staging.toString('latin1', 0, Math.min(this.#stagedCharacters, DATA_URL_HEAD_CHARACTERS_MAX));
    if (!/^\s*data:/i.test(head)) return;
    const end = this.#staging.subarray(0, head.length).indexOf(COMMA);
    if (end < 0 || !/;\s*base64\s*$/i.test(head.slice(0, end))) {
      throw new InvalidBase64Error('The data URL is not in base64.');
    }
    this.#staging.copyWithin(0, end + 1, this.#stagedCharacters);
    this.#stagedCharacters -= end + 1;
  }
}

/** Decoders that are free, so that their buffers are made once and not for every image. */
export type DecoderPool = {
  take(): Base64Decoder;
  giveBack(decoder: Base64Decoder): void;
};

/** More decoders than these are needed only while more images arrive at the same moment. */
const IDLE_DECODERS_MAX = 8;

/** Buffers of this size outlive the garbage collector's quick rounds, and each new one would bring on a full round. */
export function createDecoderPool(): DecoderPool {
  const idle: Base64Decoder[] = [];
  return {
    take: () => idle.pop() ?? new Base64Decoder(),
    giveBack(decoder) {
      decoder.reset();
      if (idle.length < IDLE_DECODERS_MAX) {
        idle.push(decoder);
      }
    },
  };
}

function roundDownToGroup(characters: number): number {
  return characters - (characters % GROUP_CHARACTERS);
}

function roundUpToGroup(characters: number): number {
  return roundDownToGroup(characters + GROUP_CHARACTERS - 1);
}

function isWhitespace(byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
}
