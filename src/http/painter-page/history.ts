import type { Area, Mask } from './mask.ts';
import { copyArea, pasteArea } from './mask.ts';

/** What was painted, to be taken back and done again. */
export type History = {
  /** Remembers a step: what an area was before, while the mask holds what it is now. */
  add(area: Area, before: Uint8Array): void;
  /** Takes the last step back; answers what changed, or undefined where there is nothing to take back. */
  undo(): Area | undefined;
  redo(): Area | undefined;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
};

type Step = { readonly area: Area; readonly before: Uint8Array; readonly after: Uint8Array };

/** A phone has to hold all of it; the oldest steps are forgotten first. */
const BYTES_MAX = 96 * 1024 * 1024;

export function createHistory(mask: Mask): History {
  const done: Step[] = [];
  const undone: Step[] = [];
  let bytes = 0;

  const sizeOf = ({ before, after }: Step): number => before.length + after.length;

  function forgetOldest(): void {
    while (bytes > BYTES_MAX && done.length > 1) {
      const oldest = done.shift();
      if (oldest) bytes -= sizeOf(oldest);
    }
  }

  return {
    add(area, before) {
      for (const step of undone.splice(0)) bytes -= sizeOf(step);
      const step = { area, before, after: copyArea(mask, area) };
      done.push(step);
      bytes += sizeOf(step);
      forgetOldest();
    },
    undo() {
      const step = done.pop();
      if (!step) return undefined;
      undone.push(step);
      pasteArea(mask, step.area, step.before);
      return step.area;
    },
    redo() {
      const step = undone.pop();
      if (!step) return undefined;
      done.push(step);
      pasteArea(mask, step.area, step.after);
      return step.area;
    },
    get canUndo() {
      return done.length > 0;
    },
    get canRedo() {
      return undone.length > 0;
    },
  };
}
