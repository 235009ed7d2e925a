/** GET /v1/organization/costs: what the organization was billed, day by day. */
import { ApiRefusal, invalidParameter } from './api-refusal.ts';
import type { Bill } from './billing-log.ts';
import type { Exchange } from './exchange.ts';
import { jsonHeaders, sendBody } from './exchange.ts';

const dayMs = 86_400_000;
const nanoUsdPerUsd = 1e9;
const bucketsByDefault = 7;
const bucketsMax = 180;

type CostsQuery = {
  /** The first day, and the one after the last, in milliseconds since the epoch. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly bucketCount: number;
  readonly groupsByLineItem: boolean;
};

/** The key is good for images, and not for the organization's own affairs. */
export function missingScope(): ApiRefusal {
  return new ApiRefusal(403, {
    message:
      'You have insufficient permissions for this operation. Missing scopes: api.usage.read. ' +
      "Check that you have the correct role in your organization, and if you're using a restricted API key, " +
      'that it has the necessary scopes.',
    type: 'invalid_request_error',
    param: null,
    code: 'missing_scope',
  });
}

/**
 * Answers a request for costs, a page at a time. Days are UTC days, and a day without costs is an empty bucket.
 * @throws {ApiRefusal}
 */
export async function answerCosts(exchange: Exchange, bills: readonly Bill[], now: number): Promise<void> {
  const query = new URL(exchange.request.url ?? '/', 'http://provider.invalid').searchParams;
  const { fromMs, untilMs, bucketCount, groupsByLineItem } = readQuery(query, now);
  const endMs = Math.min(untilMs, fromMs + bucketCount * dayMs);
  const data: unknown[] = [];
  for (let dayStartMs = fromMs; dayStartMs < endMs; dayStartMs += dayMs) {
    const ofDay = bills.filter(({ at }) => at >= dayStartMs && at < dayStartMs + dayMs);
    data.push({
      object: 'bucket',
      start_time: dayStartMs / 1000,
      end_time: dayStartMs / 1000 + dayMs / 1000,
      results: resultsOf(ofDay, groupsByLineItem),
    });
  }
  const hasMore = endMs < untilMs;
  const page = { object: 'page', data, has_more: hasMore, next_page: hasMore ? pageToken(endMs) : null };
  await sendBody(exchange, 200, jsonHeaders(exchange.call), [Buffer.from(JSON.stringify(page))]);
}

/** @throws {ApiRefusal} */
function readQuery(query: URLSearchParams, now: number): CostsQuery {
  const startSeconds = readWhole(query, 'start_time');
  if (startSeconds === undefined) {
    throw invalidParameter('start_time', 'missing_required_parameter', "Missing required parameter: 'start_time'.");
  }
  const width = query.get('bucket_width') ?? '1d';
  if (width !== '1d') throw invalidValue('bucket_width', width);
  const bucketCount = readWhole(query, 'limit') ?? bucketsByDefault;
  if (bucketCount < 1 || bucketCount > bucketsMax) throw invalidValue('limit', String(bucketCount));
  const endSeconds = readWhole(query, 'end_time') ?? Math.ceil(now / 1000);
  const page = query.get('page');
  return {
    fromMs: page === null ? startOfDay(startSeconds * 1000) : readPageToken(page),
    untilMs: endSeconds * 1000,
    bucketCount,
    groupsByLineItem: [...query.getAll('group_by'), ...query.getAll('group_by[]')].includes('line_item'),
  };
}

/** @throws {ApiRefusal} */
function readWhole(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,12}$/.test(text)) throw invalidValue(name, text);
  return Number(text);
}

function invalidValue(name: string, value: string): ApiRefusal {
  return invalidParameter(name, 'invalid_value', `Invalid value for '${name}': ${JSON.stringify(value)}.`);
}

function startOfDay(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs;
}

/** Clients are to hand it back, not to read it. */
function pageToken(fromMs: number): string {
  return `page_${Buffer.from(String(fromMs)).toString('base64url')}`;
}

/** @throws {ApiRefusal} */
function readPageToken(token: string): number {
  const fromMs = Number(Buffer.from(token.replace(/^page_/, ''), 'base64url').toString());
  if (!token.startsWith('page_') || !Number.isSafeInteger(fromMs)) throw invalidValue('page', token);
  return fromMs;
}

function resultsOf(bills: readonly Bill[], groupsByLineItem: boolean): readonly unknown[] {
  const sums = new Map<string | null, number>();
  for (const { model, costNanoUsd } of bills) {
    const lineItem = groupsByLineItem ? `${model}, image` : null;
    sums.set(lineItem, (sums.get(lineItem) ?? 0) + costNanoUsd);
  }
  return [...sums].map(([lineItem, costNanoUsd]) => ({
    object: 'organization.costs.result',
    // The reference shows a number; the API answers with a decimal text.
    amount: { value: (costNanoUsd / nanoUsdPerUsd).toFixed(18), currency: 'usd' },
    line_item: lineItem,
    project_id: null,
  }));
}
