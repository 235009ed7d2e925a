import assert from 'node:assert/strict';
import type { ImageCall, ImageProvider, ImageResult } from '../../../src/services/providers/image-provider.ts';
import { ProviderFailure } from '../../../src/services/providers/image-provider.ts';
import type { OpenAiImagesOptions } from '../../../src/services/providers/openai-images.ts';
import { createOpenAiImages } from '../../../src/services/providers/openai-images.ts';
import { createCall } from './call-fixture.ts';
import { createMemorySinks } from './memory-sinks.ts';

/** A key that must be seen nowhere. */
export const apiKey = 'sk-test-canary-0123456789';

export const base64 = (image: Buffer): string => image.toString('base64');

/** Waits for nothing between two attempts; the base URL ends in /v1. */
export function createProvider(origin: string, changes: Partial<OpenAiImagesOptions> = {}): ImageProvider {
  return createOpenAiImages({
    apiKey,
    baseUrl: `${origin}/v1`,
    timeoutMs: 10_000,
    resultOrigins: [],
    pause: async () => {},
    ...changes,
  });
}

type Outcome = { readonly result: ImageResult; readonly images: readonly Buffer[] };

/** Makes a call whose images are kept in memory. */
export async function make(provider: ImageProvider, call: ImageCall = createCall()): Promise<Outcome> {
  const sinks = createMemorySinks();
  const result = await provider.makeImages(call, sinks.openByteSink);
  return { result, images: sinks.closedImages() };
}

/** What a call that must fail fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<ProviderFailure> {
  const error = await promise.then(
    () => assert.fail('The call should have failed.'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ProviderFailure, String(error));
  return error;
}
