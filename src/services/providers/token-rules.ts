import type { ImageSize } from './image-provider.ts';

/**
 * How many tokens the pictures of a model take at the most. Each model of the catalogue brings its rule along, so that
 * a new one is entered in one place. Source: OpenAI's image guide, as of November 2026.
 */
export type TokenRule = {
  readonly output: OutputRule;
  /** Whether a picture that goes up is counted by its tiles; the others publish no rule, and the most that was seen is taken. */
  readonly isInputTiled: boolean;
};

/** By quality: as many for each shape as are published, or a grid of tokens that grows with the picture. */
type OutputRule =
  | { readonly by: 'shape'; readonly tokens: ReadonlyMap<string, ShapeTokens> }
  | { readonly by: 'grid'; readonly baseEdges: ReadonlyMap<string, number> };

type ShapeTokens = { readonly square: number; readonly portrait: number; readonly landscape: number };

export const FIRST_GENERATION_TOKENS: TokenRule = {
  output: {
    by: 'shape',
    tokens: new Map([
      ['low', { square: 272, portrait: 408, landscape: 400 }],
      ['medium', { square: 1056, portrait: 1584, landscape: 1568 }],
      ['high', { square: 4160, portrait: 6240, landscape: 6208 }],
    ]),
  },
  isInputTiled: true,
};

export const SECOND_GENERATION_TOKENS = gridRule({ low: 16, medium: 48, high: 96 });

export const FINER_TOKENS = gridRule({ low: 16, medium: 24, high: 48, xhigh: 64, max: 96 });

/** The factors of 2.6 are not published; its dearest predecessor's quality covers every one of its own. */
export const UNPUBLISHED_TOKENS = gridRule({ low: 96, medium: 96, high: 96, xhigh: 96, max: 96 });

function gridRule(baseEdges: Readonly<Record<string, number>>): TokenRule {
  return { output: { by: 'grid', baseEdges: new Map(Object.entries(baseEdges)) }, isInputTiled: false };
}

/** The most output tokens that one image can take, or undefined where the rule does not know the quality. */
export function maxOutputTokens({ output }: TokenRule, quality: string, size: ImageSize): number | undefined {
  if (output.by === 'shape') return output.tokens.get(quality)?.[shapeOf(size)];
  const baseEdge = output.baseEdges.get(quality);
  return baseEdge === undefined ? undefined : gridOutputTokens(baseEdge, size);
}

function shapeOf({ width, height }: ImageSize): keyof ShapeTokens {
  if (width === height) return 'square';
  return width < height ? 'portrait' : 'landscape';
}

/** The published formula of the second generation: a token grid scaled by the number of pixels. */
function gridOutputTokens(baseEdge: number, { width, height }: ImageSize): number {
  const otherEdge = roundHalfEven((baseEdge * Math.min(width, height)) / Math.max(width, height));
  return Math.ceil((baseEdge * otherEdge * (2_000_000 + width * height)) / 4_000_000);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The largest number of input tokens measured for one picture with models that publish no rule. */
const MEASURED_INPUT_TOKENS_MAX = 1536;
const TOKENS_PER_PICTURE = 65;
const TOKENS_PER_TILE = 129;
/** What high input fidelity adds to a picture that is not square, the dearer of its two cases. */
const HIGH_FIDELITY_TOKENS = 6240;

/** The most input tokens that pictures can take together that go up with a request. */
export function maxInputTokens(rule: TokenRule, images: readonly ImageSize[], highFidelity: boolean): number {
  return images.reduce((sum, image) => sum + maxTokensOf(image, rule, highFidelity), 0);
}

function maxTokensOf({ width, height }: ImageSize, { isInputTiled }: TokenRule, highFidelity: boolean): number {
  if (!isInputTiled) return MEASURED_INPUT_TOKENS_MAX;
  const ratio = Math.max(width, height) / Math.min(width, height);
  // The picture is laid on a grid of tiles with one tile on its short side; a pixel over is a tile more.
  const tiles = Math.ceil(ratio) + 1;
  const byTiles = TOKENS_PER_PICTURE + TOKENS_PER_TILE * tiles;
  return Math.max(byTiles, MEASURED_INPUT_TOKENS_MAX) + (highFidelity ? HIGH_FIDELITY_TOKENS : 0);
}
