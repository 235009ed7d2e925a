import type { FairQueue } from '../services/queue/fair-queue.ts';
import type { JobOutcome } from '../services/job-outcome.ts';
import type { PrometheusMetrics } from './prometheus.ts';

/** What an operator can watch, in the form that Prometheus reads. No member and no server is named in it. */
export type Metrics = {
  readonly countOutcome: (outcome: JobOutcome) => void;
  watchQueue(queue: WatchedQueue): void;
  render(): Promise<{ readonly text: string; readonly contentType: string }>;
  /** Loads what they are kept and written by. */
  load(): Promise<void>;
};

export type WatchedQueue = Pick<FairQueue, 'waiting' | 'running'>;

/** The library brings a good deal along, and no command needs it: what is counted before it is there waits for it. */
export function createMetrics(): Metrics {
  const queues: WatchedQueue[] = [];
  let loading: Promise<PrometheusMetrics> | undefined;

  async function loaded(): Promise<PrometheusMetrics> {
    loading ??= import('./prometheus.ts').then(({ createPrometheusMetrics }) => createPrometheusMetrics(queues));
    return loading;
  }

  return {
    // Whoever asks for the figures is told where they cannot be loaded.
    countOutcome: (outcome) =>
      void loaded().then(
        ({ countOutcome }) => countOutcome(outcome),
        () => undefined,
      ),
    watchQueue: (queue) => void queues.push(queue),
    render: async () => (await loaded()).render(),
    load: async () => void (await loaded()),
  };
}
