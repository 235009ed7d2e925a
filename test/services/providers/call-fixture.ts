import type { ImageCall } from '../../../src/services/providers/image-provider.ts';

/** A call for one image; tests change what matters to them. */
export function createCall(changes: Partial<ImageCall> = {}): ImageCall {
  return {
    model: 'gpt-image-2',
    prompt: 'A "lighthouse" – été\n🌊',
    count: 1,
    size: { width: 1536, height: 864 },
    quality: 'medium',
    background: 'opaque',
    format: 'png',
    images: [],
    safetyIdentifier: 'a1b2c3',
    ...changes,
  };
}
