import type { Deferral } from './command.ts';
import { answerAfterwards } from './command.ts';
import type { ReplyTarget } from './message-requests.ts';
import type { ReplyEditor } from './reply-editor.ts';
import { renderText } from './message-payload.ts';

/** A few words to whoever acted, and to nobody else. */
export function answerEphemerally(replies: ReplyEditor, target: ReplyTarget, text: string): Deferral {
  return answerAfterwards('private-reply', async () => replies.answer(target, renderText(text)));
}
