import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { FairQueue } from '../services/fair-queue.ts';
import type { JobOutcome } from '../services/job-outcome.ts';

/** What an operator can watch, in the form that Prometheus reads. No member and no server is named in it. */
export type Metrics = {
  readonly countOutcome: (outcome: JobOutcome) => void;
  watchQueue(queue: Pick<FairQueue, 'waiting' | 'running'>): void;
  render(): Promise<{ readonly text: string; readonly contentType: string }>;
};

const NANO_USD_PER_USD = 1_000_000_000;

export function createMetrics(): Metrics {
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
  const jobs = counterOf('easel_jobs_total', 'Jobs by how they ended', 'outcome');
  const images = counterOf('easel_images_total', 'Images made, by model', 'model');
  const cost = counterOf('easel_cost_usd_total', 'What the provider charged, by model', 'model');

  return {
    countOutcome(outcome) {
      jobs.inc({ outcome: labelOf(outcome) });
      if (outcome.ended === 'refused') return;
      const { model, charge } = outcome.result;
      images.inc({ model }, outcome.result.images.length);
      cost.inc({ model }, (charge?.cost ?? 0) / NANO_USD_PER_USD);
    },
    watchQueue(queue) {
      watch('easel_queue_waiting', 'Jobs in line for the provider', () => queue.waiting);
      watch('easel_queue_running', 'Jobs at the provider', () => queue.running);
    },
    async render() {
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}

/** What was cancelled too late to be free is told apart from what was cancelled in time. */
function labelOf(outcome: JobOutcome): string {
  if (outcome.ended === 'refused') return outcome.refusal.reason;
  return outcome.ended === 'cancelled' ? 'cancelled-paid' : 'finished';
}
