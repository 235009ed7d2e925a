import { setTimeout as sleep } from 'node:timers/promises';
import type { SSEStreamingApi } from 'hono/streaming';
import type { EmulatedMessage } from '../discord/message.ts';
import type { EmulatedUser } from '../discord/world.ts';
import type { MessageView, PanelView } from './view.ts';

/** What one open page is told about. */
export type EventSourceParts = {
  readonly user: EmulatedUser;
  /** The messages that this person sees in this channel, oldest first. */
  messages(): readonly EmulatedMessage[];
  viewMessage(message: EmulatedMessage): MessageView;
  panel(): PanelView;
  /** Calls the listener whenever something may have changed, until the returned function is called. */
  onChange(listener: () => void): () => void;
};

/** Changes come in bursts; those within this time go out together. */
const GATHER_MS = 15;
/** Some things change without a word: the provider's bill, faults that were used up, the ledger. */
const BEAT_MS = 500;

/**
 * Tells a page everything once, and from then on what changed: a message as a whole, a part of the panel as a whole.
 * Resolves when the page is closed.
 */
export async function streamEvents(stream: SSEStreamingApi, parts: EventSourceParts): Promise<void> {
  const tell = async (event: string, data: unknown): Promise<void> =>
    stream.writeSSE({ event, data: JSON.stringify(data) });
  // The emulator never changes a message: every edit puts a new object into its place.
  const told = new Map<string, EmulatedMessage>();
  const toldPanel = new Map<string, string>();

  const tellPanel = async (): Promise<void> => {
    for (const [name, part] of Object.entries(parts.panel())) {
      const text = JSON.stringify(part);
      if (toldPanel.get(name) === text) continue;
      toldPanel.set(name, text);
      await stream.writeSSE({ event: name, data: text });
    }
  };
  const tellMessages = async (): Promise<void> => {
    const current = parts.messages();
    const ids = new Set(current.map(({ id }) => id));
    for (const id of [...told.keys()].filter((known) => !ids.has(known))) {
      told.delete(id);
      await tell('message-deleted', { id });
    }
    for (const message of current.filter((candidate) => told.get(candidate.id) !== candidate)) {
      told.set(message.id, message);
      await tell('message', parts.viewMessage(message));
    }
  };

  let wake = Promise.withResolvers<void>();
  const unsubscribe = parts.onChange(() => wake.resolve());
  const ended = Promise.withResolvers<void>();
  stream.onAbort(() => ended.resolve());
  try {
    const first = parts.messages();
    for (const message of first) told.set(message.id, message);
    await tellPanel();
    await tell(
      'messages',
      first.map((message) => parts.viewMessage(message)),
    );
    while (!stream.aborted && !stream.closed) {
      await Promise.race([wake.promise, sleep(BEAT_MS), ended.promise]);
      await sleep(GATHER_MS);
      wake = Promise.withResolvers<void>();
      await tellMessages();
      await tellPanel();
    }
  } finally {
    unsubscribe();
  }
}
