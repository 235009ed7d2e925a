/**
 * The contract between a job and whoever makes its images.
 *
 * It knows nothing of money beyond one question, which every failure must answer:
 * could this call have been charged?
 */

export const IMAGE_FORMATS = ['png', 'jpeg', 'webp'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

export const BACKGROUNDS = ['auto', 'opaque', 'transparent'] as const;
export type Background = (typeof BACKGROUNDS)[number];

/** From the cheapest to the dearest; which of them a model has, the catalogue says. */
export const QUALITIES = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Quality = (typeof QUALITIES)[number];

export const INPUT_FIDELITIES = ['high', 'low'] as const;
export type InputFidelity = (typeof INPUT_FIDELITIES)[number];

/** Width and height in pixels. */
export type ImageSize = { readonly width: number; readonly height: number };

/** A prepared picture on disk, ready to be uploaded as it is. */
export type InputFile = {
  readonly path: string;
  readonly name: string;
  readonly contentType: 'image/png' | 'image/jpeg' | 'image/webp';
};

/** One call to the provider. Everything is concrete: `auto` was resolved before the money was reserved. */
export type ImageCall = {
  readonly model: string;
  readonly prompt: string;
  /** How many images, 1 to 10. */
  readonly count: number;
  readonly size: ImageSize;
  readonly quality: Quality;
  readonly background: Background;
  readonly format: ImageFormat;
  /** Only for models that have it: those that always look closely refuse a call that asks them to. */
  readonly fidelity?: InputFidelity;
  /** Pictures to edit or to refer to; with at least one the call is an edit. */
  readonly images: readonly InputFile[];
  /** PNG with alpha; transparent pixels are the ones to edit. Belongs to the first image. */
  readonly mask?: InputFile;
  /** A stable hash of the member, never a Discord id in the clear. */
  readonly safetyIdentifier: string;
};

/** Receives the bytes of one image, in order. */
export type ByteSink = {
  /**
   * Lends memory of at least this size for the next bytes; undefined where there is none. Whoever puts them there says so
   * by handing them to `write`, which then has nothing to copy.
   */
  findRoom?(sizeBytes: number): Buffer | undefined;
  /** The bytes are only lent: they are overwritten once the promise has resolved, or at once where there is none. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Resolves when the bytes are durable. */
  close(): Promise<void>;
  /** Called instead of `close` where the image did not arrive whole. Frees what the sink holds; never rejects. */
  discard(): Promise<void>;
};

/**
 * Opens the place where the bytes of image `index` (from 0) go.
 * An index that is opened again starts afresh; the images that arrived whole are always the first ones.
 */
export type OpenByteSink = (index: number) => Promise<ByteSink>;

/** Receives unfinished pictures on the way to an image. Nobody is owed them: any of them may be missing. */
export type PreviewTarget = {
  /** How many the provider is asked for, 1 to 3. It charges for each. */
  readonly count: number;
  /** Opens the place where the bytes of preview `index` (from 0) go. Nothing about them has to be durable. */
  openByteSink(index: number): Promise<ByteSink>;
  /** The preview is whole. It takes the place of the one before it. */
  arrived(index: number, sizeBytes: number): void;
  /** A preview could not be kept, and there will be no others. */
  failed(error: unknown): void;
};

/** What the provider said about a call that made images. The bytes themselves went to the sinks. */
export type ImageResult = {
  /** How many images arrived whole. At least 1. */
  readonly imageCount: number;
  /**
   * How many of the images that were asked for the answer told of, those that did not arrive whole included; undefined
   * where it was cut off before it had told, and then nobody knows how many were made.
   */
  readonly madeCount: number | undefined;
  /** The provider's usage object exactly as it was sent; undefined where it sent none. */
  readonly usage: unknown;
  readonly requestId: string | undefined;
  /** What kept the rest from arriving behind the images that are whole; left out where nothing did. */
  readonly cutOffBy?: unknown;
};

export const PROVIDER_FAILURE_KINDS = [
  'moderation',
  'invalid-request',
  'invalid-image',
  'too-large',
  'model-not-found',
  'out-of-quota',
  'invalid-key',
  'unverified-organization',
  'misconfigured',
  'rate-limited',
  'unreachable',
  'server-error',
  'timeout',
  'connection-lost',
  'unusable-answer',
  'untrusted-result',
  'cancelled',
  'stopping',
] as const;

export type ProviderFailureKind = (typeof PROVIDER_FAILURE_KINDS)[number];

/** What an answer that was read to its end tells of its price. */
export type ToldPrice = Pick<ImageResult, 'usage'> & { readonly madeCount: number };

/**
 * Every way in which a call can fail.
 *
 * `charged: 'no'` is a claim that must be provable: the provider answered with a refusal, or the request never
 * left this machine. Everything else is `'unknown'`, is never called again, and counts against the budget.
 */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly kind: ProviderFailureKind;
  readonly charged: 'no' | 'unknown';
  readonly requestId: string | undefined;
  /** For `rate-limited`: how long the provider asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Where an answer brought no image and told of a usage all the same. Whether that is a price, the books decide. */
  readonly toldPrice: ToldPrice | undefined;
  /** For `moderation`: whether the request or its result was declined, where the provider says so. */
  readonly moderationStage: 'input' | 'output' | undefined;

  constructor(
    kind: ProviderFailureKind,
    charged: 'no' | 'unknown',
    details: {
      readonly message: string;
      readonly requestId?: string | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly moderationStage?: 'input' | 'output' | undefined;
      readonly toldPrice?: ToldPrice | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(details.message, { cause: details.cause });
    this.kind = kind;
    this.charged = charged;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.moderationStage = details.moderationStage;
    this.toldPrice = details.toldPrice;
  }
}

/** A model that the provider's list names. */
export type OfferedModel = {
  readonly id: string;
  /** When the provider will shut it down, where it says so. */
  readonly shutdownAt: Date | undefined;
};

export type ImageProvider = {
  /**
   * Makes images and writes them to the sinks while they arrive. Makes at most one request that can be charged for, and
   * nobody calls it off: it may be charged all the same.
   * @param previews where there is one, and the provider can, it shows what it has so far; only for a count of 1
   * @throws {ProviderFailure}
   */
  makeImages(call: ImageCall, openByteSink: OpenByteSink, previews?: PreviewTarget): Promise<ImageResult>;

  /**
   * The models that the key can see; undefined where the provider has no such list.
   * @throws {ProviderFailure}
   */
  listModels(): Promise<readonly OfferedModel[] | undefined>;
};
