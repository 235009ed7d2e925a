import * as fc from 'fast-check';
import type { AccountHead, Entry, Movement, TransferState } from '../../../src/billing/guild-account.ts';
import { applyMovement, emptyHead } from '../../../src/billing/guild-account.ts';
import type { MemberAccount } from '../../../src/billing/member-account.ts';
import { emptyMember } from '../../../src/billing/member-account.ts';
import { dayOfSnowflake } from '../../../src/billing/period.ts';
import type { Store } from '../../../src/storage/store.ts';
import { entryKey, headKey } from '../../../src/billing/ledger-keys.ts';

/** Journals of a month in which everything happens that an account allows. */
export type Journal = { readonly entries: readonly Entry[]; readonly head: AccountHead };

export const GUILD = '1100000000000000000';
export const PERIOD = '202611';
export const MEMBERS = ['mira', 'otto', '__proto__'] as const;
export const MODELS = ['gpt-image-2', 'constructor'] as const;

const DISCORD_EPOCH_MS = Date.UTC(2015, 0, 1);
const DAY_MS = 86_400_000;
const TRANSFERS = 12;
const STEPS_MAX = 60;

/** The id of a request on a day of November 2026, counted from 1. */
export function requestOn(day: number, number = 0): string {
  const at = Date.UTC(2026, 10, 1) + (day - 1) * DAY_MS;
  return ((BigInt(at - DISCORD_EPOCH_MS) << 22n) + BigInt(number)).toString();
}

const step = fc.record({
  transfer: fc.nat({ max: TRANSFERS - 1 }),
  /** A reservation where nothing is reserved yet; afterwards one of the movements that may follow. */
  choice: fc.nat({ max: 5 }),
  amount: fc.integer({ min: 1, max: 1_000_000 }),
  tokens: fc.integer({ min: 0, max: 5_000 }),
  hasUsage: fc.boolean(),
  member: fc.constantFrom(...MEMBERS),
  model: fc.constantFrom(...MODELS),
  images: fc.integer({ min: 1, max: 4 }),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

export const journals: fc.Arbitrary<Journal> = fc.array(step, { maxLength: STEPS_MAX }).map(journalOf);

function journalOf(steps: readonly Step[]): Journal {
  const transfers = new Map<string, TransferState>();
  const members = new Map<string, MemberAccount>();
  const entries: Entry[] = [];
  let head = emptyHead();
  for (const [at, wanted] of steps.entries()) {
    // Each of the requests has a day of its own, some the first and the last of the month.
    const transfer = requestOn(1 + Math.round((wanted.transfer * 29) / (TRANSFERS - 1)), wanted.transfer);
    const current = transfers.get(transfer);
    const movement = movementOf(wanted, current);
    const member = movement.type === 'reserve' ? movement.details.member : (current?.member ?? '');
    const outcome = applyMovement({ head, member: members.get(member) ?? emptyMember() }, current, {
      transfer,
      period: PERIOD,
      day: dayOfSnowflake(transfer),
      at,
      movement,
      limit: Number.MAX_SAFE_INTEGER,
    });
    if (outcome.refused !== undefined) continue;
    head = outcome.head;
    transfers.set(transfer, outcome.transfer);
    members.set(member, outcome.member);
    entries.push(outcome.entry);
  }
  return { entries, head };
}

function movementOf(
  { choice, amount, tokens, hasUsage, member, model, images }: Step,
  current?: TransferState,
): Movement {
  const details = { member, model, size: '1024x1024', quality: 'low', count: images, promptSha256: '0'.repeat(64) };
  const expiresAt = Number.MAX_SAFE_INTEGER;
  if (!current) return { type: 'reserve', amount, expiresAt, details };
  const usage = {
    input_tokens: tokens,
    output_tokens: tokens * 2,
    ...(choice % 2 === 0 ? { input_tokens_details: { text_tokens: tokens, image_tokens: 0 } } : {}),
  };
  const movements: readonly Movement[] = [
    { type: 'dispatch', expiresAt },
    {
      type: 'post',
      // Whose request it is does not change on the way; the model may.
      details: { ...details, member: current.member },
      charge: { cost: amount, usage: hasUsage ? usage : null, priceVersion: 'test', rule: 'tokens' },
    },
    { type: 'void', reason: 'test' },
    { type: 'unknown', reason: 'test' },
    { type: 'release', reason: 'test', by: 'ada' },
    { type: 'adjust', amount: amount - 500_000, reason: 'test', by: 'ada' },
  ];
  return movements[choice] ?? { type: 'dispatch', expiresAt };
}

/** Puts a journal, or more of it, into a store as the ledger would have. */
export async function storeJournal(store: Store, { entries, head }: Journal): Promise<void> {
  const key = headKey(GUILD, PERIOD);
  const stored = await store.read(key);
  await store.commit({
    guard: { key, expected: stored?.version, next: head },
    writes: entries.map((entry) => ({ key: entryKey(GUILD, PERIOD, entry.seq), value: entry })),
  });
}

/** The head after so many of the journal's entries. */
export function headAfter({ entries, head }: Journal, count: number): AccountHead {
  const next = entries[count];
  return next ? { ...head, seq: count, lastHash: next.prevHash } : head;
}
