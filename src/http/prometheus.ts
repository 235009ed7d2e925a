import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { NANO_USD_PER_USD } from '../billing/money.ts';
import type { JobOutcome } from '../services/job-outcome.ts';
import type { Metrics, WatchedQueue } from './metrics.ts';

export type PrometheusMetrics = Pick<Metrics, 'countOutcome' | 'render'>;

/** What an operator can watch, by the library that writes it for Prometheus. */
export function createPrometheusMetrics(queues: readonly WatchedQueue[]): PrometheusMetrics {
  const registry = new Registry();
  // Among these are the delay of the event loop and the memory of the process.
  collectDefaultMetrics({ register: registry });
  const counterOf = <Label extends string>(name: string, help: string, label: Label): Counter<Label> =>
    new Counter({ name, help, labelNames: [label], registers: [registry] });
  const watch = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  const sumOf = (read: (queue: WatchedQueue) => number) => () => queues.reduce((sum, queue) => sum + read(queue), 0);
  watch(
    'easel_queue_waiting',
    'Jobs in line for the provider',
    sumOf(({ waiting }) => waiting),
  );
  watch(
    'easel_queue_running',
    'Jobs at the provider',
    sumOf(({ running }) => running),
  );
  const jobs = counterOf('easel_jobs_total', 'Jobs by how they ended', 'outcome');
  const images = counterOf('easel_images_total', 'Images made, by model', 'model');
  const cost = counterOf('easel_cost_usd_total', 'What the provider charged, by model', 'model');

  const overruns = counterOf(
    'easel_cost_overruns_total',
    'Calls that cost more than was held for them, by model',
    'model',
  );

  return {
    countOutcome(outcome) {
      jobs.inc({ outcome: labelOf(outcome) });
      if (outcome.ended === 'refused') return;
      const { model, charge, estimate } = outcome.result;
      images.inc({ model }, outcome.result.images.length);
      cost.inc({ model }, (charge?.cost ?? 0) / NANO_USD_PER_USD);
      if (charge && charge.cost > estimate) overruns.inc({ model });
    },
    render: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

/** What was cancelled too late to be free is told apart from what was cancelled in time. */
function labelOf(outcome: JobOutcome): string {
  if (outcome.ended === 'refused') return outcome.refusal.reason;
  return outcome.ended === 'cancelled' ? 'cancelled-paid' : 'finished';
}
