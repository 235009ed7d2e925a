import type { Mask, Point } from './mask.ts';
import type { Painter } from './painter.ts';
import type { View } from './view.ts';

/** What keys do besides painting, so that each key and its button are the same thing. */
export type Actions = Readonly<
  Record<
    'brush' | 'eraser' | 'hand' | 'undo' | 'redo' | 'invert' | 'larger' | 'smaller' | 'closer' | 'farther' | 'fit',
    () => void
  >
>;

/** Where the brush of the keyboard stands, for whoever is told of it in words. */
export type BrushWord = (at: Point) => void;

const STEP_SHARE_OF_RADIUS = 0.5;
const LARGE_STEP_FACTOR = 5;

const DIRECTIONS: ReadonlyMap<string, Point> = new Map([
  ['ArrowLeft', { x: -1, y: 0 }],
  ['ArrowRight', { x: 1, y: 0 }],
  ['ArrowUp', { x: 0, y: -1 }],
  ['ArrowDown', { x: 0, y: 1 }],
]);

/** Painting without a pointer: arrows move the brush, the space bar holds it down. */
export function connectKeyboard(
  viewport: HTMLElement,
  parts: { mask: Mask; painter: Painter; view: View; actions: Actions; tell: BrushWord },
): void {
  const { mask, painter, view, actions, tell } = parts;
  let brush: Point = { x: mask.width / 2, y: mask.height / 2 };

  function move({ x, y }: Point, factor: number): void {
    const step = Math.max(1, painter.radius * STEP_SHARE_OF_RADIUS) * factor;
    brush = {
      x: Math.min(mask.width, Math.max(0, brush.x + x * step)),
      y: Math.min(mask.height, Math.max(0, brush.y + y * step)),
    };
    if (painter.isPainting) painter.continueStroke(brush);
    view.reveal(brush);
    view.showBrush(brush, painter.radius);
    tell(brush);
  }

  const keys: ReadonlyMap<string, () => void> = new Map([
    ['b', actions.brush],
    ['e', actions.eraser],
    ['h', actions.hand],
    ['i', actions.invert],
    ['[', actions.smaller],
    [']', actions.larger],
    ['+', actions.closer],
    ['-', actions.farther],
    ['0', actions.fit],
  ]);

  viewport.addEventListener('focus', () => {
    if (viewport.matches(':focus-visible')) view.showBrush(brush, painter.radius);
  });
  viewport.addEventListener('blur', () => {
    painter.endStroke();
    view.showBrush(undefined, painter.radius);
  });
  viewport.addEventListener('keydown', (event) => {
    const direction = DIRECTIONS.get(event.key);
    if (direction) move(direction, event.shiftKey ? LARGE_STEP_FACTOR : 1);
    else if (event.key === ' ' && !event.repeat) painter.beginStroke(brush);
    if (direction || event.key === ' ') event.preventDefault();
  });
  viewport.addEventListener('keyup', (event) => {
    if (event.key === ' ') painter.endStroke();
  });
  document.addEventListener('keydown', (event) => {
    // While the mask is on its way, keys are as still as their buttons.
    if (viewport.closest('[inert]')) return;
    if (event.ctrlKey || event.metaKey) return takeBack(event, actions);
    // Letters are for the picture: anywhere else somebody may be talking to their computer.
    const isForPicture = event.target === viewport || event.target === document.body;
    const act = event.altKey || !isForPicture ? undefined : keys.get(event.key.toLowerCase());
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** Control or command with Z, and with Shift or Y the other way. */
function takeBack(event: KeyboardEvent, { undo, redo }: Actions): void {
  const key = event.key.toLowerCase();
  if (key !== 'z' && key !== 'y') return;
  event.preventDefault();
  if (key === 'y' || event.shiftKey) redo();
  else undo();
}
