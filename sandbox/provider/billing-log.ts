/** What the provider billed: the judge of every account that others keep. */
import { appendFileSync } from 'node:fs';
import type { Usage } from './token-tables.ts';

/** What the provider meant to do with the answer at the moment of billing. */
export type BillOutcome = 'answered' | 'dropped' | 'hung' | 'cut' | 'stream-stopped' | 'server-error' | 'html';

/** One billed call. */
export type Bill = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly requestId: string;
  readonly model: string;
  readonly endpoint: 'generations' | 'edits';
  /** Images made, which may be fewer than were asked for. */
  readonly n: number;
  /** `WIDTHxHEIGHT`, resolved. */
  readonly size: string;
  /** Resolved. */
  readonly quality: string;
  /** As the answer tells it, extra fields included, even where the answer leaves it out. */
  readonly usage: Usage & Readonly<Record<string, unknown>>;
  /** Nano-US-dollars, a safe integer. */
  readonly costNanoUsd: number;
  /** Hex. */
  readonly promptSha256: string;
  readonly safetyIdentifier: string | null;
  readonly outcome: BillOutcome;
};

export type BillingLog = { readonly bills: readonly Bill[]; add(bill: Bill): void };

/**
 * @param path a JSONL file to which every bill is appended before its answer begins, so that a reader finds it there
 *   whatever becomes of the client
 * @param billsKeptMax beyond this many the oldest are forgotten in memory, never in the file
 */
export function createBillingLog(path: string | undefined, billsKeptMax: number): BillingLog {
  const bills: Bill[] = [];
  return {
    bills,
    add(bill) {
      if (path !== undefined) appendFileSync(path, `${JSON.stringify(bill)}\n`);
      bills.push(bill);
      if (bills.length > billsKeptMax) bills.shift();
    },
  };
}
