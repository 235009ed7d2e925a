import type { Charge, MovementType, RequestDetails } from '../../src/billing/guild-account.ts';

/** A request as the journal tells it. */
export const details: RequestDetails = {
  member: 'mira',
  model: 'gpt-image-2',
  size: '1024x1024',
  quality: 'medium',
  count: 1,
  promptSha256: '0'.repeat(64),
};

export function chargeOf(cost: number, requestId = 'req_1'): Charge {
  return { cost, usage: { output_tokens: cost }, priceVersion: 'test', rule: 'tokens', requestId };
}

/** Every movement there is, so that tables of movements can be checked for gaps. */
export const movementTypes: readonly MovementType[] = [
  'reserve',
  'dispatch',
  'post',
  'void',
  'unknown',
  'release',
  'adjust',
];
