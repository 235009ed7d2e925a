import { GrowingBytes } from './growing-bytes.ts';
import { readJsonString } from './json-string.ts';

/**
 * Reads the JSON of an image answer byte by byte, as it arrives, and takes the images out of it.
 *
 * The texts of `data[i].b64_json`, and of `data[i].url` where it is a `data:` URL, are handed on in runs and never
 * kept. All the rest is kept and parsed by `JSON.parse` at the end, with `true` where an image text stood. An event of a
 * stream is read in the same way, only that its image may also stand in the object itself.
 */

/** What a scan found: characters of an image's text (a view of the chunk, escapes undone), or the end of that text. */
export type ImageText = { readonly type: 'characters'; readonly characters: Buffer } | { readonly type: 'end' };

/** The body is not an image answer in JSON. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
}

/** Everything but the images: real answers have about one kilobyte. */
const REST_SIZE_BYTES_MAX = 1024 * 1024;
/** A longer text is kept as an empty one. The longest useful one is a signed URL of a few kilobytes. */
const TEXT_SIZE_BYTES_MAX = 64 * 1024;
/** Image answers are five deep. */
const DEPTH_MAX = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const LETTER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const HIGHEST_WHITESPACE = 0x20;

const DATA_SCHEME = 'data:';
/** `data:` with every letter written as `\u0064`. */
const URL_HEAD_CHARACTERS_MAX = 30;
/** Which field of an event says what it is. */
const TYPE_KEY = 'type';
const END_OF_TEXT: ImageText = { type: 'end' };
const SLASH_TEXT: ImageText = { type: 'characters', characters: Buffer.of(SLASH) };
/** Stands for a character that is not in ASCII; no base64 has it. */
const FOREIGN_BYTE = 0;

/** A whole answer, or one event of a stream. */
type ScannedKind = 'answer' | 'event';

type Container = { readonly isObject: boolean; key: string };

type Mode = 'structure' | 'text' | 'url-head' | 'image' | 'image-escape';

export class ImageAnswerScanner {
  readonly #kind: ScannedKind;
  readonly #rest = new GrowingBytes(REST_SIZE_BYTES_MAX);
  readonly #containers: Container[] = [];
  #mode: Mode = 'structure';
  #expectsKey = false;
  #isComplete = false;

  /** Where the current text begins in `rest`, behind its quotation mark. */
  #textStart = 0;
  #textIsKey = false;
  #textIsDropped = false;
  #afterBackslash = false;

  #urlHead = '';
  #escape = '';
  #imageIsEmpty = true;
  /** One entry gives one image, even where it has both `b64_json` and a `data:` URL. */
  #entryHasImage = false;
  #type: string | undefined;

  constructor(kind: ScannedKind = 'answer') {
    this.#kind = kind;
  }

  /** Whether the JSON has ended. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** What the event says that it is, as soon as it has said so. */
  get type(): string | undefined {
    return this.#type;
  }

  /**
   * Takes the next bytes of the body.
   * @throws {UnreadableAnswerError}
   */
  *scan(chunk: Buffer): Generator<ImageText> {
    let position = 0;
    while (position < chunk.length) {
      switch (this.#mode) {
        case 'structure':
          position = this.#scanStructure(chunk, position);
          break;
        case 'text':
          position = this.#scanText(chunk, position);
          break;
        case 'url-head':
          position = yield* this.#scanUrlHead(chunk, position);
          break;
        case 'image':
          position = yield* this.#scanImage(chunk, position);
          break;
        case 'image-escape':
          position = yield* this.#scanImageEscape(chunk, position);
          break;
      }
    }
  }

