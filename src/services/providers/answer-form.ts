/** How the body of an answer is written: as one piece of JSON, or as a stream of events. */
export type AnswerForm = 'json' | 'events';

const EVENT_STREAM_TYPE = /^\s*text\/event-stream\b/i;

/** What a line of an event stream begins with; a comment has nothing before its colon. */
const EVENT_FIELDS = ['data:', 'event:', 'id:', 'retry:', ':'];
const EVENT_FIELD_LENGTH_MAX = 6;

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const HIGHEST_WHITESPACE = 0x20;
const BYTE_ORDER_MARK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);

/**
 * Tells by its first bytes what an answer is. Gateways stream under any type or none, whole answers come under that of
 * streams, and either may come to whoever asked for the other; what was paid for is in it all the same.
 * @param label the content type, which is believed where the bytes say neither
 * @returns undefined as long as there is nothing but whitespace, and where in the bytes the answer begins
 */
export function recognizeForm(
  bytes: Buffer,
  label: string | null,
): { readonly form: AnswerForm; readonly start: number } | undefined {
  const start = bytes.findIndex((byte) => byte > HIGHEST_WHITESPACE && !BYTE_ORDER_MARK.has(byte));
  if (start < 0) return undefined;
  const isJson = bytes[start] === OPEN_BRACE || bytes[start] === OPEN_BRACKET;
  if (isJson) return { form: 'json', start };
  const beginning = bytes.toString('latin1', start, start + EVENT_FIELD_LENGTH_MAX);
  const isEvents = EVENT_FIELDS.some((field) => beginning.startsWith(field) || field.startsWith(beginning));
  return { form: isEvents || EVENT_STREAM_TYPE.test(label ?? '') ? 'events' : 'json', start };
}
