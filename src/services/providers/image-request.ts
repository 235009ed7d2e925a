import type { Images } from 'openai/resources/images';
import type { ImageCall } from './image-provider.ts';
import { writeSize } from './image-sizes.ts';
import type { FormField } from './multipart-upload.ts';

/** A parameter whose value asks for nothing but what OpenAI does without it. Its price does not depend on it either. */
export type DispensableParameter = 'background' | 'output_format' | 'safety_identifier';

/** What may be left out of a call where a provider does not know it, and nobody notices. */
export function listDispensable({ background, format }: ImageCall): readonly DispensableParameter[] {
  return [
    ...(background === 'auto' ? (['background'] as const) : []),
    ...(format === 'png' ? (['output_format'] as const) : []),
    'safety_identifier',
  ];
}

/**
 * The body of a call without pictures. Nothing is sent that the GPT Image models refuse, like `response_format`.
 * @param partialImages how many unfinished pictures to stream on the way; 0 for a whole answer
 * @param omitted what is left out because the provider does not know it
 */
export function toGenerateParameters(
  call: ImageCall,
  partialImages: number,
  omitted: ReadonlySet<DispensableParameter>,
): Images.ImageGenerateParams {
  return {
    model: call.model,
    prompt: call.prompt,
    n: call.count,
    size: writeSize(call.size),
    quality: call.quality,
    ...(omitted.has('background') ? {} : { background: call.background }),
    ...(omitted.has('output_format') ? {} : { output_format: call.format }),
    ...(omitted.has('safety_identifier') ? {} : { safety_identifier: call.safetyIdentifier }),
    ...(partialImages > 0 ? { stream: true, partial_images: partialImages } : {}),
  };
}

/**
 * The form of a call with pictures, named as in OpenAI's description of `/images/edits`.
 * @param partialImages how many unfinished pictures to stream on the way; 0 for a whole answer
 * @param omitted what is left out because the provider does not know it
 */
export function toEditFields(
  call: ImageCall,
  partialImages: number,
  omitted: ReadonlySet<DispensableParameter>,
): readonly FormField[] {
  const texts: readonly FormField[] = [
    { name: 'model', value: call.model },
    { name: 'prompt', value: call.prompt },
    { name: 'n', value: String(call.count) },
    { name: 'size', value: writeSize(call.size) },
    { name: 'quality', value: call.quality },
  ];
  const dispensable = (
    [
      { name: 'background', value: call.background },
      { name: 'output_format', value: call.format },
      { name: 'safety_identifier', value: call.safetyIdentifier },
    ] as const
  ).filter(({ name }) => !omitted.has(name));
  const fidelity: readonly FormField[] =
    call.fidelity === undefined ? [] : [{ name: 'input_fidelity', value: call.fidelity }];
  const stream: readonly FormField[] =
    partialImages === 0
      ? []
      : [
          { name: 'stream', value: 'true' },
          { name: 'partial_images', value: String(partialImages) },
        ];
  // Some versions of the LiteLLM proxy refuse `image[]`, so a single picture does without the brackets.
  const imageName = call.images.length === 1 ? 'image' : 'image[]';
  const images: readonly FormField[] = call.images.map((file) => ({ name: imageName, file }));
  const mask: readonly FormField[] = call.mask === undefined ? [] : [{ name: 'mask', file: call.mask }];
  return [...texts, ...dispensable, ...fidelity, ...stream, ...images, ...mask];
}
