import type { Logger } from 'pino';
import type { ImageProvider } from './providers/image-provider.ts';
import type { ModelWarning } from './providers/model-choice.ts';
import { chooseModels } from './providers/model-choice.ts';
import type { ImageModel, ModelCatalogue } from './providers/models.ts';

/** The models that can be used here and now: configured, known, offered by the provider, and not found missing since. */
export type ModelRoster = {
  /** In the configured order; the first is the default. */
  readonly models: readonly ImageModel[];
  /** Asks the provider again what it offers. Where it cannot be asked, what was known stays. */
  refresh(): Promise<void>;
  /** The provider said that it does not have this model after all. What it has instead is asked. */
  retire(model: string): void;
};

/** For so long a model that is missing is not believed to be back, whatever the list says: then one request finds out. */
const MISSING_MS = 60 * 60_000;

/** Reads the provider's list. A provider that cannot be asked at the start is believed to have what is configured. */
export async function createModelRoster(parts: {
  provider: ImageProvider;
  catalogue: ModelCatalogue;
  configured: readonly string[];
  now: () => number;
  log: Logger;
}): Promise<ModelRoster> {
  const { provider, catalogue, configured, now, log } = parts;
  let models = chooseModels({ catalogue, configured, offered: undefined, now: new Date(now()) }).models;

  /** When calls for them were answered with that they are not there. */
  const missingSince = new Map<string, number>();
  let refreshing: Promise<void> | undefined;

  function isMissing(id: string): boolean {
    return now() - (missingSince.get(id) ?? -Infinity) < MISSING_MS;
  }

  async function readList(): Promise<void> {
    try {
      const offered = await provider.listModels();
      const choice = chooseModels({ catalogue, configured, offered, now: new Date(now()) });
      models = choice.models.filter(({ id }) => !isMissing(id));
      choice.warnings.forEach((warning) => warnOf(warning, log));
      if (models.length === 0) log.error('the provider offers none of IMAGE_MODELS: name one that it has');
    } catch (error) {
      log.warn({ err: error }, 'the list of models could not be read; what was known stays');
    }
  }

  /** One at a time, lest an older list take the place of a newer one. */
  async function refresh(): Promise<void> {
    refreshing ??= readList().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  await refresh();
  log.info({ models: models.map(({ id }) => id), defaultModel: models[0]?.id }, 'models chosen');
  return {
    get models() {
      return models;
    },
    refresh,
    retire(model) {
      // Calls that were under way with it find the same, and there may be many.
      if (isMissing(model)) return;
      missingSince.set(model, now());
      models = models.filter(({ id }) => id !== model);
      log.error({ model }, 'the provider does not have this model: take it out of IMAGE_MODELS');
      // Where it could not be asked at the start, others may be missing as well.
      void refresh();
    },
  };
}

function warnOf(warning: ModelWarning, log: Logger): void {
  switch (warning.reason) {
    case 'unknown':
      return log.warn({ model: warning.model }, 'this model of IMAGE_MODELS is not known and not used');
    case 'not-offered':
      if (!warning.isUsed) {
        return log.info({ model: warning.model }, 'this model of IMAGE_MODELS is not offered by the provider');
      }
      return log.warn(
        { model: warning.model },
        'the provider does not list this model of PRICES_FILE; it is used anyway',
      );
    case 'shut-down':
      return log.warn({ ...warning }, 'this model of IMAGE_MODELS has been shut down');
    case 'shutting-down':
      return log.warn({ ...warning }, 'this model of IMAGE_MODELS will be shut down: name a successor');
  }
}
