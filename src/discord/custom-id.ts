/**
 * What a button or a form says when it is used: a version, a verb, and the job or message that it is about. Nothing
 * else, so that it means the same after a restart and months later.
 */
export type CustomId = { readonly verb: string; readonly id: string };

const PREFIX = 'easel:';
const VERSION = '1';
const PATTERN = /^easel:1:([a-z-]+):(\d{1,20})$/;

export function writeCustomId({ verb, id }: CustomId): string {
  return `${PREFIX}${VERSION}:${verb}:${id}`;
}

/** Reads it back; `unreadable` where it is ours but not as they are now, and undefined where it is none of ours. */
export function readCustomId(customId: string): CustomId | 'unreadable' | undefined {
  if (!customId.startsWith(PREFIX)) return undefined;
  const [, verb, id] = PATTERN.exec(customId) ?? [];
  return verb === undefined || id === undefined ? 'unreadable' : { verb, id };
}
