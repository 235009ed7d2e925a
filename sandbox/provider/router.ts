/** Checks who asks, finds out what for, and puts together the parts that answer. */
import type { AnswerDeliveryParts } from './answer-delivery.ts';
import { createAnswerDelivery } from './answer-delivery.ts';
import { refusal } from './api-refusal.ts';
import type { CallJudgeParts, ModerationWords } from './call-judge.ts';
import { createCallJudge } from './call-judge.ts';
import type { Exchange } from './exchange.ts';
import { readBody } from './exchange.ts';
import type { AnswerImageCall, ImageEndpointParts } from './image-endpoint.ts';
import { createImageEndpoint } from './image-endpoint.ts';
import { createImageRateLimit } from './image-rate-limit.ts';
import type { CatalogueModel } from './model-catalogue.ts';
import { catalogue, modelsServedByDefault } from './model-catalogue.ts';
import { answerModelList, listModels, unknownUrl } from './model-list.ts';
import { createNoisePngSource } from './noise-png.ts';
import { answerCosts, missingScope } from './organization-costs.ts';
import { readOpenApiDescription } from './openapi-description.ts';
import type { EmulatedProviderOptions } from './provider-options.ts';

const requestBytesMaxDefault = 256 * 1024 * 1024;
const moderationWordsDefault: ModerationWords = { input: ['forbidden'], output: ['unshowable'] };

function servedModels(options: EmulatedProviderOptions): ReadonlyMap<string, CatalogueModel> {
  const published = (options.models ?? modelsServedByDefault).map((id) => [id, id] as const);
  return new Map(
    [...published, ...Object.entries(options.ownModels ?? {})].map(([id, like]) => {
      const model = catalogue.get(like);
      if (model === undefined) throw new RangeError(`The catalogue has no model ${like}.`);
      return [id, { ...model, id }];
    }),
  );
}

export type RouterParts = Pick<ImageEndpointParts, 'now' | 'billing' | 'faults' | 'gates'> &
  Pick<AnswerDeliveryParts, 'files' | 'origin'> & {
    readonly options: EmulatedProviderOptions;
    readonly apiKey: string;
    readonly adminKey: string;
  };

function createImageCalls({ options, ...parts }: RouterParts, served: CallJudgeParts['served']): AnswerImageCall {
  const { imagesPerMinute, openApiPath, resultBytes, latencyMs: latency = 0 } = options;
  const latencyMs = typeof latency === 'number' ? () => latency : latency;
  const judge = createCallJudge({
    served,
    openApi: openApiPath === undefined ? undefined : readOpenApiDescription(openApiPath),
    rateLimit: imagesPerMinute === undefined ? undefined : createImageRateLimit(imagesPerMinute, parts.now),
    moderationWords: options.moderationWords ?? moderationWordsDefault,
    keepsUploads: options.keepUploads ?? false,
  });
  const workOptions = {
    seed: options.seed ?? '',
    noise: resultBytes === undefined ? undefined : createNoisePngSource(resultBytes),
    usageExtras: options.usageExtras ?? {},
  };
  const deliver = createAnswerDelivery({ ...parts, latencyMs });
  const { nanoUsdPerImage = {} } = options;
  return createImageEndpoint({ ...parts, judge, deliver, workOptions, latencyMs, nanoUsdPerImage });
}

/** Checks the key and hands the request to its endpoint. */
export function createRouter(parts: RouterParts): (exchange: Exchange) => Promise<void> {
  const { options } = parts;
  const served = servedModels(options);
  const apiKeys = new Set([parts.apiKey, ...(options.otherApiKeys ?? [])]);
  const answerImageCall = createImageCalls(parts, served);
  return async (exchange) => {
    const { call, request } = exchange;
    const body = await readBody(request, options.requestBytesMax ?? requestBytesMaxDefault);
    if (call.endpoint === 'costs' && call.apiKey === parts.adminKey) {
      return answerCosts(exchange, parts.billing.bills, parts.now());
    }
    if (call.apiKey === undefined || !apiKeys.has(call.apiKey)) {
      throw refusal('invalid_api_key', { requestId: call.requestId, model: '' });
    }
    if (call.endpoint === 'costs') throw missingScope();
    if (call.endpoint === 'other') throw unknownUrl(call.method, call.path);
    if (call.endpoint !== 'models') return answerImageCall(exchange, call.endpoint, body);
    const list = options.modelList ?? listModels(served.values());
    await answerModelList(exchange, parts.faults.planFor(call), list);
  };
}
