import type { ToolConfig } from '../config.ts';
import { ToolRefusal } from './command-line.ts';
import type { CostsPage, DailyCosts } from './provider-costs.ts';
import { parseCostsPage, sumCosts } from './provider-costs.ts';

const ANSWER_WAIT_MS_MAX = 60_000;
const ANSWER_SIZE_BYTES_MAX = 8 * 1024 * 1024;
const BUCKETS_PER_PAGE = 31;
/** Far more pages than a month has days. */
const PAGES_MAX = 100;
const MS_PER_SECOND = 1_000;
const MESSAGE_LENGTH_MAX = 300;

/**
 * Asks OpenAI what the organization was charged for, day by day.
 * @param range in milliseconds since the epoch, the end excluded
 * @param lineItem where it is given, only line items are counted that contain it
 * @throws {ToolRefusal} when it does not answer, or not with costs
 */
export async function fetchOpenAiCosts(
  { OPENAI_ADMIN_KEY: adminKey, OPENAI_ADMIN_URL: baseUrl }: ToolConfig,
  range: { readonly from: number; readonly until: number },
  lineItem?: string,
): Promise<DailyCosts> {
  if (adminKey === undefined) {
    throw new ToolRefusal('set OPENAI_ADMIN_KEY, from platform.openai.com/settings/organization/admin-keys');
  }
  const pages: CostsPage[] = [];
  const cursors = new Set<string | undefined>();
  let cursor: string | undefined;
  do {
    // A page that comes a second time would be counted twice.
    if (cursors.has(cursor) || pages.length === PAGES_MAX)
      throw new ToolRefusal('the provider sends pages without end');
    cursors.add(cursor);
    const page = await fetchPage(adminKey, addressOf(baseUrl, range, lineItem, cursor));
    pages.push(page);
    cursor = cursorAfter(page);
  } while (cursor !== undefined);
  return sumCosts(pages, lineItem);
}

/** Where the next page is, if there is one. A page that is known to exist must not be left out of the sum. */
function cursorAfter({ has_more: hasMore, next_page: cursor }: CostsPage): string | undefined {
  if (!hasMore) return undefined;
  if (!cursor) throw new ToolRefusal('the provider has more costs and does not say where: has_more without next_page');
  return cursor;
}

function addressOf(
  baseUrl: string,
  { from, until }: { readonly from: number; readonly until: number },
  lineItem: string | undefined,
  cursor: string | undefined,
): URL {
  const address = new URL(`${baseUrl}/organization/costs`);
  address.searchParams.set('start_time', String(from / MS_PER_SECOND));
  address.searchParams.set('end_time', String(until / MS_PER_SECOND));
  address.searchParams.set('bucket_width', '1d');
  address.searchParams.set('limit', String(BUCKETS_PER_PAGE));
  if (lineItem !== undefined) address.searchParams.set('group_by', 'line_item');
  if (cursor !== undefined) address.searchParams.set('page', cursor);
  return address;
}

async function fetchPage(adminKey: string, address: URL): Promise<CostsPage> {
  try {
    const response = await fetch(address, {
      headers: { authorization: `Bearer ${adminKey}` },
      // The key must not follow to wherever somebody points.
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_WAIT_MS_MAX),
    });
    const body = await readBody(response);
    if (!response.ok) throw new ToolRefusal(`the provider answers ${response.status}: ${messageOf(body)}`);
    return parseCostsPage(parseJson(body));
  } catch (error) {
    if (error instanceof ToolRefusal) throw error;
    throw new ToolRefusal(`${address.origin} does not answer`, { cause: error });
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > ANSWER_SIZE_BYTES_MAX) throw new ToolRefusal('the provider sends more than costs can be');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What the provider says is wrong, which for a key without the right scope is the remedy. */
function messageOf(body: string): string {
  const message = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body;
  return message.slice(0, MESSAGE_LENGTH_MAX);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ToolRefusal('the provider does not answer with JSON');
  }
}
