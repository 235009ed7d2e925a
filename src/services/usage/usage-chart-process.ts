import type { ChartOrder, PrintedChart } from './chart-press.ts';
import { drawUsageChart } from './usage-chart.ts';

/** The process in which charts are drawn, one after another, as long as somebody is there who orders them. */
process.on('message', ({ id, chart }: ChartOrder) => {
  const printed: PrintedChart = { id, png: drawUsageChart(chart) };
  process.send?.(printed);
  // The garbage collector does not see the megabytes of pixels behind each picture, and would let them gather.
  setImmediate(() => globalThis.gc?.());
});
