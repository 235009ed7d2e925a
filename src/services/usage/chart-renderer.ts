import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { UsageChart } from './usage-chart-data.ts';

/**
 * Draws charts in a process of its own, which is there only while somebody looks at reports. Its libraries and its
 * pictures take more than sixty megabytes, which a process gives back to the last byte when it ends, and a picture
 * takes longer than anybody's acknowledgement should have to wait.
 */
export type ChartRenderer = {
  /**
   * @returns a PNG
   * @throws {Error} when the chart cannot be drawn, or not in time; whoever wanted it has to do without
   */
  render(chart: UsageChart): Promise<Uint8Array>;
  /** Ends the process; charts that are not drawn yet will not be. */
  close(): Promise<void>;
};

/** What the process is told, and what it answers. */
export type ChartToRender = { readonly id: number; readonly chart: UsageChart };
export type RenderedChart = { readonly id: number; readonly png: Uint8Array };

const WAIT_MS_MAX = 10_000;
const WAITING_MAX = 64;
const IDLE_MS_MAX = 60_000;

const PROGRAM = fileURLToPath(new URL('usage-chart-process.ts', import.meta.url));
const NODE_FLAGS = ['--expose-gc', '--max-old-space-size=128'];

export function createChartRenderer(
  options: { readonly idleMsMax?: number; readonly waitMsMax?: number } = {},
): ChartRenderer {
  const { idleMsMax = IDLE_MS_MAX, waitMsMax = WAIT_MS_MAX } = options;
  let renderer: Renderer | undefined;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;

  async function stop(): Promise<void> {
    const stopped = renderer;
    renderer = undefined;
    clearTimeout(idle);
    await stopped?.stop();
  }

  return {
    async render(chart) {
      if (!renderer || renderer.hasEnded) renderer = startRenderer();
      if (renderer.waitingCount >= WAITING_MAX) throw new Error('too many charts are waiting to be drawn');
      lastId += 1;
      // A process that hangs would hang for everybody who comes after as well.
      const late = setTimeout(() => void stop(), waitMsMax);
      clearTimeout(idle);
      try {
        return await renderer.draw({ id: lastId, chart });
      } finally {
        clearTimeout(late);
        clearTimeout(idle);
        idle = setTimeout(() => void stop(), idleMsMax).unref();
      }
    },
    close: stop,
  };
}

type Renderer = ReturnType<typeof startRenderer>;
type Waiting = { readonly resolve: (png: Uint8Array) => void; readonly reject: (error: Error) => void };

function startRenderer() {
  const waiting = new Map<number, Waiting>();
  let hasEnded = false;
  const drawer = fork(PROGRAM, {
    // It has no use for the environment, and the environment has secrets.
    env: {},
    execArgv: NODE_FLAGS,
    // As it is told, a picture arrives as bytes and not as a list of numbers.
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });

  function fail(reason: string): void {
    hasEnded = true;
    for (const { reject } of waiting.values()) reject(new Error(reason));
  }

  drawer.on('message', ({ id, png }: RenderedChart) => waiting.get(id)?.resolve(png));
  drawer.on('error', (error) => fail(`the process that draws charts failed: ${error.message}`));
  const ended = once(drawer, 'exit').then(() => fail('the process that draws charts has ended'));
  // Nobody waits for it to end; where it cannot even begin, the error above says so.
  ended.catch(() => undefined);

  return {
    get hasEnded() {
      return hasEnded;
    },
    get waitingCount() {
      return waiting.size;
    },
    async draw(chartToRender: ChartToRender): Promise<Uint8Array> {
      const { promise: rendered, resolve, reject } = Promise.withResolvers<Uint8Array>();
      waiting.set(chartToRender.id, { resolve, reject });
      try {
        drawer.send(chartToRender, (error) => error && reject(error));
        return await rendered;
      } finally {
        waiting.delete(chartToRender.id);
      }
    },
    async stop() {
      drawer.kill('SIGKILL');
      await ended.catch(() => undefined);
    },
  };
}
