import type { Painter } from './painter.ts';
import type { View } from './view.ts';

export type Tool = 'brush' | 'eraser' | 'hand';

/** A wheel's notch is about a hundred units; it should change the zoom by a fifth. */
const WHEEL_ZOOM_PER_UNIT = 0.002;
/** Two fingers on a pad count ten times less. */
const PAD_ZOOM_PER_UNIT = 0.01;
const MAIN_BUTTON = 0;
const MIDDLE_BUTTON = 1;
/** The back of a pen, as browsers tell it. */
const PEN_ERASER_BUTTON = 5;

/**
 * Mouse, pen and touch. One pointer paints; two fingers, the middle button, or one pointer with the hand move the
 * picture, and two fingers or the wheel zoom. Whoever holds a pen rests a hand on the picture: while a pen is down, touch
 * means nothing.
 */
export function connectPointers(
  viewport: HTMLElement,
  parts: { readonly painter: Painter; readonly view: View; readonly toolOf: () => Tool },
): void {
  const { painter, view, toolOf } = parts;
  const down = new Map<number, PointerEvent>();
  let panning: number | undefined;

  const showBrush = (event: PointerEvent): void => {
    const isSeen = event.pointerType !== 'touch' && toolOf() !== 'hand';
    view.showBrush(isSeen ? view.toPicture(event.clientX, event.clientY) : undefined, painter.radius);
  };

  /** The hand may have come before the pen. */
  const forgetTouches = (): void => {
    painter.dropStroke();
    panning = undefined;
    for (const { pointerId, pointerType } of down.values()) if (pointerType === 'touch') down.delete(pointerId);
  };

  viewport.addEventListener('pointerdown', (event) => {
    const isBesidePen = [...down.values()].some(({ pointerType }) => pointerType === 'pen');
    if (event.pointerType === 'touch' && isBesidePen) return undefined;
    if (event.pointerType === 'pen') forgetTouches();
    viewport.setPointerCapture(event.pointerId);
    down.set(event.pointerId, event);
    if (down.size > 1) return painter.dropStroke();
    const at = view.toPicture(event.clientX, event.clientY);
    if (event.button === PEN_ERASER_BUTTON) painter.beginStroke(at, 0);
    else if (event.button === MIDDLE_BUTTON || toolOf() === 'hand') panning = event.pointerId;
    else if (event.button === MAIN_BUTTON) painter.beginStroke(at);
    return undefined;
  });

  viewport.addEventListener('pointermove', (event) => {
    showBrush(event);
    const before = down.get(event.pointerId);
    if (!before) return;
    if (down.size === 2) pinch([...down.values()], before, event, view);
    else if (panning === event.pointerId) view.panBy(event.clientX - before.clientX, event.clientY - before.clientY);
    else if (painter.isPainting) {
      // A fast hand moves further between two frames than the brush is wide: all places in between are told, too.
      const places = event.getCoalescedEvents();
      for (const { clientX, clientY } of places.length > 0 ? places : [event]) {
        painter.continueStroke(view.toPicture(clientX, clientY));
      }
    }
    down.set(event.pointerId, event);
  });

  const release = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId)) return;
    if (panning === event.pointerId) panning = undefined;
    painter.endStroke();
  };
  viewport.addEventListener('pointerup', release);
  viewport.addEventListener('pointercancel', (event) => {
    if (down.has(event.pointerId)) painter.dropStroke();
    release(event);
  });
  viewport.addEventListener('pointerleave', () => view.showBrush(undefined, painter.radius));
  viewport.addEventListener('contextmenu', (event) => event.preventDefault());

  viewport.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const perUnit = event.ctrlKey ? PAD_ZOOM_PER_UNIT : WHEEL_ZOOM_PER_UNIT;
      view.zoomBy(Math.exp(-event.deltaY * perUnit), event);
    },
    { passive: false },
  );
}

/** Two fingers: the picture follows their middle and grows with their distance. */
function pinch(fingers: readonly PointerEvent[], before: PointerEvent, now: PointerEvent, view: View): void {
  const other = fingers.find(({ pointerId }) => pointerId !== now.pointerId);
  if (!other) return;
  const distance = (one: PointerEvent): number => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  view.panBy((now.clientX - before.clientX) / 2, (now.clientY - before.clientY) / 2);
  const middle = { clientX: (now.clientX + other.clientX) / 2, clientY: (now.clientY + other.clientY) / 2 };
  if (distance(before) > 0) view.zoomBy(distance(now) / distance(before), middle);
}
