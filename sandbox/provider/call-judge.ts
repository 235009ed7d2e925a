/** Decides whether a call is worked on at all. Whatever it refuses is never billed. */
import type { ApiRefusal, RefusalName } from './api-refusal.ts';
import { refusal } from './api-refusal.ts';
import type { ProviderCall } from './call-log.ts';
import type { Exchange } from './exchange.ts';
import type { EndingFault } from './faults.ts';
import type { ImageRateLimit } from './image-rate-limit.ts';
import type { InputPictures } from './input-pictures.ts';
import { readInputPictures } from './input-pictures.ts';
import type { CatalogueModel } from './model-catalogue.ts';
import type { OpenApiDescription } from './openapi-description.ts';
import type { ImageEndpoint, Parameters } from './parameters.ts';
import { readParameters } from './parameters.ts';
import { readRequest } from './request-reader.ts';

/** Words in a prompt that have it declined: before the work, or its result after it. */
export type ModerationWords = { readonly input: readonly string[]; readonly output: readonly string[] };

export type CallJudgeParts = {
  readonly served: ReadonlyMap<string, CatalogueModel>;
  /** Judges requests a second time where it is given. */
  readonly openApi: OpenApiDescription | undefined;
  readonly rateLimit: ImageRateLimit | undefined;
  readonly moderationWords: ModerationWords;
  /** Whether the record of a call keeps the bytes of its files. */
  readonly keepsUploads: boolean;
};

/** A call that breaks no rule. */
type ValidCall = { readonly parameters: Parameters; readonly inputs: InputPictures | undefined };

/** All throw an {@link ApiRefusal}. */
export type CallJudge = {
  readValidCall(exchange: Exchange, endpoint: ImageEndpoint, body: Buffer): Promise<ValidCall>;
  judgeRate(call: ProviderCall): void;
  judgeWords(call: ProviderCall, stage: 'input' | 'output'): void;
};

/** The refusal that a fault asks for. */
export function refusalOf(fault: EndingFault & { readonly kind: 'refuse' }, call: ProviderCall): ApiRefusal {
  const { retryAfterSeconds, tryAgainInSeconds } = fault;
  const model = call.model ?? '';
  return refusal(fault.refusal, { requestId: call.requestId, model, retryAfterSeconds, tryAgainInSeconds });
}

const moderationRefusals = {
  input: 'moderation_blocked_input',
  output: 'moderation_blocked_output',
} as const satisfies Record<string, RefusalName>;

export function createCallJudge(parts: CallJudgeParts): CallJudge {
  return {
    async readValidCall({ call, request }, endpoint, body) {
      const contentType = request.headers['content-type'] ?? '';
      const { fields, files } = readRequest(endpoint, body, contentType, call, parts.keepsUploads);
      const parameters = readParameters(endpoint, fields, parts.served, call.requestId);
      const inputs = endpoint === 'edits' ? await readInputPictures(files) : undefined;
      const fileNames = files.map(({ name }) => name);
      parts.openApi?.judgeRequest(endpoint, fields, fileNames);
      return { parameters, inputs };
    },

    judgeRate(call) {
      const taken = parts.rateLimit?.take(call.imageCount);
      if (taken === undefined || taken.isAllowed) return;
      const waitSeconds = Math.ceil(taken.waitMs / 1000);
      throw refusal('rate_limit_exceeded', {
        requestId: call.requestId,
        model: call.model ?? '',
        retryAfterSeconds: waitSeconds,
        tryAgainInSeconds: waitSeconds,
      });
    },

    judgeWords(call, stage) {
      const prompt = call.prompt?.toLowerCase() ?? '';
      if (parts.moderationWords[stage].some((word) => prompt.includes(word.toLowerCase()))) {
        throw refusal(moderationRefusals[stage], { requestId: call.requestId, model: call.model ?? '' });
      }
    },
  };
}
