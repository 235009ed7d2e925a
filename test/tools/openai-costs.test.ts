import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { readToolConfig } from '../../src/config.ts';
import { ToolRefusal } from '../../src/tools/command-line.ts';
import { fetchOpenAiCosts } from '../../src/tools/openai-costs.ts';

const NOVEMBER = { from: Date.UTC(2026, 10, 1), until: Date.UTC(2026, 11, 1) };
const DAY_SECONDS = 86_400;

type Page = { readonly data: unknown; readonly has_more: boolean; readonly next_page?: string | null };

/** A page of one day that costs a dollar. */
function pageOf(day: number, next: Omit<Page, 'data'>): Page {
  const results = [{ amount: { value: '1.00', currency: 'usd' }, line_item: null }];
  return { data: [{ start_time: NOVEMBER.from / 1_000 + (day - 1) * DAY_SECONDS, results }], ...next };
}

/** Asks a provider that answers every cursor as the test says; the first page has none. */
async function fetchFrom(test: TestContext, answer: (cursor: string | null, count: number) => Page) {
  const cursors: (string | null)[] = [];
  const server = createServer((request, response) => {
    const cursor = new URL(request.url ?? '/', 'http://provider.invalid').searchParams.get('page');
    cursors.push(cursor);
    response.end(JSON.stringify(answer(cursor, cursors.length)));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  test.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const config = readToolConfig({ OPENAI_ADMIN_KEY: 'sk-admin', OPENAI_ADMIN_URL: `http://127.0.0.1:${address.port}` });
  return { cursors, costs: fetchOpenAiCosts(config, NOVEMBER) };
}

describe('the costs that OpenAI tells', () => {
  it('are those of all pages', async (test) => {
    const { costs, cursors } = await fetchFrom(test, (cursor) =>
      cursor === null ? pageOf(1, { has_more: true, next_page: 'second' }) : pageOf(2, { has_more: false }),
    );
    assert.deepEqual(
      [...(await costs)],
      [
        ['2026-11-01', 1_000_000_000],
        ['2026-11-02', 1_000_000_000],
      ],
    );
    assert.deepEqual(cursors, [null, 'second']);
  });

  for (const [what, next] of [
    ['nothing', {}],
    ['null', { next_page: null }],
    ['an empty text', { next_page: '' }],
  ] as const) {
    it(`are refused where more follows, and ${what} says where it is`, async (test) => {
      const { costs } = await fetchFrom(test, () => pageOf(1, { has_more: true, ...next }));
      await assert.rejects(costs, (error) => error instanceof ToolRefusal && /has_more/.test(error.message));
    });
  }

  it('are refused where a page leads back to one that was there, even if all of it would end', async (test) => {
    const { costs, cursors } = await fetchFrom(test, (_cursor, count) =>
      pageOf(count, count < 4 ? { has_more: true, next_page: count === 2 ? 'other' : 'same' } : { has_more: false }),
    );
    await assert.rejects(costs, (error) => error instanceof ToolRefusal && /without end/.test(error.message));
    assert.deepEqual(cursors, [null, 'same', 'other']);
  });

  it('are refused where new pages never end', async (test) => {
    const { costs } = await fetchFrom(test, (_cursor, count) =>
      pageOf(1, { has_more: true, next_page: `page ${count}` }),
    );
    await assert.rejects(costs, (error) => error instanceof ToolRefusal && /without end/.test(error.message));
  });
});
