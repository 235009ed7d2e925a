import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { errorOf, startProvider } from './start-provider.ts';

const DAY_MS = 86_400_000;
const NOVEMBER_1 = Date.UTC(2026, 10, 1);

const pageSchema = z.strictObject({
  object: z.literal('page'),
  data: z.array(
    z.strictObject({
      object: z.literal('bucket'),
      start_time: z.number(),
      end_time: z.number(),
      results: z.array(
        z.strictObject({
          object: z.literal('organization.costs.result'),
          amount: z.strictObject({ value: z.string(), currency: z.literal('usd') }),
          line_item: z.string().nullable(),
          project_id: z.null(),
        }),
      ),
    }),
  ),
  has_more: z.boolean(),
  next_page: z.string().nullable(),
});

/** A provider that has made one image on the first of November, two on the third, and none on the second. */
async function startBilledProvider(test: TestContext) {
  const clock = { now: NOVEMBER_1 };
  const { provider, client } = await startProvider(test, { now: () => clock.now });
  for (const day of [0, 2, 2]) {
    clock.now = NOVEMBER_1 + day * DAY_MS + 1;
    await client.images.generate({ model: 'gpt-image-2', prompt: 'a fox', quality: 'low', size: '1024x1024' });
  }
  const ask = async (query: Readonly<Record<string, string>>, key = provider.adminKey): Promise<Response> =>
    fetch(`${provider.baseUrl}/organization/costs?${new URLSearchParams(query).toString()}`, {
      headers: { authorization: `Bearer ${key}` },
    });
  return { provider, ask };
}

const range = { start_time: String(NOVEMBER_1 / 1_000), end_time: String((NOVEMBER_1 + 4 * DAY_MS) / 1_000) };

describe('GET /v1/organization/costs', () => {
  it('tells the bills by UTC day, a page at a time', async (test) => {
    const { provider, ask } = await startBilledProvider(test);
    const [one, two, three] = provider.bills.map(({ costNanoUsd }) => costNanoUsd / 1e9);
    const first = pageSchema.parse(await (await ask({ ...range, limit: '3' })).json());
    assert.deepEqual(
      first.data.map(({ results }) => results.map(({ amount }) => Number(amount.value))),
      [[one], [], [(two ?? 0) + (three ?? 0)]],
    );
    assert.deepEqual(
      first.data.map(({ start_time: start }) => start * 1_000),
      [0, 1, 2].map((day) => NOVEMBER_1 + day * DAY_MS),
    );
    assert.equal(first.has_more, true);
    const last = pageSchema.parse(await (await ask({ ...range, limit: '3', page: first.next_page ?? '' })).json());
    assert.deepEqual([last.data.length, last.has_more, last.next_page], [1, false, null]);
  });

  it('names line items where they are asked for', async (test) => {
    const { ask } = await startBilledProvider(test);
    const { data } = pageSchema.parse(await (await ask({ ...range, group_by: 'line_item' })).json());
    assert.equal(data[0]?.results[0]?.line_item, 'gpt-image-2, image');
  });

  it('is for the admin key alone, which is good for nothing else', async (test) => {
    const { provider, ask } = await startBilledProvider(test);
    const withPlainKey = await ask(range, provider.apiKey);
    assert.equal(withPlainKey.status, 403);
    assert.match((await errorOf(withPlainKey)).message, /Missing scopes/);
    assert.equal((await ask(range, 'sk-other')).status, 401);
    const headers = { authorization: `Bearer ${provider.adminKey}` };
    assert.equal((await fetch(`${provider.baseUrl}/models`, { headers })).status, 401);
  });

  it('refuses what the API refuses', async (test) => {
    const { ask } = await startBilledProvider(test);
    for (const [param, query] of Object.entries({
      start_time: {},
      bucket_width: { ...range, bucket_width: '1h' },
      limit: { ...range, limit: '181' },
      page: { ...range, page: 'next' },
    })) {
      const answer = await ask(query);
      assert.equal(answer.status, 400);
      assert.equal((await errorOf(answer)).param, param);
    }
  });
});
