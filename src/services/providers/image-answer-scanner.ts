import { GrowingBytes } from './growing-bytes.ts';
import { readJsonString } from './json-string.ts';

/**
 * Reads the JSON of an image answer byte by byte, as it arrives, and takes the images out of it.
 *
 * The texts of `data[i].b64_json`, and of `data[i].url` where it is a `data:` URL, are handed on in runs and never
 * kept. All the rest is kept and parsed by `JSON.parse` at the end, with `true` where an image text stood.
 */

/** What a scan found: characters of an image's text (a view of the chunk, escapes undone), or the end of that text. */
export type ImageText = { readonly type: 'characters'; readonly characters: Uint8Array } | { readonly type: 'end' };

/** The body is not an image answer in JSON. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
}

/** Everything but the images: real answers have about one kilobyte. */
const restSizeBytesMax = 1024 * 1024;
/** A longer text is kept as an empty one. The longest useful one is a signed URL of a few kilobytes. */
const textSizeBytesMax = 64 * 1024;
/** Image answers are five deep. */
const depthMax = 64;

const quote = 0x22;
const backslash = 0x5c;
const slash = 0x2f;
const letterU = 0x75;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const highestWhitespace = 0x20;

const dataScheme = 'data:';
/** `data:` with every letter written as `\u0064`. */
const urlHeadCharactersMax = 30;
const endOfText: ImageText = { type: 'end' };
const slashText: ImageText = { type: 'characters', characters: Uint8Array.of(slash) };
/** Stands for a character that is not in ASCII; no base64 has it. */
const foreignByte = 0;

type Container = { readonly isObject: boolean; key: string };

type Mode = 'structure' | 'text' | 'url-head' | 'image' | 'image-escape';

export class ImageAnswerScanner {
  readonly #rest = new GrowingBytes(restSizeBytesMax);
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
    if (!this.#isComplete) {
      throw new UnreadableAnswerError('The answer ended before its JSON did.');
    }
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
      if (byte <= highestWhitespace || this.#isComplete) {
        continue;
      }
      if (byte === quote) {
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
    if (byte === openBrace || byte === openBracket) {
      if (this.#containers.length === depthMax) {
        throw new UnreadableAnswerError('The answer is nested too deeply.');
      }
      this.#containers.push({ isObject: byte === openBrace, key: '' });
      this.#expectsKey = byte === openBrace;
      if (this.#containers.length === 3) {
        this.#entryHasImage = false;
      }
    } else if (byte === closeBrace || byte === closeBracket) {
      this.#containers.pop();
      this.#isComplete = this.#containers.length === 0;
    } else if (byte === comma) {
      this.#expectsKey = this.#containers.at(-1)?.isObject ?? false;
    } else if (this.#containers.length === 0 && byte < 0x80) {
      // HTML and plain text end here. A byte order mark, which is above 0x7f, may stand in front of the JSON.
      throw new UnreadableAnswerError('The answer is not a JSON object.');
    }
  }

  #beginText(): void {
    const container = this.#containers.at(-1);
    if (container === undefined) {
      throw new UnreadableAnswerError('The answer is not a JSON object.');
    }
    this.#textIsKey = container.isObject && this.#expectsKey;
    this.#expectsKey = false;
    const key = this.#textIsKey ? undefined : this.#keyInsideEntry();
    if (key === 'b64_json' && !this.#entryHasImage) {
      this.#beginImage();
      return;
    }
    this.#keepByte(quote);
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

  /** The current key, where we are directly inside `data[i]`. */
  #keyInsideEntry(): string | undefined {
    const [root, list, entry] = this.#containers;
    const isEntry = this.#containers.length === 3 && root?.isObject && root.key === 'data' && list?.isObject === false;
    return isEntry && entry?.isObject ? entry.key : undefined;
  }

  #scanText(chunk: Buffer, start: number): number {
    let end = start;
    while (end < chunk.length) {
      const byte = chunk[end];
      if (this.#afterBackslash) {
        this.#afterBackslash = false;
      } else if (byte === backslash) {
        this.#afterBackslash = true;
      } else if (byte === quote) {
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
    if (this.#textIsDropped) {
      return;
    }
    if (this.#rest.length - this.#textStart + run.length > textSizeBytesMax) {
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
    }
    this.#keepByte(quote);
    this.#mode = 'structure';
  }

  /** Looks whether a URL begins with `data:`, of which any letter may be escaped. */
  *#scanUrlHead(chunk: Buffer, start: number): Generator<ImageText, number> {
    for (let position = start; position < chunk.length; position += 1) {
      const byte = chunk.readUInt8(position);
      const isEnd = byte === quote && readJsonString(this.#urlHead) !== undefined;
      this.#urlHead += isEnd ? '' : String.fromCharCode(byte);
      // In the middle of an escape nothing can be read.
      const read = readJsonString(this.#urlHead)?.toLowerCase();
      if (read === dataScheme) {
        this.#rest.truncate(this.#textStart - 1);
        this.#beginImage();
        yield this.#characters(Buffer.from(dataScheme, 'latin1'));
        return position + 1;
      }
      const isUndecided = read === undefined || dataScheme.startsWith(read);
      if (isEnd || !isUndecided || this.#urlHead.length === urlHeadCharactersMax) {
        this.#keepText(Buffer.from(this.#urlHead, 'latin1'));
        this.#mode = 'text';
        return isEnd ? position : position + 1;
      }
    }
    return chunk.length;
  }

  *#scanImage(chunk: Buffer, start: number): Generator<ImageText, number> {
    const escapeAt = chunk.indexOf(backslash, start);
    const beforeEscape = escapeAt < 0 ? chunk : chunk.subarray(0, escapeAt);
    const endAt = beforeEscape.indexOf(quote, start);
    const run = beforeEscape.subarray(start, endAt < 0 ? undefined : endAt);
    if (run.length > 0) {
      yield this.#characters(run);
    }
    if (endAt >= 0) {
      yield endOfText;
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
    const isUnicode = this.#escape.charCodeAt(0) === letterU;
    if (!isUnicode || this.#escape.length === 'u002b'.length) {
      this.#mode = 'image';
      this.#imageIsEmpty = false;
      yield this.#escape === '/' ? slashText : this.#characters(Uint8Array.of(readEscape(this.#escape)));
    }
    return position + 1;
  }

  #characters(characters: Uint8Array): ImageText {
    this.#imageIsEmpty = false;
    return { type: 'characters', characters };
  }

  #keep(run: Uint8Array): void {
    if (!this.#rest.append(run)) {
      throw new UnreadableAnswerError('The answer has too much in it besides its images.');
    }
  }

  #keepByte(byte: number): void {
    if (!this.#rest.appendByte(byte)) {
      throw new UnreadableAnswerError('The answer has too much in it besides its images.');
    }
  }
}

function readEscape(escape: string): number {
  const byte = readJsonString(`\\${escape}`)?.charCodeAt(0) ?? foreignByte;
  return byte < 0x80 ? byte : foreignByte;
}
