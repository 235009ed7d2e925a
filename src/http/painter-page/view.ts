import type { Area, Mask, Point } from './mask.ts';

/** The picture with the mask over it, at a zoom, in a window that shows a part of it. */
export type View = {
  /** Shows what an area of the mask is now. */
  redraw(area: Area): void;
  /** Where on the picture a place of the screen is. */
  toPicture(clientX: number, clientY: number): Point;
  /** Zooms by a factor and keeps the given place of the screen where it is; the middle, where none is given. */
  zoomBy(factor: number, at?: { readonly clientX: number; readonly clientY: number }): void;
  /** The whole picture, as large as it fits. */
  fit(): void;
  /** The window has another size: a picture that was shown whole is shown whole again. */
  resized(): void;
  panBy(dx: number, dy: number): void;
  /** Draws a ring where the brush is; none where there is no place. */
  showBrush(at: Point | undefined, radius: number): void;
  /** The same in the middle of what is seen, for whoever chooses its size. */
  showBrushInMiddle(radius: number): void;
  /** The same where it is, if it is seen. */
  resizeBrush(radius: number): void;
  /** Moves the window so that a point of the picture is in it. */
  reveal(point: Point): void;
};

/** Stripes of two colours are seen on any picture, also on one that has either of them. */
const STRIPES = [
  [255, 32, 144, 165],
  [255, 170, 214, 165],
] as const;
/** How wide a stripe is, as a share of the picture's shorter edge. */
const STRIPE_SHARE = 1 / 90;
const ZOOM_MAX = 32;
/** The picture can be made this much smaller than the window, and no smaller. */
const FIT_SHARE_MIN = 0.5;
const REVEAL_MARGIN_PX = 24;
/** Room to begin a stroke beside the picture, so that its very edge can be painted. */
const FIT_MARGIN_PX = 14;

type Brush = { readonly at: Point | undefined; readonly radius: number };

type ViewElements = {
  readonly viewport: HTMLElement;
  readonly sheet: HTMLElement;
  readonly overlay: HTMLCanvasElement;
  readonly ring: HTMLElement;
};

export function createView({ viewport, sheet, overlay, ring }: ViewElements, mask: Mask): View {
  overlay.width = mask.width;
  overlay.height = mask.height;
  const context = overlay.getContext('2d');
  if (!context) throw new Error('this browser does not draw on a canvas');
  let zoom = 1;
  let left = 0;
  let top = 0;
  let isFitting = true;
  let brush: Brush = { at: undefined, radius: 0 };

  const fittingZoom = (): number =>
    Math.min(
      (viewport.clientWidth - 2 * FIT_MARGIN_PX) / mask.width,
      (viewport.clientHeight - 2 * FIT_MARGIN_PX) / mask.height,
    );

  function place(): void {
    // A picture that is smaller than the window stands in its middle; a larger one never leaves an edge open.
    left = held(left, viewport.clientWidth, mask.width * zoom);
    top = held(top, viewport.clientHeight, mask.height * zoom);
    sheet.style.transform = `translate(${left}px, ${top}px) scale(${zoom})`;
    sheet.classList.toggle('enlarged', zoom > 1);
    showRing(ring, brush, { zoom, left, top });
  }

  const view: View = {
    redraw(area) {
      if (area.width === 0 || area.height === 0) return;
      const image = context.createImageData(area.width, area.height);
      colour(image.data, mask, area);
      context.putImageData(image, area.left, area.top);
    },
    toPicture(clientX, clientY) {
      const box = viewport.getBoundingClientRect();
      return { x: (clientX - box.left - left) / zoom, y: (clientY - box.top - top) / zoom };
    },
    zoomBy(factor, at) {
      const box = viewport.getBoundingClientRect();
      const x = at ? at.clientX - box.left : box.width / 2;
      const y = at ? at.clientY - box.top : box.height / 2;
      const next = Math.min(ZOOM_MAX, Math.max(fittingZoom() * FIT_SHARE_MIN, zoom * factor));
      left = x - ((x - left) / zoom) * next;
      top = y - ((y - top) / zoom) * next;
      zoom = next;
      isFitting = false;
      place();
    },
    fit() {
      zoom = fittingZoom();
      isFitting = true;
      place();
    },
    resized() {
      if (isFitting) view.fit();
      else place();
    },
    panBy(dx, dy) {
      left += dx;
      top += dy;
      place();
    },
    showBrush(at, radius) {
      brush = { at, radius };
      showRing(ring, brush, { zoom, left, top });
    },
    showBrushInMiddle(radius) {
      const box = viewport.getBoundingClientRect();
      view.showBrush(view.toPicture(box.left + box.width / 2, box.top + box.height / 2), radius);
    },
    resizeBrush: (radius) => view.showBrush(brush.at, radius),
    reveal({ x, y }) {
      left += intoWindow(left + x * zoom, viewport.clientWidth);
      top += intoWindow(top + y * zoom, viewport.clientHeight);
      place();
    },
  };
  return view;
}

function showRing(
  ring: HTMLElement,
  { at, radius }: Brush,
  { zoom, left, top }: { readonly zoom: number; readonly left: number; readonly top: number },
): void {
  ring.hidden = at === undefined;
  if (!at) return;
  const size = radius * 2 * zoom;
  ring.style.width = `${size}px`;
  ring.style.height = `${size}px`;
  ring.style.transform = `translate(${left + at.x * zoom - size / 2}px, ${top + at.y * zoom - size / 2}px)`;
}

/** Four bytes at a time, because there may be eight million pixels. */
function colour(data: Uint8ClampedArray<ArrayBuffer>, mask: Mask, area: Area): void {
  const stripePx = Math.max(2, Math.round(Math.min(mask.width, mask.height) * STRIPE_SHARE));
  const colours = new Uint32Array(Uint8Array.of(...STRIPES.flat()).buffer);
  const shown = new Uint32Array(data.buffer);
  for (let row = 0; row < area.height; row += 1) {
    const start = (area.top + row) * mask.width + area.left;
    for (let column = 0; column < area.width; column += 1) {
      if (mask.pixels[start + column] !== 1) continue;
      const stripe = Math.floor((area.left + column + area.top + row) / stripePx);
      shown[row * area.width + column] = colours[stripe % STRIPES.length] ?? 0;
    }
  }
}

/** Keeps one edge of the picture where it makes sense. */
function held(offset: number, windowLength: number, pictureLength: number): number {
  const spare = windowLength - pictureLength;
  return spare >= 0 ? spare / 2 : Math.min(0, Math.max(spare, offset));
}

/** How far the picture has to move for a place to be in the window. */
function intoWindow(place: number, length: number): number {
  if (place < REVEAL_MARGIN_PX) return REVEAL_MARGIN_PX - place;
  return Math.min(0, length - REVEAL_MARGIN_PX - place);
}
