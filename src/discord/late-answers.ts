import { REPLY_LIFETIME_MS } from '../services/open-job.ts';
import { untilAborted } from '../services/until-aborted.ts';
import type { SendResult } from './send-attempts.ts';
import { sendUntilSettled } from './send-attempts.ts';

/** Last words in replies, which come late rather than never. */
export type LateAnswers = {
  /**
   * Sends until it is settled, and where that takes long, for as long as the reply can be edited or until the process is
   * asked to stop.
   * @param send is given a signal where it can be cut off without harm, because it is only one more attempt
   */
  settle(send: (signal?: AbortSignal) => Promise<unknown>): Promise<SendResult>;
};

const LATE_PAUSE_MS = 30_000;
const LATE_ATTEMPTS_MAX = REPLY_LIFETIME_MS / LATE_PAUSE_MS;
/** Discord blocks an address that it refuses 10,000 requests within ten minutes; all of these make 4,000. */
const LATE_ANSWERS_MAX = 200;

export function createLateAnswers(parts: {
  sleep: (ms: number) => Promise<unknown>;
  onFailure: (error: unknown) => void;
  /** Ends what would otherwise be tried again for minutes. */
  stopping: AbortSignal;
  now: () => number;
}): LateAnswers {
  const { sleep, stopping, now } = parts;
  let lateCount = 0;

  async function settleLate(send: (signal: AbortSignal) => Promise<unknown>, over: number): Promise<SendResult> {
    for (let attempt = 1; attempt <= LATE_ATTEMPTS_MAX; attempt += 1) {
      await untilAborted(stopping, async () => sleep(LATE_PAUSE_MS));
      if (stopping.aborted || now() >= over) break;
      const result = await attemptLate(send);
      if (result !== 'later') return result;
    }
    return 'later';
  }

  /** The library never takes its listeners from a signal, so each attempt has one of its own. */
  async function attemptLate(send: (signal: AbortSignal) => Promise<unknown>): Promise<SendResult> {
    const attempt = new AbortController();
    const cutOff = (): void => attempt.abort();
    stopping.addEventListener('abort', cutOff);
    try {
      return await sendUntilSettled(async () => send(attempt.signal), { ...parts, attemptsMax: 1 });
    } finally {
      stopping.removeEventListener('abort', cutOff);
    }
  }

  return {
    async settle(send) {
      const over = now() + REPLY_LIFETIME_MS;
      const result = await sendUntilSettled(async () => send(), parts);
      if (result !== 'later' || lateCount >= LATE_ANSWERS_MAX) return result;
      lateCount += 1;
      try {
        return await settleLate(send, over);
      } finally {
        lateCount -= 1;
      }
    },
  };
}
