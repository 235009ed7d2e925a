/** What the emulated provider charges: its own copy of the published prices, checked against the program's by tests. */
import type { ModelGeneration } from './model-catalogue.ts';
import type { Usage } from './token-tables.ts';

/** Nano-US-dollars a token: one dollar per million tokens is 1,000. */
type Rates = { readonly textIn: number; readonly imageIn: number; readonly imageOut: number };

const rates: Readonly<Record<ModelGeneration, Rates>> = {
  '1': { textIn: 5_000, imageIn: 10_000, imageOut: 40_000 },
  '1-mini': { textIn: 2_000, imageIn: 2_500, imageOut: 8_000 },
  '1.5': { textIn: 5_000, imageIn: 8_000, imageOut: 32_000 },
  '2': { textIn: 5_000, imageIn: 8_000, imageOut: 30_000 },
  '2.5': { textIn: 5_000, imageIn: 8_000, imageOut: 30_000 },
  '2.6': { textIn: 5_000, imageIn: 8_000, imageOut: 30_000 },
};

/** The price of a call in nano-US-dollars, a safe integer. */
export function costNanoUsd(generation: ModelGeneration, usage: Usage): number {
  const { textIn, imageIn, imageOut } = rates[generation];
  return (
    usage.input_tokens_details.text_tokens * textIn +
    usage.input_tokens_details.image_tokens * imageIn +
    usage.output_tokens * imageOut
  );
}
