import type { Background, ImageFormat, ImageSize, InputFidelity, Quality } from './image-provider.ts';
import { BACKGROUNDS, IMAGE_FORMATS, INPUT_FIDELITIES, QUALITIES } from './image-provider.ts';
import type { SizeRule } from './image-sizes.ts';
import { defaultSize, fitSize, isSizeAllowed, writeSize } from './image-sizes.ts';
import type { TokenRule } from './token-rules.ts';
import { FINER_TOKENS, FIRST_GENERATION_TOKENS, SECOND_GENERATION_TOKENS, UNPUBLISHED_TOKENS } from './token-rules.ts';

/** What an image model can do, as data. */
export type ImageModel = {
  readonly id: string;
  /** What bounds the tokens of its pictures, and with them the money that is held for a call. */
  readonly tokens: TokenRule;
  readonly sizes: SizeRule;
  readonly qualities: readonly Quality[];
  readonly backgrounds: readonly Background[];
  readonly formats: readonly ImageFormat[];
  /** Empty where `input_fidelity` must be left out. */
  readonly fidelities: readonly InputFidelity[];
  /** When OpenAI shuts it down; compatible providers may offer it for longer. */
  readonly shutdownAt: Date | undefined;
  /** How many unfinished pictures it can stream on the way to one image; 0 where it cannot. */
  readonly partialImagesMax: number;
};

/** What someone asks of a model; options that are left out are not checked. */
export type ModelOptions = {
  readonly size?: ImageSize;
  readonly quality?: Quality;
  readonly background?: Background;
  readonly format?: ImageFormat;
  readonly fidelity?: InputFidelity;
};

/** An option that a model does not have, and the models that have it. */
export type UnsupportedOption = {
  readonly option: keyof ModelOptions;
  /** As it is written, like `1536x1024` or `xhigh`. */
  readonly value: string;
  readonly modelsWithIt: readonly string[];
};

/** `auto` has no known cost, so it is resolved before the money is reserved. */
export const defaultQuality: Quality = 'medium';

const FIXED_SIZES: SizeRule = {
  kind: 'fixed',
  sizes: [
    { width: 1024, height: 1024 },
    { width: 1536, height: 1024 },
    { width: 1024, height: 1536 },
  ],
};

const FREE_SIZES: SizeRule = {
  kind: 'free',
  stepPixels: 16,
  edgePixelsMax: 3840,
  ratioMax: 3,
  areaPixelsMin: 655_360,
  areaPixelsMax: 8_294_400,
};

const COMMON = {
  backgrounds: BACKGROUNDS,
  formats: IMAGE_FORMATS,
  partialImagesMax: 3,
} as const;

const FIRST_GENERATION = {
  ...COMMON,
  tokens: FIRST_GENERATION_TOKENS,
  sizes: FIXED_SIZES,
  qualities: ['low', 'medium', 'high'],
} as const;

const SECOND_GENERATION = {
  ...COMMON,
  tokens: SECOND_GENERATION_TOKENS,
  sizes: FREE_SIZES,
  qualities: ['low', 'medium', 'high'],
  fidelities: [],
  shutdownAt: undefined,
} as const;

/** From 2.5 on. */
const FINER_QUALITIES = {
  ...SECOND_GENERATION,
  tokens: FINER_TOKENS,
  qualities: QUALITIES,
} as const;

/**
 * The models that are known without anybody's help. Source: OpenAI's API description and the types of its SDK 7.55, as
 * of November 2026.
 */
