import type { EmulatedMessage } from './discord/message.ts';
import { renderMessage } from './discord/render.ts';

/** How the texts begin that Easel shows on the way to an answer. A private one stands below a note that it is private. */
const PROGRESS_PATTERN =
  /^(In line|Your pictures wait|Your edit is on its way|The provider is (?:at work|busy);|Cancelled\. The provider had already started)/m;

/** Whether a message is the answer itself, and not news on the way to it. */
export function isFinal(message: EmulatedMessage): boolean {
  return !PROGRESS_PATTERN.test(renderMessage(message));
}
