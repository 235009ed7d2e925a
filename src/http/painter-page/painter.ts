import { createHistory } from './history.ts';
import type { Area, Mask, Point } from './mask.ts';
import { copyArea, invert, paintedShare, paintLine, paintShare, unite, wholeArea } from './mask.ts';
import type { View } from './view.ts';

/** The parts of a picture that can be marked without painting, as shares of its edges. */
export const QUICK_AREAS = {
  left: { left: 0, top: 0, right: 0.5, bottom: 1 },
  right: { left: 0.5, top: 0, right: 1, bottom: 1 },
  top: { left: 0, top: 0, right: 1, bottom: 0.5 },
  bottom: { left: 0, top: 0.5, right: 1, bottom: 1 },
  centre: { left: 0.25, top: 0.25, right: 0.75, bottom: 0.75 },
} as const;
export type QuickArea = keyof typeof QUICK_AREAS;

/** The mask and everything that can be done to it. Each step can be taken back. */
export type Painter = {
  /** What the brush makes of a pixel: 1 = may change, 0 = stays. */
  value: 0 | 1;
  /** Half the width of the brush, in pixels of the picture. */
  radius: number;
  /** @param value what the brush makes of pixels this once */
  beginStroke(at: Point, value?: 0 | 1): void;
  continueStroke(to: Point): void;
  endStroke(): void;
  /** The stroke was none, for instance the first finger of two. */
  dropStroke(): void;
  mark(area: QuickArea): void;
  invert(): void;
  clear(): void;
  undo(): void;
  redo(): void;
  readonly isPainting: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly share: number;
};

export function createPainter(mask: Mask, view: View, onChange: () => void): Painter {
  const history = createHistory(mask);
  let stroke: { last: Point; area: Area; readonly value: 0 | 1; readonly before: Uint8Array } | undefined;
  let share = 0;

  function changed(area: Area): void {
    view.redraw(area);
    share = paintedShare(mask);
    onChange();
  }

  /** A change of the whole mask, or of a part of it, as one step. */
  function step(change: () => Area): void {
    painter.endStroke();
    const before = copyArea(mask, wholeArea(mask));
    const area = change();
    history.add(area, cut(before, mask.width, area));
    changed(area);
  }

  function extend(to: Point): void {
    if (!stroke) return;
    const area = paintLine(mask, stroke.last, to, painter.radius, stroke.value);
    stroke.last = to;
    stroke.area = unite(stroke.area, area);
    view.redraw(area);
  }

  const painter: Painter = {
    value: 1,
    radius: 1,
    beginStroke(at, value = painter.value) {
      painter.endStroke();
      const area = { left: Math.floor(at.x), top: Math.floor(at.y), width: 0, height: 0 };
      stroke = { last: at, area: within(area, mask), value, before: copyArea(mask, wholeArea(mask)) };
      extend(at);
    },
    continueStroke: extend,
    endStroke() {
      if (!stroke) return;
      const { area, before } = stroke;
      stroke = undefined;
      // Whoever begins and ends beside the picture has painted nothing.
      if (area.width === 0 || area.height === 0) return;
      history.add(area, cut(before, mask.width, area));
      changed(area);
    },
    dropStroke() {
      if (!stroke) return;
      mask.pixels.set(stroke.before);
      view.redraw(stroke.area);
      stroke = undefined;
    },
    mark: (area) => step(() => paintShare(mask, QUICK_AREAS[area], painter.value)),
    invert: () =>
      step(() => {
        invert(mask);
        return wholeArea(mask);
      }),
    clear: () =>
      step(() => {
        mask.pixels.fill(0);
        return wholeArea(mask);
      }),
    undo() {
      painter.endStroke();
      const area = history.undo();
      if (area) changed(area);
    },
    redo() {
      painter.endStroke();
      const area = history.redo();
      if (area) changed(area);
    },
    get isPainting() {
      return stroke !== undefined;
    },
    get canUndo() {
      return history.canUndo;
    },
    get canRedo() {
      return history.canRedo;
    },
    get share() {
      return share;
    },
  };
  return painter;
}

/** An area of a copy of the whole mask. */
function cut(pixels: Uint8Array, width: number, area: Area): Uint8Array {
  return copyArea({ width, height: pixels.length / width, pixels }, area);
}

/** A stroke may begin beside the picture. */
function within(area: Area, { width, height }: Mask): Area {
  return {
    ...area,
    left: Math.min(width, Math.max(0, area.left)),
    top: Math.min(height, Math.max(0, area.top)),
  };
}
