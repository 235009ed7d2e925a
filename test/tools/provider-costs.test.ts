import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ToolRefusal } from '../../src/tools/command-line.ts';
import { isDay, parseCostsFile } from '../../src/tools/provider-costs.ts';

const NOVEMBER_20 = Date.UTC(2026, 10, 20) / 1_000;
const DAY_SECONDS = 86_400;

type Result = { readonly value: number | string; readonly lineItem?: string; readonly currency?: string };

function page(days: readonly (readonly Result[])[], hasMore = false): unknown {
  return {
    object: 'page',
    data: days.map((results, index) => ({
      object: 'bucket',
      start_time: NOVEMBER_20 + index * DAY_SECONDS,
      end_time: NOVEMBER_20 + (index + 1) * DAY_SECONDS,
      results: results.map(({ value, lineItem = null, currency = 'usd' }) => ({
        object: 'organization.costs.result',
        amount: { value, currency },
        line_item: lineItem,
        project_id: null,
      })),
    })),
    has_more: hasMore,
    next_page: hasMore ? 'page_2' : null,
  };
}

const parsed = (file: unknown, lineItem?: string) => [...parseCostsFile(JSON.stringify(file), lineItem)];

describe("the provider's costs as lines of date,usd", () => {
  it('are read with or without a header, and a day that comes twice is added up', () => {
    const lines = ['2026-11-20,0.0421', '2026-11-21, 1.5', '', '2026-11-20,0.000000001'];
    const expected = [
      ['2026-11-20', 42_100_001],
      ['2026-11-21', 1_500_000_000],
    ];
    assert.deepEqual([...parseCostsFile(lines.join('\n'))], expected);
    assert.deepEqual([...parseCostsFile(['date,usd', ...lines].join('\r\n'))], expected);
  });

  it('may be credits', () => {
    assert.deepEqual([...parseCostsFile('2026-11-20,-2.25')], [['2026-11-20', -2_250_000_000]]);
  });

  for (const [what, line] of [
    ['a day that is none', '2026-02-30,1'],
    ['a day in another order', '20.11.2026,1'],
    ['an amount with a sign of its currency', '2026-11-20,$1'],
    ['no amount', '2026-11-20,'],
    ['one cell', '2026-11-20'],
    ['a third cell', '2026-11-20,1,2'],
    ['a header that is not at the head', 'date,usd'],
  ] as const) {
    it(`refuse ${what} by the number of its line`, () => {
      const file = `date,usd\n2026-11-19,1\n${line}\n`;
      assert.throws(
        () => parseCostsFile(file),
        (error) => error instanceof ToolRefusal && error.message.startsWith('line 3 is not like'),
      );
    });
  }
});

describe("the provider's costs as JSON", () => {
  it('are read whether amounts are numbers or texts', () => {
    assert.deepEqual(parsed(page([[{ value: 0.06 }, { value: '0.040000000000000000' }], []])), [
      ['2026-11-20', 100_000_000],
    ]);
  });

  it('are read from an array of pages', () => {
    assert.deepEqual(parsed([page([[{ value: 1 }]], true), page([[], [{ value: 2 }]])]), [
      ['2026-11-20', 1_000_000_000],
      ['2026-11-21', 2_000_000_000],
    ]);
  });

  it('are rounded half up below the nano-dollar, and only there', () => {
    assert.deepEqual(parsed(page([[{ value: '0.0000000015' }]])), [['2026-11-20', 2]]);
    assert.deepEqual(parsed(page([[{ value: 1.2e-7 }]])), [['2026-11-20', 120]]);
  });

  it('are counted by line item where one is named', () => {
    const results = [
      { value: 1, lineItem: 'GPT-Image-2, image output' },
      { value: 2, lineItem: 'gpt-6, text' },
    ];
    assert.deepEqual(parsed(page([results]), 'gpt-image'), [['2026-11-20', 1_000_000_000]]);
  });

  it('are refused where they are in another currency, incomplete, or something else', () => {
    assert.throws(() => parsed(page([[{ value: 1, currency: 'eur' }]])), /not in US dollars/);
    assert.throws(() => parsed(page([[{ value: 'much' }]])), /an amount that is none/);
    assert.throws(() => parsed(page([[{ value: 1 }]], true)), /has_more is true/);
    assert.throws(() => parsed({ data: [] }), ToolRefusal);
    assert.throws(() => parseCostsFile('{"data": ['), /neither JSON nor/);
  });
});

describe('a day', () => {
  it('is one of the calendar', () => {
    assert.deepEqual(['2026-11-20', '2028-02-29', '2026-02-29', '2026-13-01', '2026-1-1', 'today'].map(isDay), [
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
