/** What the tests of the emulated provider share: a started provider, the real SDK on it, and small pictures. */
import type { TestContext } from 'node:test';
import OpenAI, { toFile } from 'openai';
import type { Uploadable } from 'openai/uploads';
import type { Color, Sharp } from 'sharp';
import sharp from 'sharp';
import { z } from 'zod';
import type { EmulatedProvider } from '../../../sandbox/provider/emulated-provider.ts';
import { createEmulatedProvider } from '../../../sandbox/provider/emulated-provider.ts';
import type { EmulatedProviderOptions } from '../../../sandbox/provider/provider-options.ts';

export type StartedProvider = { readonly provider: EmulatedProvider; readonly client: OpenAI };

/** A provider that closes after the test, which fails if the emulator itself did. */
export async function startProvider(
  test: TestContext,
  options: EmulatedProviderOptions = {},
): Promise<StartedProvider> {
  const provider = await createEmulatedProvider(options);
  test.after(() => provider.close());
  return { provider, client: new OpenAI({ apiKey: provider.apiKey, baseURL: provider.baseUrl, maxRetries: 0 }) };
}

/** A request past the SDK, for what the SDK would not send. */
export async function post(
  provider: EmulatedProvider,
  path: string,
  body: FormData | object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const isForm = body instanceof FormData;
  return fetch(provider.baseUrl + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${provider.apiKey}`,
      ...(isForm ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: isForm ? body : JSON.stringify(body),
  });
}

const refusedAnswer = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
    moderation_details: z.strictObject({ moderation_stage: z.enum(['input', 'output']) }).optional(),
  }),
});

/** The error object of a refused answer, whose body must have exactly the wire's shape. */
export async function errorOf(response: Response): Promise<z.infer<typeof refusedAnswer>['error']> {
  return refusedAnswer.parse(await response.json()).error;
}

/** A plain picture of one colour. */
export function plain(width: number, height: number, background: Color = '#3a7'): Sharp {
  return sharp({ create: { width, height, channels: 3, background } });
}

/** A PNG of opaque black whose left half is transparent. */
export async function halfMask(width: number, height: number): Promise<Buffer> {
  const hole = Buffer.from(
    `<svg width="${width}" height="${height}"><rect width="${width / 2}" height="${height}"/></svg>`,
  );
  return plain(width, height, '#000')
    .ensureAlpha()
    .composite([{ input: hole, blend: 'dest-out' }])
    .png()
    .toBuffer();
}

export async function pngUpload(bytes: Buffer, name = 'picture.png'): Promise<Uploadable> {
  return toFile(bytes, name, { type: 'image/png' });
}

/** Decodes the only image of an answer. */
export function imageBytes(answer: OpenAI.ImagesResponse, index = 0): Buffer {
  const encoded = answer.data?.[index]?.b64_json;
  if (encoded === undefined) throw new Error(`the answer has no image ${index}`);
  return Buffer.from(encoded, 'base64');
}
