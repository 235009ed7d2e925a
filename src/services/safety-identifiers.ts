import { createHmac } from 'node:crypto';

/** The same member always has the same identifier, and nobody without the key can tell whose it is. */
export function createSafetyIdentifiers(key: string): (member: string) => string {
  return (member) => createHmac('sha256', key).update(`safety-identifier:${member}`).digest('hex');
}
