import type { BenchCommand } from '../protocol.ts';
import type { BenchInteraction } from './world.ts';

/** A command on its way, and what has come of it so far. */
export type Sent = {
  readonly at: number;
  acknowledgedAt: number | undefined;
  /** Resolves when its picture is posted. */
  readonly posted: Promise<void>;
};

/** Sends commands and finds them again by what the bot answers with. */
export type CommandLog = {
  issue(command: BenchCommand | 'quota'): Sent;
  acknowledged(interactionId: string): void;
  posted(token: string): void;
  forgetAll(): void;
};

export function createCommandLog(send: (command: BenchCommand | 'quota') => BenchInteraction): CommandLog {
  const byId = new Map<string, Sent>();
  const onPosted = new Map<string, () => void>();
  return {
    issue(command) {
      const at = performance.now();
      const { id, token } = send(command);
      const { promise, resolve } = Promise.withResolvers<void>();
      const sent: Sent = { at, acknowledgedAt: undefined, posted: promise };
      byId.set(id, sent);
      onPosted.set(token, resolve);
      return sent;
    },
    acknowledged(interactionId) {
      const sent = byId.get(interactionId);
      if (sent) sent.acknowledgedAt ??= performance.now();
    },
    posted: (token) => onPosted.get(token)?.(),
    forgetAll() {
      byId.clear();
      onPosted.clear();
    },
  };
}
