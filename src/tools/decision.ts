import { userInfo } from 'node:os';
import { requireOption, UsageError } from './command-line.ts';

/** Who decides what is booked for a call, and why. Both stand in the entry. */
export type Decision = { readonly by: string; readonly reason: string };

const REASON_LENGTH_MAX = 500;

/** The options of every command that decides something. */
export const decisionOptions = {
  reason: { type: 'string' },
  guild: { type: 'string' },
  by: { type: 'string' },
} as const;

/** @throws {UsageError} when no reason is given, or one that is too long */
export function readDecision(values: { readonly reason?: string; readonly by?: string }): Decision {
  const reason = requireOption('reason', values.reason).trim();
  if (reason.length > REASON_LENGTH_MAX) throw new UsageError(`--reason takes ${REASON_LENGTH_MAX} characters`);
  return { reason, by: `operator ${values.by ?? userName()}` };
}

/** The name under which the operator is logged in; some containers know none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unnamed';
  }
}
