import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { chartWords } from '../../../src/discord/usage-message.ts';
import { CATALOGUES, wordsFor } from '../../../src/discord/words.ts';
import { drawUsageChart } from '../../../src/services/usage/usage-chart.ts';
import type { UsageChart } from '../../../src/services/usage/usage-chart-data.ts';
import { chartOf } from '../../../src/services/usage/usage-chart-data.ts';
import type { UsageReport } from '../../../src/services/usage/usage-report.ts';

const DOLLAR = 1_000_000_000;
const WIDTH = 1_280;
const NOVEMBER_20 = Date.UTC(2026, 10, 20, 12);
const english = chartWords('202611', wordsFor('en-US'));

describe('a chart', () => {
  it('is a picture of the same width in every month, and as high as its legend asks for', async () => {
    const heights: number[] = [];
    for (const count of [0, 1, 6]) {
      const { info } = await decode(chartWith({ models: modelsWithLongNames(count) }));
      assert.equal(info.width, WIDTH);
      heights.push(info.height);
    }
    assert.deepEqual(
      heights.toSorted((one, other) => one - other),
      heights,
    );
    assert.equal(new Set(heights).size, heights.length);
  });

  it('has letters on a machine without fonts, for it never looks for any', async () => {
    const { pixels, info } = await decode(chartWith({ models: [] }));
    const title = { left: 56, top: 30, width: 320, height: 60 };
    const light = countPixels(pixels, info.width, title, isLight);
    assert.ok(light > 1_000, `the title has ${light} light pixels`);
  });

  it('has the letters of every language that there are words in', async () => {
    const title = { left: 56, top: 30, width: 560, height: 60 };
    for (const locale of CATALOGUES.keys()) {
      const { labels } = chartWords('202611', wordsFor(locale));
      const letters = labels.month.match(/\p{L}/gu)?.join('') ?? '';
      const { pixels, info } = await decode(chartWith({ labels: { ...labels, month: letters } }));
      const light = countPixels(pixels, info.width, title, isLight);
      assert.ok(light > 100 * letters.length, `${locale}: ${letters} has ${light} light pixels`);
    }
  });

  it('stacks the models of a day, each in a colour and a height of its own', async () => {
    const chart = chartWith({
      models: [
        { name: 'dear', costs: [3 * DOLLAR, ...flat(29, 0)] },
        { name: 'cheap', costs: [DOLLAR, ...flat(29, 0)] },
      ],
    });
    const { pixels, info } = await decode(chart);
    const firstDay = { left: 170, top: 468, width: 1, height: 224 };
    const dear = countPixels(pixels, info.width, firstDay, isColour([0x7d, 0x8c, 0xff]));
    const cheap = countPixels(pixels, info.width, firstDay, isColour([0x43, 0xc5, 0x9e]));
    assert.ok(cheap > 20, `the cheap one is ${cheap} pixels high`);
    assert.ok(Math.abs(dear / cheap - 3) < 0.2, `${dear} pixels to ${cheap}`);
  });

  it('turns red when nothing more can be spent', async () => {
    const models = [{ name: 'gpt-image-2', costs: flat(30, DOLLAR) }];
    const redIn = async (isUsedUp: boolean): Promise<number> => {
      const { pixels, info } = await decode(chartWith({ models, isUsedUp }));
      return countPixels(pixels, info.width, { left: 0, top: 0, width: info.width, height: info.height }, isRed);
    };
    assert.equal(await redIn(false), 0);
    assert.ok((await redIn(true)) > 500);
  });
});

