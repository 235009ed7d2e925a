import * as z from 'zod';
import { MASK_SOURCES } from './images/image-masks.ts';
import { BACKGROUNDS, IMAGE_FORMATS, INPUT_FIDELITIES, QUALITIES } from './providers/image-provider.ts';

const pictureSchema = z.object({
  file: z.string(),
  contentType: z.enum(['image/png', 'image/jpeg', 'image/webp']),
  width: z.number(),
  height: z.number(),
});

export const callPlanSchema = z.object({
  model: z.string(),
  width: z.number(),
  height: z.number(),
  quality: z.enum(QUALITIES),
  background: z.enum(BACKGROUNDS),
  format: z.enum(IMAGE_FORMATS),
  fidelity: z.enum(INPUT_FIDELITIES).optional(),
  images: z.array(pictureSchema),
  mask: pictureSchema.optional(),
  /** The file whose pixels come back outside the mask; left out where none do. */
  keptFrom: z.string().optional(),
  /** What the mask was taken for, and the share of the picture that may change, between 0 and 1. */
  masked: z.object({ by: z.enum(MASK_SOURCES), coveredShare: z.number() }).optional(),
  firstFrameOnly: z.boolean(),
  /** How many unfinished pictures the provider is asked for on the way; left out where none. */
  partialImages: z.number().optional(),
  /** The model that was asked for, where another one had to take its place. */
  replacedModel: z.string().optional(),
  /** The ceiling that is held, in nano-dollars. */
  estimate: z.number(),
});

/** The call in every detail. Pictures are files of the job's folder. */
export type CallPlan = z.infer<typeof callPlanSchema>;
