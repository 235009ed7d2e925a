/** Long enough that no two requests of a month are likely to share one, short enough to be read out. */
const REFERENCE_LENGTH = 8;

/**
 * What a member names when asking the operator about a request: the end of the id under which every line of the log
 * speaks of it, so that whoever searches the log for the one finds the other.
 */
export function referenceOf(id: string): string {
  return id.slice(-REFERENCE_LENGTH);
}
