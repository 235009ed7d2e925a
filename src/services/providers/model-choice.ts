import type { OfferedModel } from './image-provider.ts';
import type { ImageModel, ModelCatalogue } from './models.ts';

/** Something the operator should know about a configured model. */
export type ModelWarning =
  /** Not in the catalogue, so neither its options nor its price are known. It is not used. */
  | { readonly reason: 'unknown'; readonly model: string }
  /** Not in the provider's list. It is used only where the operator added it. */
  | { readonly reason: 'not-offered'; readonly model: string; readonly isUsed: boolean }
  /** The date of its shutdown has passed. It is used only where nothing but the catalogue says so. */
  | { readonly reason: 'shut-down'; readonly model: string; readonly shutdownAt: Date; readonly isUsed: boolean }
  /** It is used, but not for long. */
  | { readonly reason: 'shutting-down'; readonly model: string; readonly shutdownAt: Date };

export type ModelChoice = {
  /** In the configured order; the first is tried first. */
  readonly models: readonly ImageModel[];
  readonly warnings: readonly ModelWarning[];
};

/** How long before its shutdown a model is warned about: time enough to compare its successors. */
const NOTICE_DAYS = 60;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Chooses the models to use from those that are configured.
 *
 * The provider's word goes before the catalogue's: a model past its shutdown date that a compatible provider still
 * lists, or one of a provider without a list, is believed to work. The operator's word goes before both: Azure lists what
 * could be deployed and not what is, and gateways that pass on whatever is asked of them list a pattern, or nothing of it.
 * @param offered the provider's list; undefined where it has none
 */
export function chooseModels({
  catalogue,
  configured,
  offered,
  now,
}: {
  readonly catalogue: ModelCatalogue;
  readonly configured: readonly string[];
  readonly offered: readonly OfferedModel[] | undefined;
  readonly now: Date;
}): ModelChoice {
  const models: ImageModel[] = [];
  const warnings: ModelWarning[] = [];
  for (const id of new Set(configured)) {
    const model = catalogue.find(id);
    const offer = offered?.find((candidate) => candidate.id === id);
    if (model === undefined) {
      warnings.push({ reason: 'unknown', model: id });
      continue;
    }
    if (offered !== undefined && offer === undefined) {
      const isUsed = catalogue.isAdded(id);
      warnings.push({ reason: 'not-offered', model: id, isUsed });
      if (!isUsed) continue;
    }
    const warning = judgeShutdown(model, offer, now);
    if (warning !== undefined) {
      warnings.push(warning);
    }
    if (warning?.reason !== 'shut-down' || warning.isUsed) {
      models.push(model);
    }
  }
  return { models, warnings };
}

type ShutdownWarning = Extract<ModelWarning, { readonly shutdownAt: Date }>;

function judgeShutdown(
  { id, shutdownAt: catalogueDate }: ImageModel,
  offer: OfferedModel | undefined,
  now: Date,
): ShutdownWarning | undefined {
  const shutdownAt = offer?.shutdownAt ?? catalogueDate;
  if (shutdownAt === undefined) return undefined;
  const remainingMs = shutdownAt.getTime() - now.getTime();
  if (remainingMs <= 0) return { reason: 'shut-down', model: id, shutdownAt, isUsed: offer?.shutdownAt === undefined };
  return remainingMs <= NOTICE_DAYS * DAY_MS ? { reason: 'shutting-down', model: id, shutdownAt } : undefined;
}