describe('what a chart shows', () => {
  it('is the cost of each model on each day, with days that have not been yet left open', () => {
    const report = reportWith([
      { day: 1, model: 'dear', cost: 5 },
      { day: 20, model: 'cheap', cost: 2 },
    ]);
    const chart = chartOf(report, { budget: 100, now: NOVEMBER_20, words: english });
    assert.deepEqual(
      { month: chart.labels.month, dayCount: chart.dayCount, elapsedDays: chart.elapsedDays, isUsedUp: chart.isUsedUp },
      { month: 'November 2026', dayCount: 30, elapsedDays: 20, isUsedUp: false },
    );
    assert.deepEqual(
      chart.models.map(({ name, costs }) => [name, costs.indexOf(Math.max(...costs)) + 1, sum(costs)]),
      [
        ['dear', 1, 5],
        ['cheap', 20, 2],
      ],
    );
  });

  it('is whole for a month that is over, and empty for one that has not begun', () => {
    assert.equal(elapsedDaysAt(Date.UTC(2026, 11, 5)), 30);
    assert.equal(elapsedDaysAt(Date.UTC(2026, 10, 1) + 1), 1);
    assert.equal(elapsedDaysAt(Date.UTC(2026, 9, 5)), 0);
  });

  it('has as many models as can be told apart, and loses no cent of the others', () => {
    const daily = Array.from({ length: 9 }, (_, index) => ({ day: 1, model: `model-${index}`, cost: 100 - index }));
    const { models } = chartOf(reportWith(daily), { budget: undefined, now: NOVEMBER_20, words: english });
    assert.deepEqual(
      models.map(({ name }) => name),
      ['model-0', 'model-1', 'model-2', 'model-3', 'model-4', 'other models'],
    );
    assert.equal(sum(models.flatMap(({ costs }) => costs)), sum(daily.map(({ cost }) => cost)));
  });

  it('is told in the words of whoever reads it', () => {
    const daily = [{ day: 1, model: 'gpt-image-2', cost: 1_234 * DOLLAR }];
    const words = chartWords('202611', wordsFor('de'));
    const { labels, spent } = chartOf(reportWith(daily), { budget: 2_000 * DOLLAR, now: NOVEMBER_20, words });
    assert.deepEqual([labels.month, spent], ['November 2026', '$1,234.00 von $2,000.00']);
    const alone = chartOf(reportWith(daily), { budget: undefined, now: NOVEMBER_20, words });
    assert.equal(alone.spent, '$1,234.00');
  });

  it('counts what is held and what is not known as used up', () => {
    const report = { ...reportWith([{ day: 1, model: 'a', cost: 5 }]), held: 3, unknown: { amount: 2, requests: 1 } };
    assert.equal(chartOf(report, { budget: 10, now: NOVEMBER_20, words: english }).isUsedUp, true);
    assert.equal(chartOf(report, { budget: 11, now: NOVEMBER_20, words: english }).isUsedUp, false);
  });
});

type Pixel = readonly [red: number, green: number, blue: number];
type Area = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

function modelsWithLongNames(count: number): UsageChart['models'] {
  return Array.from({ length: count }, (_, index) => ({
    name: `gpt-image-with-a-long-name-${index}`,
    costs: flat(30),
  }));
}

function isColour(wanted: readonly number[]): (pixel: Pixel) => boolean {
  return (pixel) => pixel.every((value, channel) => Math.abs(value - (wanted[channel] ?? 0)) < 8);
}

function isLight([red, green, blue]: Pixel): boolean {
  return red > 200 && green > 200 && blue > 200;
}

function isRed([red, green, blue]: Pixel): boolean {
  return red > 220 && green < 120 && blue < 130;
}

function elapsedDaysAt(now: number): number {
  return chartOf(reportWith([]), { budget: undefined, now, words: english }).elapsedDays;
}

function chartWith(fields: Partial<UsageChart>): UsageChart {
  const month = { labels: english.labels, spent: '$0.00', dayCount: 30, elapsedDays: 30, models: [] };
  return { ...month, budget: 10 * DOLLAR, isUsedUp: false, ...fields };
}

async function decode(chart: UsageChart) {
  const { data, info } = await sharp(drawUsageChart(chart)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { pixels: data, info };
}

function countPixels(pixels: Buffer, width: number, area: Area, isWanted: (pixel: Pixel) => boolean): number {
  let count = 0;
  for (let y = area.top; y < area.top + area.height; y += 1) {
    for (let x = area.left; x < area.left + area.width; x += 1) {
      const [red = 0, green = 0, blue = 0] = pixels.subarray((y * width + x) * 3);
      if (isWanted([red, green, blue])) count += 1;
    }
  }
  return count;
}

function flat(length: number, amount = DOLLAR / 10): number[] {
  return Array.from({ length }, () => amount);
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

function reportWith(daily: UsageReport['daily']): UsageReport {
  const spending = { cost: sum(daily.map(({ cost }) => cost)), images: daily.length, requests: daily.length };
  const models = [...new Set(daily.map(({ model }) => model))];
  return {
    period: '202611',
    settled: spending.cost,
    held: 0,
    unknown: { amount: 0, requests: 0 },
    spending,
    members: [],
    models: models.map((model) => ({ model, cost: 0, images: 1, requests: 1 })),
    daily,
    tokens: { textIn: 0, imageIn: 0, unsplitIn: 0, cachedIn: 0, out: 0 },
    voided: 0,
    isPruned: false,
  };
}
