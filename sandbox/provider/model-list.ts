/** GET /v1/models. */
import { ApiRefusal, serverError } from './api-refusal.ts';
import { refusalOf } from './call-judge.ts';
import type { Exchange } from './exchange.ts';
import { breakOff, jsonHeaders, sendBody, sendHtml, wait } from './exchange.ts';
import type { FaultPlan } from './faults.ts';
import type { CatalogueModel } from './model-catalogue.ts';

/** A model as the list tells it. */
export type ListedModel = {
  readonly id: string;
  readonly object: 'model';
  /** Unix time in seconds. */
  readonly created: number;
  readonly owned_by: string;
  /** ISO date, null where none is announced; left out by providers that do not know the field. */
  readonly shutdown_date?: string | null;
};

/** A key sees more than image models, which clients have to pick out. */
const otherModels: readonly ListedModel[] = ['text-embedding-3-small', 'whisper-1'].map((id) => ({
  id,
  object: 'model',
  created: unixSeconds('2024-01-25'),
  owned_by: 'system',
  shutdown_date: null,
}));

function unixSeconds(isoDate: string): number {
  return Date.parse(`${isoDate}T00:00:00Z`) / 1000;
}

/** The list that OpenAI would give for these models. */
export function listModels(served: Iterable<CatalogueModel>): ListedModel[] {
  const imageModels = Array.from(served, (model): ListedModel => ({
    id: model.id,
    object: 'model',
    created: unixSeconds(model.releaseDate),
    owned_by: 'system',
    shutdown_date: model.shutdownDate,
  }));
  return [...otherModels, ...imageModels];
}

/**
 * Answers a request for the list.
 * @throws {ApiRefusal}
 */
export async function answerModelList(
  exchange: Exchange,
  plan: FaultPlan,
  list: readonly ListedModel[] | 'absent',
): Promise<void> {
  const { call } = exchange;
  const { ending } = plan;
  await wait(exchange, plan.startDelayMs + plan.headersDelayMs);
  switch (ending?.kind) {
    case 'refuse':
      throw refusalOf(ending, call);
    case 'server-error':
      throw serverError(ending.status, call.requestId);
    case 'html':
      return sendHtml(exchange, ending.status ?? 200);
    case 'reset':
      return breakOff(exchange, 'reset');
    case 'bill-then-drop':
    case 'bill-then-cut':
    case 'bill-then-stop-stream':
      return breakOff(exchange, 'dropped');
    case 'bill-then-hang':
      exchange.forcedEnd = 'hung';
      return;
    case undefined:
      if (list === 'absent') throw unknownUrl(call.method, call.path);
      await sendBody(exchange, 200, jsonHeaders(call), [Buffer.from(JSON.stringify({ object: 'list', data: list }))]);
  }
}

/** The answer to a path that the API does not have. */
export function unknownUrl(method: string, path: string): ApiRefusal {
  return new ApiRefusal(404, {
    message: `Invalid URL (${method} ${path})`,
    type: 'invalid_request_error',
    param: null,
    code: null,
  });
}
