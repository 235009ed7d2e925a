/** What each model accepts. The emulator's own copy of the published rules, kept apart from the program's. */

export type ImageSize = { readonly width: number; readonly height: number };
export type Quality = 'low' | 'medium' | 'high' | 'xhigh' | 'max';
export type InputFidelity = 'high' | 'low';

/** Models of one generation share parameters, token tables and prices. */
export type ModelGeneration = '1' | '1-mini' | '1.5' | '2' | '2.5' | '2.6';

export type GenerationRules = {
  /** `fixed` offers three sizes; `free` any size within the limits of `isFreeSizeAllowed`. */
  readonly sizes: 'fixed' | 'free';
  readonly qualities: readonly Quality[];
  /** Empty where the parameter itself is refused. */
  readonly fidelities: readonly InputFidelity[];
};

const classicQualities = ['low', 'medium', 'high'] as const;
const extendedQualities = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

export const generationRules: Readonly<Record<ModelGeneration, GenerationRules>> = {
  '1': { sizes: 'fixed', qualities: classicQualities, fidelities: ['high', 'low'] },
  '1-mini': { sizes: 'fixed', qualities: classicQualities, fidelities: ['low'] },
  '1.5': { sizes: 'fixed', qualities: classicQualities, fidelities: ['high', 'low'] },
  '2': { sizes: 'free', qualities: classicQualities, fidelities: [] },
  '2.5': { sizes: 'free', qualities: extendedQualities, fidelities: [] },
  '2.6': { sizes: 'free', qualities: extendedQualities, fidelities: [] },
};

export type CatalogueModel = {
  readonly id: string;
  readonly generation: ModelGeneration;
  /** ISO date of the release. */
  readonly releaseDate: string;
  /** ISO date after which calls are refused, or null where none was announced. */
  readonly shutdownDate: string | null;
};

/** Every image model that the emulator can play, by id. */
export const catalogue: ReadonlyMap<string, CatalogueModel> = new Map(
  (
    [
      { id: 'gpt-image-1', generation: '1', releaseDate: '2025-04-23', shutdownDate: '2026-10-23' },
      { id: 'gpt-image-1-mini', generation: '1-mini', releaseDate: '2025-10-06', shutdownDate: '2026-12-01' },
      { id: 'gpt-image-1.5', generation: '1.5', releaseDate: '2025-12-16', shutdownDate: '2026-12-01' },
      { id: 'gpt-image-2', generation: '2', releaseDate: '2026-04-21', shutdownDate: null },
      { id: 'gpt-image-2-2026-04-21', generation: '2', releaseDate: '2026-04-21', shutdownDate: null },
      { id: 'gpt-image-2.5-sunburst', generation: '2.5', releaseDate: '2026-09-08', shutdownDate: null },
      { id: 'gpt-image-2.5-sunburst-2026-09-08', generation: '2.5', releaseDate: '2026-09-08', shutdownDate: null },
      { id: 'gpt-image-2.5-flare', generation: '2.5', releaseDate: '2026-09-08', shutdownDate: null },
      { id: 'gpt-image-2.5-flare-2026-09-08', generation: '2.5', releaseDate: '2026-09-08', shutdownDate: null },
      { id: 'gpt-image-2.6-sunburst', generation: '2.6', releaseDate: '2026-11-04', shutdownDate: null },
      { id: 'gpt-image-2.6-flare', generation: '2.6', releaseDate: '2026-11-04', shutdownDate: null },
    ] satisfies CatalogueModel[]
  ).map((model) => [model.id, model]),
);

/** What OpenAI itself still serves: everything but the first model. Fixed, so that tests do not depend on the day. */
export const modelsServedByDefault: readonly string[] = [...catalogue.keys()].filter((id) => id !== 'gpt-image-1');

export const fixedSizes: readonly string[] = ['1024x1024', '1024x1536', '1536x1024'];

const sizeStepPixels = 16;
const edgePixelsMax = 3840;
const areaPixelsMin = 655_360;
const areaPixelsMax = 8_294_400;
const aspectRatioMax = 3;

/** Whether a model with free sizes renders this one. */
export function isFreeSizeAllowed({ width, height }: ImageSize): boolean {
  const short = Math.min(width, height);
  const long = Math.max(width, height);
  const area = width * height;
  return (
    width % sizeStepPixels === 0 &&
    height % sizeStepPixels === 0 &&
    long <= edgePixelsMax &&
    long <= aspectRatioMax * short &&
    area >= areaPixelsMin &&
    area <= areaPixelsMax
  );
}