  /**
   * Everything but the images, parsed. The text of each image that was handed on is `true`.
   * @throws {UnreadableAnswerError} where the body ended early or is not JSON
   */
  finish(): unknown {
    if (!this.#isComplete) throw new UnreadableAnswerError('The answer ended before its JSON did.');
    try {
      return JSON.parse(this.#rest.text());
    } catch (cause) {
      throw new UnreadableAnswerError('The answer is not JSON.', { cause });
    }
  }

  #scanStructure(chunk: Buffer, start: number): number {
    for (let position = start; position < chunk.length; position += 1) {
      const byte = chunk.readUInt8(position);
      // Some gateways send spaces to keep a connection alive: they must not count against the limit.
      if (byte <= HIGHEST_WHITESPACE || this.#isComplete) continue;
      if (byte === QUOTE) {
        this.#beginText();
        return position + 1;
      }
      this.#keepByte(byte);
      this.#follow(byte);
    }
    return chunk.length;
  }

  /** Keeps track of where in the JSON we are. */
  #follow(byte: number): void {
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (this.#containers.length === DEPTH_MAX) throw new UnreadableAnswerError('The answer is nested too deeply.');
      this.#containers.push({ isObject: byte === OPEN_BRACE, key: '' });
      this.#expectsKey = byte === OPEN_BRACE;
      if (this.#containers.length === 3) {
        this.#entryHasImage = false;
      }
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      this.#containers.pop();
      this.#isComplete = this.#containers.length === 0;
    } else if (byte === COMMA) {
      this.#expectsKey = this.#containers.at(-1)?.isObject ?? false;
    } else if (this.#containers.length === 0 && byte < 0x80) {
      // HTML and plain text end here. A byte order mark, which is above 0x7f, may stand in front of the JSON.
      throw new UnreadableAnswerError('The answer is not a JSON object.');
    }
  }

  #beginText(): void {
    const container = this.#containers.at(-1);
    if (container === undefined) throw new UnreadableAnswerError('The answer is not a JSON object.');
    this.#textIsKey = container.isObject && this.#expectsKey;
    this.#expectsKey = false;
    const key = this.#textIsKey ? undefined : this.#keyInsideEntry();
    if (key === 'b64_json' && !this.#entryHasImage) {
      this.#beginImage();
      return;
    }
    this.#keepByte(QUOTE);
    this.#textStart = this.#rest.length;
    this.#textIsDropped = false;
    this.#afterBackslash = false;
    this.#urlHead = '';
    this.#mode = key === 'url' && !this.#entryHasImage ? 'url-head' : 'text';
  }

