import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeChart, describeUsage } from '../../src/discord/usage-message.ts';
import { wordsFor } from '../../src/discord/words.ts';
import type { UsageReport } from '../../src/services/usage/usage-report.ts';

const DOLLAR = 1_000_000_000;
const NOVEMBER_20 = Date.UTC(2026, 10, 20);
const english = wordsFor('en-US');
const VIEW = { limit: 10 * DOLLAR, member: undefined, now: NOVEMBER_20 };
/** All texts of a message together; Discord refuses more. */
const TEXT_LENGTH_MAX = 4_000;

describe('the words of a report', () => {
  it('have a bar for what is spent, held and unknown, which is full only when nothing is left', () => {
    assert.equal(barOf({}), '▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱ 0%');
    assert.equal(barOf({ settled: 1 }), '▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱ <1%');
    assert.equal(
      barOf({ settled: 2 * DOLLAR, held: DOLLAR, unknown: { amount: 2 * DOLLAR, requests: 1 } }),
      '▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 50%',
    );
    assert.equal(barOf({ settled: 10 * DOLLAR - 1 }), '▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▱ 99%');
    assert.equal(barOf({ settled: 10 * DOLLAR }), '▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 100%');
    assert.equal(barOf({ settled: 12 * DOLLAR }), '▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 120%');
  });

  it('know every percent by its number', () => {
    const limits = [10 * DOLLAR, 25 * DOLLAR, 999_999 * DOLLAR];
    for (const limit of limits) {
      for (let percent = 1; percent <= 130; percent += 1) {
        const settled = (limit / 100) * percent;
        assert.match(barOf({ settled }, limit), new RegExp(` ${percent}%$`));
        assert.match(barOf({ settled: settled - 1 }, limit), new RegExp(percent === 1 ? ' <1%$' : ` ${percent - 1}%$`));
      }
    }
  });

  it('make sense of a budget of nothing', () => {
    assert.match(barOf({ settled: 0 }, 0), / 0%$/);
    assert.match(barOf({ settled: 1 }, 0), / 100%$/);
  });

  it('say what remains only while the month goes on', () => {
    assert.match(
      describeUsage(reportWith({}), VIEW, english),
      /Remaining: \*\*\$10\.0000\*\*, renews <t:1796083200:R>/,
    );
    assert.doesNotMatch(
      describeUsage(reportWith({}), { ...VIEW, now: Date.UTC(2026, 11, 1) }, english),
      /Remaining|renews/,
    );
  });

  it('fit into a message, however many members and models there are', () => {
    const lines = Array.from({ length: 300 }, (_, index) => ({
      member: String(10n ** 18n + BigInt(index)),
      model: `a-model-with-a-name-that-is-rather-long-${index}`,
      cost: DOLLAR,
      images: 1_000,
      requests: 1_000,
    }));
    const text = describeUsage(reportWith({ members: lines, models: lines }), VIEW, english);
    assert.ok(text.length < TEXT_LENGTH_MAX / 2, `${text.length} characters`);
    assert.equal(text.match(/and 290 more/g)?.length, 2);
  });

  it('say of a month whose entries are in an archive that only totals are left', () => {
    const spending = { cost: 3 * DOLLAR, images: 0, requests: 7 };
    const text = describeUsage(reportWith({ settled: 3 * DOLLAR, spending, isPruned: true }), VIEW, english);
    assert.match(text, /\*\*\$3\.0000\*\* of \$10\.00 spent · 7 requests/);
    assert.match(text, /in an archive/);
  });
});

describe('the words for a chart', () => {
  it('tell the sum, the dearest day and the models', () => {
    const report = reportWith({
      spending: { cost: 5 * DOLLAR, images: 3, requests: 3 },
      daily: [
        { day: 3, model: 'a', cost: 2 * DOLLAR },
        { day: 8, model: 'a', cost: DOLLAR },
        { day: 8, model: 'b', cost: 2 * DOLLAR },
      ],
      models: [
        { model: 'a', cost: 3 * DOLLAR, images: 2, requests: 2 },
        { model: 'b', cost: 2 * DOLLAR, images: 1, requests: 1 },
      ],
    });
    assert.equal(
      describeChart(report, VIEW, english),
      'Spending by day in November 2026: $5.0000 of $10.00 in all, the most on day 8 with $3.0000. a $3.0000, b $2.0000.',
    );
  });

  it('say that there is nothing to see', () => {
    assert.equal(describeChart(reportWith({}), VIEW, english), 'Spending by day in November 2026: nothing.');
  });
});

/** The second line of a report, which has the bar and ends in percent. */
function barOf(report: Partial<UsageReport>, limit = VIEW.limit): string {
  const line = describeUsage(reportWith(report), { ...VIEW, limit }, english).split('\n')[1] ?? '';
  return line.replace(' of the budget', '');
}

function reportWith(fields: Partial<UsageReport>): UsageReport {
  return {
    period: '202611',
    settled: 0,
    held: 0,
    unknown: { amount: 0, requests: 0 },
    spending: { cost: 0, images: 0, requests: 0 },
    members: [],
    models: [],
    daily: [],
    tokens: { textIn: 0, imageIn: 0, unsplitIn: 0, cachedIn: 0, out: 0 },
    voided: 0,
    isPruned: false,
    ...fields,
  };
}
