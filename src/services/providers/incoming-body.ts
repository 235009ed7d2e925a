import type { Dispatcher } from 'undici';
import type { IntakeGate, IntakePlace } from './intake-gate.ts';

/** What whoever takes a body in says to each of its pieces: that it wants more, or that it has all that it wants. */
export type Taken = 'more' | 'enough';

/**
 * Takes the next bytes of a body, in order. They are only lent until it has answered; where it answers with a promise,
 * the rest waits, and what the other side still sends stays in the kernel.
 */
export type TakeBytes = (bytes: Buffer) => Taken | Promise<Taken>;

/** Hands a whole body over, once. Rejects with whatever `take` throws, and with what became of the connection. */
export type ReadBody = (take: TakeBytes) => Promise<void>;

/** What can be done to a connection while it brings an answer. */
export type Incoming = Pick<Dispatcher.DispatchController, 'pause' | 'resume' | 'abort'>;

type Reading = { readonly take: TakeBytes; readonly resolve: () => void; readonly reject: (error: unknown) => void };

/**
 * The body of one answer, handed on as the connection brings it, through the gate where results take turns.
 *
 * There is no stream between the two: a Node stream, its iterator and a web stream, one upon the other, took more time
 * for every piece of a picture than decoding it does.
 */
export class IncomingBody {
  readonly #place: IntakePlace;
  #incoming: Incoming | undefined;
  #reading: Reading | undefined;
  /** Pieces that came while nobody took them: some still come after a pause, and all of them count. */
  readonly #pieces: Buffer[] = [];
  #isAtWork = false;
  /** How long the body is, where its answer says so, and how much of it has come. */
  #lengthBytes: number | undefined;
  #receivedBytes = 0;
  /** Whether the connection has brought all that it will. */
  #isOver = false;
  /** How the body ended, which is told when all that came before has been taken. */
  #end: { readonly error?: unknown } | undefined;

  constructor(gate: IntakeGate) {
    this.#place = gate.begin();
  }

  /**
   * The answer has begun. Nothing more comes in until somebody reads it.
   * @param lengthBytes as the answer tells it
   */
  begin(incoming: Incoming, lengthBytes?: number): void {
    this.#incoming = incoming;
    this.#lengthBytes = lengthBytes;
    incoming.pause();
  }

  push(piece: Buffer): void {
    // With each resumption undici hands over an empty piece: whoever waited for it would be resumed again, for ever.
    if (piece.length === 0) return;
    this.#receivedBytes += piece.length;
    if (this.#end === undefined) this.#pieces.push(piece);
    this.#advance();
  }

  finish(): void {
    this.#isOver = true;
    this.#end ??= {};
    this.#advance();
  }

  /** A body of which every byte has come is whole: a connection that is closed while it pauses counts as a broken one. */
  fail(error: unknown): void {
    this.#isOver = true;
    this.#end ??= this.#receivedBytes === this.#lengthBytes ? {} : { error };
    // Whoever waits for a place is let go, and finds out after it.
    this.#place.leave();
    this.#advance();
  }

  /** Hands the body over, from its beginning and only once. */
  async read(take: TakeBytes): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#reading = { take, resolve, reject };
      this.#advance();
    });
  }

  /** Ends the reading where its reader has all that it wants, between two pieces. */
  close(): void {
    if (this.#end === undefined) this.#endEarly();
    this.#advance();
  }

  #advance(): void {
    while (!this.#isAtWork && this.#reading !== undefined) {
      const piece = this.#pieces.shift();
      if (piece === undefined) return this.#awaitMore(this.#reading);
      this.#take(this.#reading, piece);
    }
  }

  #awaitMore(reading: Reading): void {
    if (this.#end !== undefined) return this.#settle(reading, this.#end);
    this.#place.pause();
    this.#incoming?.resume();
  }

  #take({ take }: Reading, piece: Buffer): void {
    try {
      const entering = this.#place.enter();
      const taken = entering === undefined ? take(piece) : entering.then(() => take(piece));
      if (taken instanceof Promise) void this.#waitFor(taken);
      else if (taken === 'enough') this.#endEarly();
    } catch (error) {
      this.#stop({ error });
    }
  }

  async #waitFor(taken: Promise<Taken>): Promise<void> {
    this.#isAtWork = true;
    this.#incoming?.pause();
    try {
      if ((await taken) === 'enough') this.#endEarly();
    } catch (error) {
      this.#stop({ error });
    }
    this.#isAtWork = false;
    this.#advance();
  }

  /**
   * Whoever reads has all that they want. Most bodies end with those very bytes, and their connections by themselves;
   * only where more would come is it closed over that.
   */
  #endEarly(): void {
    this.#end = {};
    this.#pieces.length = 0;
    this.#incoming?.resume();
    setImmediate(() => {
      if (!this.#isOver) this.#stop();
    });
  }

  #stop(end: { readonly error?: unknown } = {}): void {
    this.#end = end;
    this.#pieces.length = 0;
    this.#incoming?.abort(new Error('The rest of the answer is not wanted.'));
  }

  #settle({ resolve, reject }: Reading, end: { readonly error?: unknown }): void {
    this.#reading = undefined;
    this.#place.leave();
    if ('error' in end) reject(end.error);
    else resolve();
  }
}

/** The same body, where what the connection throws is explained; what the taker throws goes on as it is. */
export function explainFailures(readBody: ReadBody, explain: (error: unknown) => Error): ReadBody {
  return async (take) => {
    const thrown = new Set<unknown>();
    const remember = (error: unknown): never => {
      thrown.add(error);
      throw error;
    };
    try {
      await readBody((bytes) => {
        try {
          const taken = take(bytes);
          return taken instanceof Promise ? taken.catch(remember) : taken;
        } catch (error) {
          return remember(error);
        }
      });
    } catch (error) {
      throw thrown.has(error) ? error : explain(error);
    }
  };
}
