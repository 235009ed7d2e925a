import type { TestContext } from 'node:test';
import type { BotControl } from '../../sandbox/page/bot-control.ts';
import { createBotControl } from '../../sandbox/page/bot-control.ts';
import type { Person } from '../../sandbox/page/cast.ts';
import { addCast } from '../../sandbox/page/cast.ts';
import { startPageServer } from '../../sandbox/page/page-server.ts';
import type { Stage, StageOptions } from '../../sandbox/stage.ts';
import { createStage } from '../../sandbox/stage.ts';

/** The sandbox's page as it is served, and what stands behind it. */
export type ServedPage = {
  readonly stage: Stage;
  readonly people: readonly Person[];
  readonly bot: BotControl;
  readonly address: string;
  /** Asks as the page does. */
  post(path: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  /** What an open page of this person in this channel is told, as it comes. */
  watch(person: string, channel: string): Promise<WatchedEvents>;
};

export type PageEvent = { readonly event: string; readonly data: unknown };

export type WatchedEvents = {
  readonly events: readonly PageEvent[];
  /** The first event that fits, those included that have come already. */
  find(event: string, fits?: (data: unknown) => boolean): Promise<unknown>;
};

const EVENT_WAIT_MS_MAX = 15_000;

/** Serves the page until the test ends. No bot is started. */
export async function servePage(test: TestContext, options: StageOptions = {}): Promise<ServedPage> {
  const stage = await createStage(options);
  const people = addCast(stage);
  const server = await startPageServer({
    stage,
    people,
    createBot: (onChange) => createBotControl(stage, onChange),
    port: 0,
    usesRealProvider: false,
  });
  const closing = new AbortController();
  test.after(async () => {
    closing.abort();
    await server.close();
    await stage.close();
  });
  const { address } = server;
  return {
    stage,
    people,
    bot: server.bot,
    address,
    async post(path, body) {
      const answer = await fetch(new URL(path, address), {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: new URL(address).origin },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: await answer.json() };
    },
    async watch(person, channel) {
      const url = new URL(`/api/events?${new URLSearchParams({ person, channel }).toString()}`, address);
      const answer = await fetch(url, { signal: closing.signal });
      return readEvents(answer);
    },
  };
}

function readEvents(answer: Response): WatchedEvents {
  const events: PageEvent[] = [];
  let waiting: (() => void)[] = [];
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      events.push(...blocks.map(readEvent));
      for (const wake of waiting) wake();
      waiting = [];
    }
  };
  // The end of the test ends the connection.
  read().catch(() => undefined);
  return {
    events,
    async find(event, fits = () => true) {
      const deadline = AbortSignal.timeout(EVENT_WAIT_MS_MAX);
      for (;;) {
        const found = events.find((candidate) => candidate.event === event && fits(candidate.data));
        if (found) return found.data;
        await new Promise<void>((resolve, reject) => {
          waiting.push(resolve);
          deadline.addEventListener('abort', () => reject(new Error(`The page was told no such ${event}.`)));
        });
      }
    },
  };
}

function readEvent(block: string): PageEvent {
  const event = /^event: (.*)$/m.exec(block)?.[1] ?? '';
  return { event, data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null') };
}
