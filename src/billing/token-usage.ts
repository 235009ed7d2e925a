import * as z from 'zod';

/**
 * The tokens of one call, as the provider's usage object tells them.
 *
 * A missing number is `undefined`, never zero: a call that reports no split is priced by another rule than a call
 * that reports no text.
 */
export type TokenUsage = {
  readonly input: number | undefined;
  /** Text and image tokens of the input, where the provider splits them. */
  readonly inputSplit: { readonly text: number; readonly image: number } | undefined;
  /** Those of the input that the provider says it had cached, where it says of which kind they were. */
  readonly cached: { readonly text: number; readonly image: number };
  /**
   * All output tokens. The provider may say that some are text, but one rate of output is published, that of images, and
   * every one of them is billed at it.
   */
  readonly output: number;
};

const tokens = z.number().int().nonnegative();
const split = z.looseObject({ text_tokens: tokens, image_tokens: tokens });

const usageSchema = z.looseObject({
  input_tokens: tokens.nullish(),
  // No picture is made of none: relays that do not count tell zeros, and a budget would never end by them.
  output_tokens: tokens.positive(),
  input_tokens_details: z
    .looseObject({
      text_tokens: tokens.nullish(),
      image_tokens: tokens.nullish(),
      cached_tokens: tokens.nullish(),
      cached_tokens_details: split.nullish().catch(undefined),
    })
    .nullish()
    .catch(undefined),
});

/**
 * Reads a provider's usage object, or answers undefined where it cannot be billed by: pictures whose own tokens nobody
 * told would all but look as if they were free.
 * Source of the shape: the `usage` of OpenAI's Images API.
 */
export function readTokenUsage(raw: unknown): TokenUsage | undefined {
  const parsed = usageSchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const { input_tokens: told, output_tokens: output, input_tokens_details: details } = parsed.data;
  const text = details?.text_tokens;
  const image = details?.image_tokens;
  const parts = typeof text === 'number' && typeof image === 'number' ? { text, image } : undefined;
  const sum = parts && parts.text + parts.image;
  // Whoever tells both parts has told the input, also without adding it up. What is told twice counts as the dearer.
  const input = sum === undefined ? (told ?? undefined) : Math.max(told ?? 0, sum);
  const inputSplit = input === sum ? parts : undefined;
  return { input, output, inputSplit, cached: readCached(details, inputSplit) };
}

/** A cached rate is applied only to tokens whose kind is certain; otherwise the full rate is the honest one. */
function readCached(
  details: z.infer<typeof usageSchema>['input_tokens_details'],
  inputSplit: TokenUsage['inputSplit'],
): TokenUsage['cached'] {
  const none = { text: 0, image: 0 };
  if (!details || !inputSplit) return none;
  const byKind = details.cached_tokens_details;
  if (byKind && byKind.text_tokens <= inputSplit.text && byKind.image_tokens <= inputSplit.image) {
    return { text: byKind.text_tokens, image: byKind.image_tokens };
  }
  const total = details.cached_tokens ?? 0;
  if (inputSplit.image === 0 && total <= inputSplit.text) return { text: total, image: 0 };
  if (inputSplit.text === 0 && total <= inputSplit.image) return { text: 0, image: total };
  return none;
}
