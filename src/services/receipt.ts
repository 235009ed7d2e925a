import * as z from 'zod';
import { PROVIDER_FAILURE_KINDS } from './providers/image-provider.ts';

export const receiptSchema = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('made'),
    /** How many images arrived whole. */
    imageCount: z.number(),
    /** How many the provider made; older receipts do not tell. */
    madeCount: z.number().optional(),
    /** Set where the answer was cut off behind these images: how many were made, and for how much, was not told. */
    isCutOff: z.literal(true).optional(),
    /** The provider's usage object as it was sent; left out where the provider left it out. */
    usage: z.unknown().optional(),
    requestId: z.string().optional(),
  }),
  z.object({
    outcome: z.literal('failed'),
    kind: z.enum(PROVIDER_FAILURE_KINDS),
    charged: z.enum(['no', 'unknown']),
    stage: z.enum(['input', 'output']).optional(),
    /** What the answer told of its price, where it brought no image and did not call that an error. */
    toldPrice: z.object({ madeCount: z.number(), usage: z.unknown() }).optional(),
    requestId: z.string().optional(),
  }),
]);

/** What came of the call to the provider. */
export type Receipt = z.infer<typeof receiptSchema>;
export type MadeReceipt = Extract<Receipt, { outcome: 'made' }>;
export type FailedReceipt = Extract<Receipt, { outcome: 'failed' }>;
