import type { ImageSize } from './image-provider.ts';

/** Which sizes a model makes: a few, or any within limits. */
export type SizeRule =
  | { readonly kind: 'fixed'; readonly sizes: readonly ImageSize[] }
  | {
      readonly kind: 'free';
      /** Width and height are multiples of this. */
      readonly stepPixels: number;
      readonly edgePixelsMax: number;
      /** The longer edge by the shorter one. */
      readonly ratioMax: number;
      /** Width times height. */
      readonly areaPixelsMin: number;
      readonly areaPixelsMax: number;
    };

type FreeSizeRule = Extract<SizeRule, { readonly kind: 'free' }>;

/** How far two ratios of width to height may be apart and still count as the same shape. */
const RATIO_TOLERANCE = 0.01;

/** Whether one size can be scaled to the other without a visible distortion. */
export function hasSameShape(one: ImageSize, other: ImageSize): boolean {
  return Math.abs((one.width * other.height) / (one.height * other.width) - 1) <= RATIO_TOLERANCE;
}

/** What `auto` means where there is no picture to follow. */
export const defaultSize: ImageSize = { width: 1024, height: 1024 };

/** What people choose from where any size is possible: squares, photographs, screens. */
const POPULAR_SIZES: readonly ImageSize[] = [
  { width: 1024, height: 1024 },
  { width: 1536, height: 1024 },
  { width: 1024, height: 1536 },
  { width: 1536, height: 864 },
  { width: 864, height: 1536 },
  { width: 2048, height: 2048 },
  { width: 2560, height: 1440 },
  { width: 1440, height: 2560 },
  { width: 3840, height: 2160 },
  { width: 2160, height: 3840 },
];

/** Reads `1536x1024`, also with `×` or spaces as people type it; undefined where it is no size. */
export function parseSize(text: string): ImageSize | undefined {
  const [, width, height] = /^\s*([1-9]\d{0,4})\s*[x×]\s*([1-9]\d{0,4})\s*$/i.exec(text) ?? [];
  return width === undefined || height === undefined ? undefined : { width: Number(width), height: Number(height) };
}

/** A size as `1536x1024`, which is how it is asked for, sent and shown everywhere. */
export function writeSize({ width, height }: ImageSize): string {
  return `${width}x${height}`;
}

export function isSizeAllowed(rule: SizeRule, { width, height }: ImageSize): boolean {
  if (rule.kind === 'fixed') return rule.sizes.some((size) => size.width === width && size.height === height);
  const area = width * height;
  return (
    width % rule.stepPixels === 0 &&
    height % rule.stepPixels === 0 &&
    Math.max(width, height) <= rule.edgePixelsMax &&
    Math.max(width, height) <= Math.min(width, height) * rule.ratioMax &&
    area >= rule.areaPixelsMin &&
    area <= rule.areaPixelsMax
  );
}

/** The sizes to offer as choices. */
export function listSizeChoices(rule: SizeRule): readonly ImageSize[] {
  return rule.kind === 'fixed' ? rule.sizes : POPULAR_SIZES.filter((size) => isSizeAllowed(rule, size));
}

/**
 * The allowed size that is most like a picture: of the fixed ones that with the nearest ratio, else the picture's own
 * size, brought within the limits.
 * @param source in pixels, neither zero
 */
export function fitSize(rule: SizeRule, source: ImageSize): ImageSize {
  if (rule.kind === 'fixed') return nearest(rule.sizes, (size) => distance(size, source)) ?? defaultSize;
  const ideal = scaleIntoLimits(rule, source);
  const best = nearest(listSizesAround(rule, ideal), (size) => distance(size, source)) ?? defaultSize;
  if (hasSameShape(source, best)) return best;
  // No size right around a long and small picture has its shape. One a little further off has, and the original can be put
  // back around what is made at it.
  return nearest(listSizesShaped(rule, source), (size) => areaDistance(size, ideal)) ?? best;
}

function nearest(sizes: readonly ImageSize[], distanceOf: (size: ImageSize) => number): ImageSize | undefined {
  const [first, ...others] = sizes;
  return others.reduce((best, size) => (best && distanceOf(best) <= distanceOf(size) ? best : size), first);
}

/** Keeps the ratio as far as the rule allows, then the area; in fractions of a pixel. */
function scaleIntoLimits(rule: FreeSizeRule, { width, height }: ImageSize): ImageSize {
  const ratio = clamp(width / height, 1 / rule.ratioMax, rule.ratioMax);
  const area = clamp(width * height, rule.areaPixelsMin, rule.areaPixelsMax);
  const longEdge = Math.sqrt(area * Math.max(ratio, 1 / ratio));
  const scale = Math.min(1, rule.edgePixelsMax / longEdge);
  return { width: Math.sqrt(area * ratio) * scale, height: Math.sqrt(area / ratio) * scale };
}

/** The allowed sizes next to one that need not lie on the grid. */
function listSizesAround(rule: FreeSizeRule, { width, height }: ImageSize): readonly ImageSize[] {
  const around = (edge: number): readonly number[] =>
    [-1, 0, 1, 2].map((steps) => (Math.floor(edge / rule.stepPixels) + steps) * rule.stepPixels);
  return around(width)
    .flatMap((nearWidth) => around(height).map((nearHeight) => ({ width: nearWidth, height: nearHeight })))
    .filter((size) => isSizeAllowed(rule, size));
}

/** All allowed sizes that have a picture's shape. */
function listSizesShaped(rule: FreeSizeRule, source: ImageSize): readonly ImageSize[] {
  const heights = Array.from(
    { length: Math.floor(rule.edgePixelsMax / rule.stepPixels) },
    (_, index) => (index + 1) * rule.stepPixels,
  );
  return heights
    .map((height) => {
      const steps = Math.round((height * source.width) / source.height / rule.stepPixels);
      return { width: steps * rule.stepPixels, height };
    })
    .filter((size) => isSizeAllowed(rule, size) && hasSameShape(source, size));
}

/** The ratio counts most, because another ratio distorts or crops; among equal ratios the nearer area wins. */
function distance(size: ImageSize, source: ImageSize): number {
  return ratioDistance(size, source) + areaDistance(size, source) * AREA_WEIGHT;
}

function ratioDistance(size: ImageSize, source: ImageSize): number {
  return Math.abs(Math.log((size.width * source.height) / (size.height * source.width)));
}

function areaDistance(size: ImageSize, source: ImageSize): number {
  return Math.abs(Math.log((size.width * size.height) / (source.width * source.height)));
}

const AREA_WEIGHT = 0.01;

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
