import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import sharp from 'sharp';
import { chartWords } from '../../../src/discord/usage-message.ts';
import { wordsFor } from '../../../src/discord/words.ts';
import { createChartRenderer } from '../../../src/services/usage/chart-renderer.ts';
import type { UsageChart } from '../../../src/services/usage/usage-chart-data.ts';
import { until } from '../../until.ts';

const { labels } = chartWords('202611', wordsFor('en-US'));
const chart: UsageChart = {
  labels,
  spent: '$0.02 of $10.00',
  dayCount: 30,
  elapsedDays: 20,
  models: [{ name: 'gpt-image-2', costs: Array.from({ length: 30 }, () => 1_000_000) }],
  budget: 10_000_000_000,
  isUsedUp: false,
};

/** The processes that this one has started. */
function children(): string[] {
  const listed = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return listed.split('\n').filter((line) => line.includes('usage-chart-process'));
}

test('charts come back to those who ordered them', async (t) => {
  const renderer = createChartRenderer();
  t.after(async () => renderer.close());
  const months = ['January 2026', 'February 2026', 'March 2026'];
  const order = async (month: string): Promise<string> =>
    digest(await renderer.render({ ...chart, labels: { ...labels, month } }));
  const together = await Promise.all(months.map(order));
  assert.equal(new Set(together).size, months.length);
  for (const [index, month] of months.entries()) assert.equal(await order(month), together[index]);
  assert.equal(children().length, 1);
});

test('nobody draws while nobody orders', async (t) => {
  assert.equal(children().length, 0);
  const renderer = createChartRenderer({ idleMsMax: 1 });
  t.after(async () => renderer.close());
  await renderer.render(chart);
  await until(() => children().length === 0);
  assert.equal((await sharp(await renderer.render(chart)).metadata()).format, 'png', 'and then somebody does again');
});

test('whoever waits for a process that hangs is told so, and the next one has another', async (t) => {
  const hasty = createChartRenderer({ waitMsMax: 1 });
  t.after(async () => hasty.close());
  await assert.rejects(hasty.render(chart), /has ended/);
  const patient = createChartRenderer();
  t.after(async () => patient.close());
  const rendering = patient.render(chart);
  const died = assert.rejects(rendering, /has ended/);
  await until(() => children().length > 0);
  for (const child of children()) process.kill(Number.parseInt(child, 10), 'SIGKILL');
  await died;
  assert.equal((await sharp(await patient.render(chart)).metadata()).width, 1_280);
});

test('an order that cannot be sent takes nobody’s place', async (t) => {
  const renderer = createChartRenderer();
  t.after(async () => renderer.close());
  const unsendable = Object.assign({ ...chart }, { labels: { ...labels, spent: () => 'a function' } });
  for (let order = 0; order < 100; order += 1) await assert.rejects(renderer.render(unsendable), /could not be cloned/);
  assert.equal((await sharp(await renderer.render(chart)).metadata()).format, 'png');
});

test('a renderer that is closed leaves nothing behind', async () => {
  const renderer = createChartRenderer();
  const rendering = renderer.render(chart);
  const given = assert.rejects(rendering, /has ended/);
  await renderer.close();
  await given;
  assert.equal(children().length, 0);
});

function digest(png: Uint8Array): string {
  return Buffer.from(png).toString('base64');
}