  #beginImage(): void {
    this.#imageIsEmpty = true;
    this.#mode = 'image';
  }

  /** The current key, where we are directly inside what has an image: `data[i]`, or the event. */
  #keyInsideEntry(): string | undefined {
    const [root, list, entry] = this.#containers;
    if (this.#kind === 'event' && this.#containers.length === 1) return root?.isObject ? root.key : undefined;
    const isEntry = this.#containers.length === 3 && root?.isObject && root.key === 'data' && list?.isObject === false;
    return isEntry && entry?.isObject ? entry.key : undefined;
  }

  #scanText(chunk: Buffer, start: number): number {
    let end = start;
    while (end < chunk.length) {
      const byte = chunk[end];
      if (this.#afterBackslash) {
        this.#afterBackslash = false;
      } else if (byte === BACKSLASH) {
        this.#afterBackslash = true;
      } else if (byte === QUOTE) {
        this.#keepText(chunk.subarray(start, end));
        this.#endText();
        return end + 1;
      }
      end += 1;
    }
    this.#keepText(chunk.subarray(start, end));
    return end;
  }

  #keepText(run: Uint8Array): void {
    if (this.#textIsDropped) return;
    if (this.#rest.length - this.#textStart + run.length > TEXT_SIZE_BYTES_MAX) {
      this.#rest.truncate(this.#textStart);
      this.#textIsDropped = true;
      return;
    }
    this.#keep(run);
  }

  #endText(): void {
    const container = this.#containers.at(-1);
    if (this.#textIsKey && container !== undefined) {
      const written = this.#rest.text(this.#textStart);
      // A key with a broken escape stays as it was written, and fails when the rest is parsed.
      container.key = readJsonString(written) ?? written;
    } else if (this.#containers.length === 1 && container?.key === TYPE_KEY) {
      this.#type = readJsonString(this.#rest.text(this.#textStart));
    }
    this.#keepByte(QUOTE);
    this.#mode = 'structure';
  }

  /** Looks whether a URL begins with `data:`, of which any letter may be escaped. */
  *#scanUrlHead(chunk: Buffer, start: number): Generator<ImageText, number> {
    for (let position = start; position < chunk.length; position += 1) {
      const byte = chunk.readUInt8(position);
      const isEnd = byte === QUOTE && readJsonString(this.#urlHead) !== undefined;
      this.#urlHead += isEnd ? '' : String.fromCharCode(byte);
      // In the middle of an escape nothing can be read.
      const read = readJsonString(this.#urlHead)?.toLowerCase();
      if (read === DATA_SCHEME) {
        this.#rest.truncate(this.#textStart - 1);
        this.#beginImage();
        yield this.#characters(Buffer.from(DATA_SCHEME, 'latin1'));
        return position + 1;
      }
      const isUndecided = read === undefined || DATA_SCHEME.startsWith(read);
      if (isEnd || !isUndecided || this.#urlHead.length === URL_HEAD_CHARACTERS_MAX) {
        this.#keepText(Buffer.from(this.#urlHead, 'latin1'));
        this.#mode = 'text';
        return isEnd ? position : position + 1;
      }
    }
    return chunk.length;
  }

  *#scanImage(chunk: Buffer, start: number): Generator<ImageText, number> {
    const escapeAt = chunk.indexOf(BACKSLASH, start);
    const beforeEscape = escapeAt < 0 ? chunk : chunk.subarray(0, escapeAt);
    const endAt = beforeEscape.indexOf(QUOTE, start);
    const run = beforeEscape.subarray(start, endAt < 0 ? undefined : endAt);
    if (run.length > 0) {
      yield this.#characters(run);
    }
    if (endAt >= 0) {
      yield END_OF_TEXT;
      this.#endImage();
      return endAt + 1;
    }
    if (escapeAt >= 0) {
      this.#escape = '';
      this.#mode = 'image-escape';
      return escapeAt + 1;
    }
    return chunk.length;
  }

  #endImage(): void {
    this.#entryHasImage = !this.#imageIsEmpty;
    this.#keep(Buffer.from(this.#imageIsEmpty ? '""' : 'true', 'latin1'));
    this.#mode = 'structure';
  }

  /** Base64 may be escaped: `\/` by PHP, `\u002b` by .NET, `\n` where lines are broken. */
  *#scanImageEscape(chunk: Buffer, position: number): Generator<ImageText, number> {
    const byte = chunk.readUInt8(position);
    this.#escape += String.fromCharCode(byte);
    const isUnicode = this.#escape.charCodeAt(0) === LETTER_U;
    if (!isUnicode || this.#escape.length === 'u002b'.length) {
      this.#mode = 'image';
      this.#imageIsEmpty = false;
      yield this.#escape === '/' ? SLASH_TEXT : this.#characters(Buffer.of(readEscape(this.#escape)));
    }
    return position + 1;
  }

  #characters(characters: Buffer): ImageText {
    this.#imageIsEmpty = false;
    return { type: 'characters', characters };
  }

  #keep(run: Uint8Array): void {
    if (!this.#rest.append(run)) throw new UnreadableAnswerError('The answer has too much in it besides its images.');
  }

  #keepByte(byte: number): void {
    if (!this.#rest.appendByte(byte)) {
      throw new UnreadableAnswerError('The answer has too much in it besides its images.');
    }
  }
}

function readEscape(escape: string): number {
  const byte = readJsonString(`\\${escape}`)?.charCodeAt(0) ?? FOREIGN_BYTE;
  return byte < 0x80 ? byte : FOREIGN_BYTE;
}
