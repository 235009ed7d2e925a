import type { OfferedModel } from './image-provider.ts';
import { parseJson, readField } from './json-fields.ts';

/** Unix times above this are in milliseconds: as seconds they would lie beyond the year 5000. */
const UNIX_SECONDS_MAX = 1e11;

/** A part of the list of models. */
export type ModelPage = {
  readonly models: readonly OfferedModel[];
  /** Whether there are more behind it. */
  readonly hasMore: boolean;
  /** Behind which model they follow; undefined where that is not said and there is none here. */
  readonly lastId: string | undefined;
};

/**
 * What stands in the answer of `GET /models`; undefined where it is not such a list.
 * @param text `{"data":[{"id":"…","shutdown_date":"2026-12-01"}],"has_more":true,"last_id":"…"}`; OpenAI sends all in one
 */
export function readModelPage(text: string): ModelPage | undefined {
  const answer = parseJson(text);
  const list = readField(answer, 'data');
  if (!Array.isArray(list)) return undefined;
  const models = list.flatMap((entry: unknown) => {
    const id = typeof entry === 'string' ? entry : readField(entry, 'id');
    return typeof id === 'string' ? [{ id, shutdownAt: readDate(readField(entry, 'shutdown_date')) }] : [];
  });
  const lastId = readField(answer, 'last_id');
  const hasMore = readField(answer, 'has_more') === true;
  return { models, hasMore, lastId: typeof lastId === 'string' ? lastId : models.at(-1)?.id };
}

/** OpenAI describes a date in words; seconds since 1970, as in `created`, are understood as well. */
function readDate(value: unknown): Date | undefined {
  if (typeof value === 'number') return toValidDate(value > UNIX_SECONDS_MAX ? value : value * 1000);
  return typeof value === 'string' ? toValidDate(value) : undefined;
}

function toValidDate(value: string | number): Date | undefined {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
