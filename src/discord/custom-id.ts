/**
 * What a button says when it is pressed: a version, a verb and the job that it is about. Nothing else, so that it means
 * the same after a restart and months later.
 */
export type ButtonId = { readonly verb: string; readonly jobId: string };

const VERSION = '1';
const PATTERN = /^easel:1:([a-z-]+):(\d{1,20})$/;

export function writeButtonId({ verb, jobId }: ButtonId): string {
  return ['easel', VERSION, verb, jobId].join(':');
}

/** Reads a button back; undefined where it is none of ours. */
export function readButtonId(customId: string): ButtonId | undefined {
  const [, verb, jobId] = PATTERN.exec(customId) ?? [];
  return verb === undefined || jobId === undefined ? undefined : { verb, jobId };
}
