/** Holds answers until a test lets them go, so that concurrency is decided and not hoped for. */
import type { ProviderCall } from './call-log.ts';

/** Where a call is held: before it is worked on and billed, or when all that is missing is its answer. */
type GatePosition = 'before-billing' | 'before-answer';

export type GateOptions = {
  /** `before-answer` by default. */
  readonly at?: GatePosition;
  /** Which calls are held; every image call by default. */
  readonly when?: (call: ProviderCall) => boolean;
};

export type AnswerGate = {
  /** Calls held now. */
  readonly waiting: number;
  /**
   * Resolves once this many calls have been held, those released since included.
   * @throws when they do not within `waitMsMax`, 10 seconds by default
   */
  arrived(callCount: number, waitMsMax?: number): Promise<void>;
  /** Lets the longest-waiting calls go, or opens the gate for good where no number is given. */
  release(callCount?: number): void;
};

export type GateKeeper = {
  shut(options?: GateOptions): AnswerGate;
  /** Resolves when no gate holds the call at this position. */
  pass(call: ProviderCall, position: GatePosition): Promise<void>;
  openAll(): void;
};

const arrivalWaitMsMax = 10_000;

type Gate = AnswerGate & { readonly options: GateOptions; readonly isOpen: boolean; hold(): Promise<void> };

function createGate(options: GateOptions): Gate {
  let isOpen = false;
  let arrivedCount = 0;
  const held: (() => void)[] = [];
  let watchers: { readonly callCount: number; readonly resolve: () => void }[] = [];
  return {
    options,
    get isOpen() {
      return isOpen;
    },
    get waiting() {
      return held.length;
    },
    async hold() {
      await new Promise<void>((resolve) => {
        held.push(resolve);
        arrivedCount += 1;
        for (const watcher of watchers) if (watcher.callCount <= arrivedCount) watcher.resolve();
        watchers = watchers.filter((watcher) => watcher.callCount > arrivedCount);
      });
    },
    async arrived(callCount, waitMsMax = arrivalWaitMsMax) {
      if (arrivedCount >= callCount) return;
      await new Promise<void>((resolve, reject) => {
        const watcher = {
          callCount,
          resolve: () => {
            clearTimeout(timer);
            resolve();
          },
        };
        const timer = setTimeout(() => {
          watchers = watchers.filter((other) => other !== watcher);
          reject(new Error(`${arrivedCount} of ${callCount} calls arrived at the gate within ${waitMsMax} ms.`));
        }, waitMsMax);
        watchers.push(watcher);
      });
    },
    release(callCount) {
      if (callCount === undefined) isOpen = true;
      for (const resolve of held.splice(0, callCount ?? held.length)) resolve();
    },
  };
}

export function createGateKeeper(): GateKeeper {
  let gates: readonly Gate[] = [];
  return {
    shut(options = {}) {
      const gate = createGate(options);
      gates = [...gates.filter((other) => !other.isOpen), gate];
      return gate;
    },
    async pass(call, position) {
      for (const gate of gates) {
        const isHeld = (gate.options.at ?? 'before-answer') === position && (gate.options.when?.(call) ?? true);
        if (isHeld && !gate.isOpen) await gate.hold();
      }
    },
    openAll() {
      for (const gate of gates) gate.release();
      gates = [];
    },
  };
}
