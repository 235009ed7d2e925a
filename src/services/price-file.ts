import * as z from 'zod';
import { parseUsd } from '../billing/money.ts';
import { openAiPrices } from '../billing/openai-prices.ts';
import type { ModelPrice } from '../billing/prices.ts';
import { imageTariff, perToken, tokenTariff, withoutSnapshotDate } from '../billing/prices.ts';
import type { ModelAddition } from './providers/models.ts';
import { builtInModels } from './providers/models.ts';
import { readYaml } from './yaml-document.ts';

/** What the operator knows of models and prices beyond what is built in. `prices.example.yaml` shows every field. */
export type PriceFile = {
  readonly models: readonly ModelAddition[];
  readonly prices: readonly ModelPrice[];
};

/** Something that is wrong in the file, and what to do about it. Never says what stands there: it may be a secret. */
export type PriceFileFault = {
  /** Counted from 1. */
  readonly line: number;
  readonly remedy: string;
};

const ENTRIES_MAX = 1_000;
const NAME_PATTERN = /^[\w.:/@+-]{1,100}$/;
const builtInIds = builtInModels.map(({ id }) => id);

/** An object that has these fields and no others. */
const fieldsOf = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? `take this out; what may stand here: ${known}` : `write fields here: ${known}`,
  });
};
const listOf = <Item extends z.ZodType>(item: Item) => {
  const remedy = `write a list of at most ${ENTRIES_MAX} items, each beginning with "- "`;
  return z.array(item, remedy).max(ENTRIES_MAX, remedy).default([]);
};
const name = (remedy: string) => z.string(remedy).regex(NAME_PATTERN, remedy);
const decimal = (read: (text: string) => unknown, remedy: string) =>
  z.string(remedy).refine((text) => isReadBy(read, text), remedy);
const usdPerMillion = decimal(
  perToken,
  'write US dollars for a million tokens, with a point and at most three decimals, such as 8 or 1.25',
);

const fileSchema = fieldsOf({
  models: listOf(
    fieldsOf({
      id: name('name the model as the provider does, without spaces').refine((id) => !builtInIds.includes(id), {
        error: 'take this model out: it is built in, and needs an entry under prices only if its price differs',
      }),
      like: z.enum(builtInIds, `name the built-in model that it is like: ${builtInIds.join(', ')}`),
    }),
  ),
  prices: listOf(
    fieldsOf({
      model: name('name the model that has this price'),
      version: name('name this price list, such as relay-2026-11; entries of the ledger keep the name'),
      effectiveFrom: z.iso.date('write the day from which the price holds, such as 2026-11-01').transform(Date.parse),
      usdPerImage: decimal(parseUsd, 'write US dollars for one image, with a point, such as 0.034')
        .transform(imageTariff)
        .optional(),
      usdPerMillionTokens: fieldsOf({
        textIn: usdPerMillion,
        cachedTextIn: usdPerMillion.optional(),
        imageIn: usdPerMillion,
        cachedImageIn: usdPerMillion.optional(),
        imageOut: usdPerMillion,
      })
        .transform(tokenTariff)
        .optional(),
    }),
  ),
});

/** As much of a file as can be compared with the rest of it, whatever else may be wrong. */
const anyText = z.string().optional().catch(undefined);
const outlineSchema = z.object({
  models: z.array(z.object({ id: anyText }).catch({ id: undefined })).catch([]),
  prices: z
    .array(
      z
        .object({
          model: anyText,
          version: anyText,
          effectiveFrom: anyText,
          usdPerImage: z.unknown().optional(),
          usdPerMillionTokens: z.unknown().optional(),
        })
        .or(z.unknown().transform(() => undefined)),
    )
    .catch([]),
});
type Outline = z.infer<typeof outlineSchema>;

