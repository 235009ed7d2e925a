import { GrowingBytes } from './growing-bytes.ts';

/**
 * Takes server-sent events apart while they arrive: https://html.spec.whatwg.org/multipage/server-sent-events.html
 *
 * The data of an event is handed on in runs and never kept, because it has a whole image in it.
 */

/** The name of the current event, a run of its data (a view of the chunk), or its end. */
export type EventPart =
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'data'; readonly bytes: Buffer }
  | { readonly type: 'end' };

/** A longer field name, or event name, is cut: none that means something here is as long. */
const WORD_SIZE_BYTES_MAX = 128;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const OPEN_BRACE = 0x7b;

const END_OF_EVENT: EventPart = { type: 'end' };
const LINE_BREAK: EventPart = { type: 'data', bytes: Buffer.from([LINE_FEED]) };

/**
 * Where we are in a line: in the name of its field, just behind the colon, or in a value of one kind. Or in a whole answer
 * that is no event: relays that keep a connection alive by comments may have nothing but that to send behind them.
 */
type Place = 'field' | 'value-start' | 'data' | 'name' | 'ignored' | 'answer';

export class EventStreamSplitter {
  #place: Place = 'field';
  readonly #word = new GrowingBytes(WORD_SIZE_BYTES_MAX);
  #field = '';
  #lineHasBytes = false;
  #eventHasData = false;
  #afterCarriageReturn = false;

  /** Takes the next bytes of the body. */
  *split(chunk: Buffer): Generator<EventPart> {
    let position = 0;
    while (position < chunk.length) {
      if (this.#afterCarriageReturn) {
        this.#afterCarriageReturn = false;
        if (chunk[position] === LINE_FEED) {
          position += 1;
          continue;
        }
      }
      if (this.#place === 'value-start') {
        position += chunk[position] === SPACE ? 1 : 0;
        yield* this.#beginValue();
        continue;
      }
      if (this.#isAtLineStart() && chunk[position] === OPEN_BRACE) {
        this.#place = 'answer';
        yield END_OF_EVENT;
      }
      if (this.#place === 'answer') {
        yield { type: 'data', bytes: chunk.subarray(position) };
        return;
      }
      position = yield* this.#takeRun(chunk, position);
    }
  }

  #isAtLineStart(): boolean {
    return this.#place === 'field' && !this.#lineHasBytes;
  }

  *#takeRun(chunk: Buffer, start: number): Generator<EventPart, number> {
    const end = endOfRun(chunk, start, this.#place === 'field');
    const run = chunk.subarray(start, end);
    this.#lineHasBytes ||= run.length > 0;
    if (this.#place === 'data') {
      if (run.length > 0) {
        yield { type: 'data', bytes: run };
      }
    } else if (this.#place !== 'ignored') {
      this.#word.append(run.subarray(0, WORD_SIZE_BYTES_MAX - this.#word.length));
    }
    if (end === chunk.length) return end;
    if (chunk[end] === COLON && this.#place === 'field') {
      this.#lineHasBytes = true;
      this.#place = 'value-start';
      this.#field = this.#takeWord();
    } else {
      this.#afterCarriageReturn = chunk[end] === CARRIAGE_RETURN;
      yield* this.#endLine();
    }
    return end + 1;
  }

  *#beginValue(): Generator<EventPart> {
    if (this.#field === 'data') {
      this.#place = 'data';
      if (this.#eventHasData) {
        yield LINE_BREAK;
      }
      this.#eventHasData = true;
    } else {
      this.#place = this.#field === 'event' ? 'name' : 'ignored';
    }
  }

  *#endLine(): Generator<EventPart> {
    if (this.#place === 'name') {
      yield { type: 'name', name: this.#takeWord() };
    } else if (!this.#lineHasBytes) {
      this.#eventHasData = false;
      yield END_OF_EVENT;
    }
    this.#word.truncate(0);
    this.#place = 'field';
    this.#lineHasBytes = false;
  }

  #takeWord(): string {
    // A byte order mark may stand in front of the first line; reading the bytes as text drops it.
    const word = this.#word.text();
    this.#word.truncate(0);
    return word;
  }
}

/** Where a line ends, or the name of its field. */
function endOfRun(chunk: Buffer, start: number, isInField: boolean): number {
  const lineFeedAt = positionOf(LINE_FEED, chunk, start);
  const lineEnd = positionOf(CARRIAGE_RETURN, chunk.subarray(0, lineFeedAt), start);
  return isInField ? positionOf(COLON, chunk.subarray(0, lineEnd), start) : lineEnd;
}

function positionOf(byte: number, chunk: Buffer, start: number): number {
  const position = chunk.indexOf(byte, start);
  return position < 0 ? chunk.length : position;
}