export const builtInModels: readonly ImageModel[] = [
  { ...FIRST_GENERATION, id: 'gpt-image-1', fidelities: INPUT_FIDELITIES, shutdownAt: new Date('2026-10-23') },
  { ...FIRST_GENERATION, id: 'gpt-image-1-mini', fidelities: ['low'], shutdownAt: new Date('2026-12-01') },
  { ...FIRST_GENERATION, id: 'gpt-image-1.5', fidelities: INPUT_FIDELITIES, shutdownAt: new Date('2026-12-01') },
  { ...SECOND_GENERATION, id: 'gpt-image-2' },
  { ...SECOND_GENERATION, id: 'gpt-image-2-2026-04-21' },
  { ...FINER_QUALITIES, id: 'gpt-image-2.5-sunburst' },
  { ...FINER_QUALITIES, id: 'gpt-image-2.5-sunburst-2026-09-08' },
  { ...FINER_QUALITIES, id: 'gpt-image-2.5-flare' },
  { ...FINER_QUALITIES, id: 'gpt-image-2.5-flare-2026-09-08' },
  { ...FINER_QUALITIES, id: 'gpt-image-2.6-sunburst', tokens: UNPUBLISHED_TOKENS },
  { ...FINER_QUALITIES, id: 'gpt-image-2.6-flare', tokens: UNPUBLISHED_TOKENS },
];

/** A model that the operator knows of: in everything but its name and its price it is like a built-in one. */
export type ModelAddition = { readonly id: string; readonly like: string };

/**
 * The models that are known here. Models come and go; one that is not in the catalogue is refused, because neither
 * its options nor its price are known.
 */
export type ModelCatalogue = {
  readonly models: readonly ImageModel[];
  find(id: string): ImageModel | undefined;
  /** Whether the operator named the model as one that the provider has. */
  isAdded(id: string): boolean;
};

/**
 * The built-in models and those that are added to them.
 * @throws {RangeError} where an addition is like no built-in model
 */
export function createModelCatalogue(additions: readonly ModelAddition[] = []): ModelCatalogue {
  const added = additions.map(({ id, like }): ImageModel => {
    const original = builtInModels.find((model) => model.id === like);
    if (!original) throw new RangeError(`${id} cannot be like ${like}, which is not built in`);
    return { ...original, id, shutdownAt: undefined };
  });
  const models = [...builtInModels, ...added];
  return {
    models,
    find: (id) => models.find((model) => model.id === id),
    isAdded: (id) => added.some((model) => model.id === id),
  };
}

/**
 * The options that a model does not have; empty where it has all.
 * @param among where to look for models that have them, for example only those that can be used here
 */
export function findUnsupportedOptions(
  model: ImageModel,
  options: ModelOptions,
  among: readonly ImageModel[],
): readonly UnsupportedOption[] {
  const modelsWith = (hasIt: (other: ImageModel) => boolean): readonly string[] =>
    among.filter(hasIt).map((other) => other.id);
  return listOptionChecks(options).flatMap(({ option, value, hasIt }) =>
    hasIt(model) ? [] : [{ option, value, modelsWithIt: modelsWith(hasIt) }],
  );
}

/** A JPEG has no transparency, whatever the model. */
export function losesTransparency(background: Background, format: ImageFormat): boolean {
  return background === 'transparent' && format === 'jpeg';
}

/**
 * What `auto` means for a size: 1024x1024, or with a source picture the model's size that is most like it.
 * @param source the picture to edit, in pixels
 */
export function resolveAutoSize(model: ImageModel, source?: ImageSize): ImageSize {
  return source === undefined ? defaultSize : fitSize(model.sizes, source);
}

type OptionCheck = {
  readonly option: keyof ModelOptions;
  readonly value: string;
  readonly hasIt: (model: ImageModel) => boolean;
};

function listOptionChecks({ size, quality, background, format, fidelity }: ModelOptions): readonly OptionCheck[] {
  const checks: OptionCheck[] = [];
  if (size !== undefined) {
    checks.push({ option: 'size', value: writeSize(size), hasIt: (model) => isSizeAllowed(model.sizes, size) });
  }
  if (quality !== undefined) {
    checks.push({ option: 'quality', value: quality, hasIt: (model) => model.qualities.includes(quality) });
  }
  if (background !== undefined) {
    checks.push({ option: 'background', value: background, hasIt: (model) => model.backgrounds.includes(background) });
  }
  if (format !== undefined) {
    checks.push({ option: 'format', value: format, hasIt: (model) => model.formats.includes(format) });
  }
  if (fidelity !== undefined) {
    checks.push({ option: 'fidelity', value: fidelity, hasIt: (model) => model.fidelities.includes(fidelity) });
  }
  return checks;
}
