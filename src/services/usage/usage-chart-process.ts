import type { ChartToRender, RenderedChart } from './chart-renderer.ts';
import { drawUsageChart } from './usage-chart.ts';

/** The process in which charts are drawn, one after another, as long as somebody is there who orders them. */
process.on('message', ({ id, chart }: ChartToRender) => {
  const rendered: RenderedChart = { id, png: drawUsageChart(chart) };
  process.send?.(rendered);
  // The garbage collector does not see the megabytes of pixels behind each picture, and would let them gather.
  setImmediate(() => globalThis.gc?.());
});
