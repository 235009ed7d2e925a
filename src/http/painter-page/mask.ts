/** A point on the picture, in the picture's own pixels. */
export type Point = { readonly x: number; readonly y: number };

/** A part of the picture, in whole pixels; empty where an edge is 0. */
export type Area = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

/** What may change: one byte for each pixel of the picture, row by row, 1 = may change, 0 = stays. */
export type Mask = {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
};

export function createMask(width: number, height: number): Mask {
  return { width, height, pixels: new Uint8Array(width * height) };
}

/**
 * Draws a line as wide as the brush, with round ends. There is nothing in between: a pixel whose middle is under the
 * brush is painted, so what is seen is exactly what is sent.
 * @returns the area that may have changed
 */
export function paintLine(mask: Mask, from: Point, to: Point, radius: number, value: 0 | 1): Area {
  const area = areaAround(mask, from, to, radius);
  const along = { x: to.x - from.x, y: to.y - from.y };
  const lengthSquared = along.x ** 2 + along.y ** 2;
  for (let row = area.top; row < area.top + area.height; row += 1) {
    for (let column = area.left; column < area.left + area.width; column += 1) {
      const x = column + 0.5 - from.x;
      const y = row + 0.5 - from.y;
      const share = lengthSquared === 0 ? 0 : Math.min(1, Math.max(0, (x * along.x + y * along.y) / lengthSquared));
      const distanceSquared = (x - share * along.x) ** 2 + (y - share * along.y) ** 2;
      if (distanceSquared <= radius ** 2) mask.pixels[row * mask.width + column] = value;
    }
  }
  return area;
}

/** Paints a rectangle, given as shares of the picture's edges. */
export function paintShare(
  mask: Mask,
  share: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number },
  value: 0 | 1,
): Area {
  const left = Math.round(share.left * mask.width);
  const top = Math.round(share.top * mask.height);
  const area = {
    left,
    top,
    width: Math.round(share.right * mask.width) - left,
    height: Math.round(share.bottom * mask.height) - top,
  };
  for (let row = area.top; row < area.top + area.height; row += 1) {
    const start = row * mask.width + area.left;
    mask.pixels.fill(value, start, start + area.width);
  }
  return area;
}

export function invert({ pixels }: Mask): void {
  for (let index = 0; index < pixels.length; index += 1) pixels[index] = pixels[index] === 1 ? 0 : 1;
}

/** The share of the picture that may change, between 0 and 1. */
export function paintedShare({ pixels }: Mask): number {
  let painted = 0;
  for (const pixel of pixels) painted += pixel;
  return painted / pixels.length;
}

export function wholeArea({ width, height }: Mask): Area {
  return { left: 0, top: 0, width, height };
}

export function unite(one: Area, other: Area): Area {
  const left = Math.min(one.left, other.left);
  const top = Math.min(one.top, other.top);
  return {
    left,
    top,
    width: Math.max(one.left + one.width, other.left + other.width) - left,
    height: Math.max(one.top + one.height, other.top + other.height) - top,
  };
}

/** Copies an area out, row by row. */
export function copyArea({ width, pixels }: Mask, area: Area): Uint8Array {
  const copy = new Uint8Array(area.width * area.height);
  for (let row = 0; row < area.height; row += 1) {
    const start = (area.top + row) * width + area.left;
    copy.set(pixels.subarray(start, start + area.width), row * area.width);
  }
  return copy;
}

/** Puts a copied area back. */
export function pasteArea({ width, pixels }: Mask, area: Area, copy: Uint8Array): void {
  for (let row = 0; row < area.height; row += 1) {
    pixels.set(copy.subarray(row * area.width, (row + 1) * area.width), (area.top + row) * width + area.left);
  }
}

function areaAround({ width, height }: Mask, from: Point, to: Point, radius: number): Area {
  const left = clamp(Math.floor(Math.min(from.x, to.x) - radius), width);
  const top = clamp(Math.floor(Math.min(from.y, to.y) - radius), height);
  return {
    left,
    top,
    width: clamp(Math.ceil(Math.max(from.x, to.x) + radius), width) - left,
    height: clamp(Math.ceil(Math.max(from.y, to.y) + radius), height) - top,
  };
}

function clamp(value: number, max: number): number {
  return Math.min(max, Math.max(0, value));
}