/** Reads the operator's file, or says everything that is wrong in it, in the order of its lines. */
export function parsePriceFile(source: string): PriceFile | { readonly faults: readonly PriceFileFault[] } {
  const document = readYaml(source);
  if (document.problems.length > 0) {
    return {
      faults: document.problems.map(({ line, problem }) => ({ line, remedy: `write valid YAML (${problem})` })),
    };
  }
  const parsed = fileSchema.safeParse(document.value);
  const outline = outlineSchema.safeParse(document.value);
  const faults: PriceFileFault[] = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => {
      if (issue.code !== 'unrecognized_keys') return describe(document.lineOf(issue.path), issue.path, issue.message);
      return issue.keys.map((key) => describe(document.lineOfKey(issue.path, key), [key], issue.message));
    }),
    ...(outline.success ? compare(outline.data) : []).map(({ path, remedy }) =>
      describe(document.lineOf(path), path, remedy),
    ),
  ];
  if (parsed.success && faults.length === 0) return toPriceFile(parsed.data);
  return { faults: faults.toSorted((one, other) => one.line - other.line) };
}

function describe(line: number, path: readonly PropertyKey[], remedy: string): PriceFileFault {
  const field = path.findLast((key) => typeof key === 'string');
  return { line, remedy: field === undefined ? remedy : `${field}: ${remedy}` };
}

type Misfit = { readonly path: readonly PropertyKey[]; readonly remedy: string };

/** What is wrong only together with something else. */
function compare(outline: Outline): readonly Misfit[] {
  return [...compareModels(outline), ...comparePrices(outline)];
}

function compareModels({ models, prices }: Outline): readonly Misfit[] {
  const priced = new Set(prices.map((price) => price?.model));
  const repeated = repeatsIn(models.map(({ id }) => id));
  return models.flatMap(({ id }, index): Misfit[] => {
    if (id === undefined) return [];
    const path = ['models', index, 'id'];
    if (repeated.has(index)) return [{ path, remedy: 'take this out: the model stands further up already' }];
    const hasPrice = builtInIds.includes(id) || priced.has(id) || priced.has(withoutSnapshotDate(id));
    return hasPrice ? [] : [{ path, remedy: 'add a price for this model under prices; without one it cannot be used' }];
  });
}

function comparePrices({ models, prices }: Outline): readonly Misfit[] {
  const ids = [...builtInIds, ...models.map(({ id }) => id)];
  const known = new Set([...ids, ...ids.map((id) => id && withoutSnapshotDate(id))]);
  const sameDay = repeatsIn(prices.map((price) => price && keyOf(price.model, price.effectiveFrom)));
  const builtIn = openAiPrices.map(({ model, version }) => keyOf(model, version));
  const sameVersion = repeatsIn([...builtIn, ...prices.map((price) => price && keyOf(price.model, price.version))]);
  return prices.flatMap((price, index): Misfit[] => {
    if (!price) return [];
    const misfits: Misfit[] = [];
    const add = (remedy: string, ...field: string[]): void =>
      void misfits.push({ path: ['prices', index, ...field], remedy });
    if (price.model !== undefined && !known.has(price.model))
      add('name a built-in model, or add it under models', 'model');
    if (sameDay.has(index)) add('take one out: this model has a price from this day on further up', 'effectiveFrom');
    if (sameVersion.has(builtIn.length + index)) {
      add('choose another name: an earlier price of this model has it, and entries could not be told apart', 'version');
    }
    const tariffs = [price.usdPerImage, price.usdPerMillionTokens].filter((tariff) => tariff !== undefined);
    if (tariffs.length !== 1) add('write either usdPerImage or usdPerMillionTokens with each price');
    return misfits;
  });
}

function keyOf(model: string | undefined, property: string | undefined): string | undefined {
  return model === undefined || property === undefined ? undefined : `${model} ${property}`;
}

/** The places of values that stand further up already. */
function repeatsIn(values: readonly (string | undefined)[]): ReadonlySet<number> {
  return new Set(values.flatMap((value, at) => (value !== undefined && values.indexOf(value) < at ? [at] : [])));
}

function toPriceFile({ models, prices }: z.infer<typeof fileSchema>): PriceFile {
  return {
    models,
    prices: prices.flatMap(({ usdPerImage, usdPerMillionTokens, ...dated }) => {
      const tariff = usdPerImage ?? usdPerMillionTokens;
      return tariff ? [{ ...dated, tariff }] : [];
    }),
  };
}

function isReadBy(read: (text: string) => unknown, value: string): boolean {
  try {
    read(value);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
