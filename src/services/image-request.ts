import * as z from 'zod';
import { MASK_MARKS } from './images/image-preparation.ts';

/**
 * What a member asked for, as plain data: it is written to disk before anything is paid, so that whoever comes after
 * a crash knows what was wanted. `auto` and undefined are resolved later, against the model.
 */
export const imageRequestSchema = z.object({
  /** The id of the interaction, which is also the id of the transfer in the ledger. */
  id: z.string(),
  guild: z.string(),
  member: z.string(),
  /** The member's roles at the moment of asking: limits and permissions go by them. */
  roles: z.array(z.string()),
  operation: z.enum(['generate', 'edit']),
  prompt: z.string(),
  model: z.string().optional(),
  /** `auto`, or width and height in pixels as `1536x1024`. */
  size: z.string().optional(),
  quality: z.string().optional(),
  count: z.number(),
  background: z.string().optional(),
  format: z.string().optional(),
  fidelity: z.string().optional(),
  /** A ready-made mask, or `whole` where even a picture that is transparent in places is to be changed as a whole. */
  region: z.string().optional(),
  /** Which part of a black-and-white mask may change; left out where the mask itself has to tell. */
  maskMarks: z.enum(MASK_MARKS).optional(),
  /** Put the original's pixels back outside the mask. Means something only where there is a mask. */
  keepOutside: z.boolean(),
  isPrivate: z.boolean(),
  /** Whether the pictures are to be covered until somebody looks. */
  isSpoiler: z.boolean().default(false),
  /** Set where it was asked for in the form for edits, in which choices are called otherwise than in a command. */
  isFromEditForm: z.literal(true).optional(),
  /** The message with the picture that this one is made from, where it stands in the same server. */
  origin: z
    .object({
      channel: z.string(),
      message: z.string(),
      /** Which of its pictures, counted from 0. */
      picture: z.number().default(0),
    })
    .optional(),
});

export type ImageRequest = z.infer<typeof imageRequestSchema>;

/** A picture that came with a request, and the name by which its sender knows it. */
export type Attached = {
  readonly label: string;
  /** Downloads it, once, into memory that is the caller's from then on. Answers a refusal where it cannot be had. */
  readonly load: () => Promise<Buffer | AttachmentRefusal>;
  /** Whether it is a mask that was painted on the picture, whose form its painter has not seen. */
  readonly isPainted?: true;
};

export type AttachmentRefusal = {
  readonly refused: 'foreign-origin' | 'gone' | 'too-large' | 'unreachable';
  readonly limitBytes?: number;
};

export type RequestAttachments = { readonly images: readonly Attached[]; readonly mask: Attached | undefined };
