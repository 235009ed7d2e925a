/** How an emulated provider can be set up. */
import type { ModerationWords } from './call-judge.ts';
import type { ProviderCall } from './call-log.ts';
import type { AnswerShape } from './faults.ts';
import type { ListedModel } from './model-list.ts';

export type EmulatedProviderOptions = {
  /** A free port by default. */
  readonly port?: number;
  /** The key that is accepted; a fresh one by default. */
  readonly apiKey?: string;
  /** Further keys that are accepted. */
  readonly otherApiKeys?: readonly string[];
  /** The key that may ask for the organization's costs, and for nothing else; a fresh one by default. */
  readonly adminKey?: string;
  /** Ids from the catalogue that calls may name; by default all but the retired gpt-image-1. */
  readonly models?: readonly string[];
  /** Further ids under which it serves models of the catalogue: what each of them is like. */
  readonly ownModels?: Readonly<Record<string, string>>;
  /** What an image costs with the models that are charged by the image and not by the token, in nano-US-dollars. */
  readonly nanoUsdPerImage?: Readonly<Record<string, number>>;
  /** What GET /v1/models tells; by default the served models and their shutdown dates. `absent` answers 404. */
  readonly modelList?: readonly ListedModel[] | 'absent';
  /** How long the work takes beside the drawing, in milliseconds. Streams spread it over their events. */
  readonly latencyMs?: number | ((call: ProviderCall) => number);
  /** Images a minute, for all keys together; no limit by default. */
  readonly imagesPerMinute?: number;
  /** Pictures depend on it, beside prompt and index. */
  readonly seed?: string;
  /** Makes every PNG noise of exactly this weight: cheap to serve, and as heavy as a load test needs. */
  readonly resultBytes?: number;
  /** Fields that `usage` carries beside the known ones, which they cannot replace. */
  readonly usageExtras?: Readonly<Record<string, unknown>>;
  /** How every answer differs from OpenAI's. Faults of kind `shape` come on top. */
  readonly answerShape?: AnswerShape;
  /** By default `forbidden` declines the request and `unshowable` the result. */
  readonly moderationWords?: ModerationWords;
  /** A JSONL file to which every bill is appended before its answer begins. */
  readonly billingLogPath?: string;
  /** OpenAI's description of the Images API as YAML; requests are judged by it too. */
  readonly openApiPath?: string;
  /** Keeps the bytes of uploads in `calls`. */
  readonly keepUploads?: boolean;
  /** Longest request body taken, 256 MiB by default. */
  readonly requestBytesMax?: number;
  /** How many calls and bills are remembered, 100,000 by default. */
  readonly recordsKeptMax?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
};
