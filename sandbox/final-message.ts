import type { EmulatedMessage } from './discord/message.ts';
import { renderMessage } from './discord/render.ts';

/** The first words of the texts that Easel shows on the way to an answer. */
const PROGRESS_PATTERN = /^(In line|The provider is (?:at work|busy))/;

/** Whether a message is the answer itself, and not news on the way to it. */
export function isFinal(message: EmulatedMessage): boolean {
  return !PROGRESS_PATTERN.test(renderMessage(message));
}
