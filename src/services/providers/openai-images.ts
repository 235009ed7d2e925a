import type { ImageProvider } from './image-provider.ts';
import { ProviderFailure } from './image-provider.ts';
import { createModelList } from './model-list.ts';
import type { Pause } from './result-download.ts';

export type OpenAiImagesOptions = {
  readonly apiKey: string;
  /** Up to and including the version, like `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** For the whole of a call, from connecting to the last byte, in milliseconds. */
  readonly timeoutMs: number;
  /** Where results may be fetched from, besides the provider's own origin, like `https://cdn.example`. */
  readonly resultOrigins: readonly string[];
  /** Nothing larger is taken as an image; 64 MiB unless said otherwise. */
  readonly imageSizeBytesMax?: number;
  readonly now?: () => Date;
  /** How to wait before a result is fetched again. */
  readonly pause?: Pause;
};

/** Images by OpenAI's API, or by a provider that is compatible with it. */
export type OpenAiImages = ImageProvider & {
  /** Loads what calls for images take, which the first of them would otherwise wait for. */
  load(): Promise<void>;
};

/**
 * What makes calls brings OpenAI's SDK in, two hundred files and a tenth of a second. No acknowledgement and no list of
 * models needs it, so the bot is ready without.
 */
export function createOpenAiImages(options: OpenAiImagesOptions): OpenAiImages {
  let calls: Promise<Pick<ImageProvider, 'makeImages'>> | undefined;

  async function loadCalls(): Promise<Pick<ImageProvider, 'makeImages'>> {
    calls ??= import('./openai-image-calls.ts')
      .then(({ createOpenAiImageCalls }) => createOpenAiImageCalls(options))
      .catch((error: unknown) => {
        // Packages that are being installed anew, under a running bot, are there again for the next call.
        calls = undefined;
        throw error;
      });
    return calls;
  }

  return {
    async makeImages(call, openByteSink, previews) {
      const { makeImages } = await loadCalls().catch((cause: unknown) => {
        throw new ProviderFailure('unreachable', 'no', { message: 'OpenAI’s SDK could not be loaded.', cause });
      });
      return makeImages(call, openByteSink, previews);
    },
    listModels: createModelList(options),
    load: async () => void (await loadCalls()),
  };
}
