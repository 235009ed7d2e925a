import { hash } from 'node:crypto';

/** By this a prompt can be recognised in the journal of somebody who knows it, and not read by somebody who does not. */
export function promptSha256(prompt: string): string {
  return hash('sha256', prompt, 'hex');
}
