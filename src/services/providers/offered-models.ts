import type { OfferedModel } from './image-provider.ts';

/** Unix times above this are in milliseconds: as seconds they would lie beyond the year 5000. */
const UNIX_SECONDS_MAX = 1e11;

/**
 * The models in the answer of `GET /models`; undefined where it is not such a list, or names none.
 * @param text `{"data":[{"id":"…","shutdown_date":"2026-12-01"}]}`
 */
export function readOfferedModels(text: string): readonly OfferedModel[] | undefined {
  const list = readField(parseJson(text), 'data');
  if (!Array.isArray(list)) {
    return undefined;
  }
  const models = list.flatMap((entry: unknown) => {
    const id = typeof entry === 'string' ? entry : readField(entry, 'id');
    return typeof id === 'string' ? [{ id, shutdownAt: readDate(readField(entry, 'shutdown_date')) }] : [];
  });
  return models.length > 0 ? models : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** OpenAI describes a date in words; seconds since 1970, as in `created`, are understood as well. */
function readDate(value: unknown): Date | undefined {
  if (typeof value === 'number') {
    return toValidDate(value > UNIX_SECONDS_MAX ? value : value * 1000);
  }
  return typeof value === 'string' ? toValidDate(value) : undefined;
}

function toValidDate(value: string | number): Date | undefined {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function readField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
