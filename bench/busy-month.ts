import { DatabaseSync } from 'node:sqlite';
import type { AccountHead, Charge, Movement, TransferState } from '../src/billing/guild-account.ts';
import { applyMovement, emptyHead } from '../src/billing/guild-account.ts';
import { entryKey, headKey, memberKey, transferKey } from '../src/billing/ledger-keys.ts';
import type { MemberAccount } from '../src/billing/member-account.ts';
import { emptyMember } from '../src/billing/member-account.ts';
import { dayOfSnowflake, periodOfSnowflake } from '../src/billing/period.ts';

/** A month of a busy server, as the ledger itself would have written it, and all of it in one transaction. */
export type BusyMonth = {
  readonly guild: string;
  readonly period: string;
  readonly members: number;
  /** At the least; the last request is written to its end. */
  readonly entries: number;
};

const DISCORD_EPOCH_MS = Date.UTC(2015, 0, 1);
const SNOWFLAKE_TIMESTAMP_SHIFT = 22n;
const BEGIN = Date.UTC(2026, 10, 1);
const MONTH_MS = 30 * 86_400_000;
const ENTRIES_PER_REQUEST = 3;
const HOLD_MS = 15 * 60_000;
const ESTIMATE_NANO_USD = 60_000_000;
const FIRST_MEMBER = 100_000_000_000_000_000n;
const MODELS = ['gpt-image-2.5-sunburst', 'gpt-image-2', 'gpt-image-2.6-flare', 'gpt-image-2.5-flare'];

/** The id of the n-th request of the month, made at its time. */
export function requestId(number: number, entries: number): string {
  const at = BEGIN + Math.floor((number * ENTRIES_PER_REQUEST * MONTH_MS) / (entries + ENTRIES_PER_REQUEST));
  return ((BigInt(at - DISCORD_EPOCH_MS) << SNOWFLAKE_TIMESTAMP_SHIFT) + BigInt(number % 4_096)).toString();
}

/** How the n-th request goes: most are charged, a few fail, and now and then an answer is lost. */
export function movementsOf(number: number, members: number, expiresAt: number): readonly Movement[] {
  const details = {
    member: (FIRST_MEMBER + BigInt((number * 7_919) % members)).toString(),
    model: MODELS[(number >> 3) % MODELS.length] ?? '',
    size: '1024x1024',
    quality: 'medium',
    count: 1,
    promptSha256: 'a'.repeat(64),
  };
  const begin: Movement[] = [
    { type: 'reserve', amount: ESTIMATE_NANO_USD, expiresAt, details },
    { type: 'dispatch', expiresAt },
  ];
  if (number % 97 === 0) return [...begin, { type: 'unknown', reason: 'timeout' }];
  if (number % 31 === 0) return [...begin, { type: 'void', reason: 'moderation' }];
  return [...begin, { type: 'post', details, charge: chargeOf(number) }];
}

function chargeOf(number: number): Charge {
  const text = 20 + (number % 80);
  return {
    cost: text * 5_000 + 1_056 * 40_000,
    usage: {
      input_tokens: text,
      output_tokens: 1_056,
      total_tokens: text + 1_056,
      input_tokens_details: { text_tokens: text, image_tokens: 0, cached_tokens: 0 },
      output_tokens_details: { text_tokens: 0, image_tokens: 1_056 },
    },
    priceVersion: 'openai-2026-11',
    rule: 'tokens',
    requestId: `req_${String(number).padStart(32, '0')}`,
  };
}

/** Writes the month into a store's database. Each value looks as Keyv writes it. */
export function writeBusyMonth(databasePath: string, { guild, period, members, entries }: BusyMonth): AccountHead {
  const database = new DatabaseSync(databasePath);
  const insert = database.prepare("INSERT INTO keyv (key, value, namespace) VALUES (?, ?, 'ledger')");
  const write = (key: string, value: unknown): unknown => insert.run(key, JSON.stringify({ value }));
  const accounts = new Map<string, MemberAccount>();
  let head = emptyHead();
  database.exec('BEGIN');
  for (let number = 0; head.seq < entries; number += 1) {
    const transfer = requestId(number, entries);
    if (periodOfSnowflake(transfer) !== period) throw new RangeError(`request ${number} is of another month`);
    const at = BEGIN + number;
    let current: TransferState | undefined;
    for (const movement of movementsOf(number, members, at + HOLD_MS)) {
      const id = movement.type === 'reserve' ? movement.details.member : (current?.member ?? '');
      const outcome = applyMovement({ head, member: accounts.get(id) ?? emptyMember() }, current, {
        transfer,
        period,
        day: dayOfSnowflake(transfer),
        at,
        movement,
        limit: Number.MAX_SAFE_INTEGER,
      });
      if (outcome.refused !== undefined) throw new Error(`request ${number} was refused: ${outcome.refused}`);
      head = outcome.head;
      current = outcome.transfer;
      accounts.set(id, outcome.member);
      write(entryKey(guild, period, outcome.entry.seq), outcome.entry);
    }
    write(transferKey(guild, transfer), current);
  }
  for (const [member, account] of accounts) write(memberKey(guild, period, member), account);
  write(headKey(guild, period), head);
  database.exec('COMMIT');
  database.close();
  return head;
}
