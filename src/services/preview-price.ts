import { partialImageCost } from '../billing/estimate.ts';
import type { NanoUsd } from '../billing/money.ts';
import type { PriceBook } from '../billing/prices.ts';
import { PREVIEWS_PER_IMAGE } from './call-planning.ts';
import type { GuildSettings } from './guild-settings.ts';
import type { ModelRoster } from './model-roster.ts';

/** What previews cost with the model that is used where nobody chooses another one. */
export type PreviewPrice = {
  readonly model: string;
  readonly each: NanoUsd;
  /** How many there are on the way to an image. */
  readonly count: number;
};

/** Undefined where there is no model, or none that has previews and a price. */
export function priceOfPreviews(
  { defaults }: GuildSettings,
  parts: { readonly roster: Pick<ModelRoster, 'models'>; readonly prices: PriceBook; readonly at: number },
): PreviewPrice | undefined {
  const { models } = parts.roster;
  const model = models.find(({ id }) => id === defaults.model) ?? models[0];
  if (!model || model.partialImagesMax === 0) return undefined;
  const price = parts.prices.priceOf(model.id, parts.at);
  const count = Math.min(PREVIEWS_PER_IMAGE, model.partialImagesMax);
  return price && { model: model.id, each: partialImageCost(price.tariff), count };
}
