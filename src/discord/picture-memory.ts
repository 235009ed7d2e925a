import type { MessagePicture } from './message-pictures.ts';

/**
 * The pictures of messages from whose menus a form was opened. Discord shows Easel what other people posted only
 * together with the choice from the menu, and not once more when the form is sent.
 */
export type PictureMemory = {
  remember(messageId: string, pictures: readonly MessagePicture[]): void;
  recall(messageId: string): readonly MessagePicture[] | undefined;
};

const REMEMBERED_MESSAGES_MAX = 1_000;
/** Longer than a form can stay open, and well within the day for which an address of a picture lives. */
const REMEMBERED_MS = 60 * 60_000;

export function createPictureMemory(now: () => number): PictureMemory {
  const remembered = new Map<string, { readonly pictures: readonly MessagePicture[]; readonly until: number }>();
  return {
    remember(messageId, pictures) {
      remembered.delete(messageId);
      remembered.set(messageId, { pictures, until: now() + REMEMBERED_MS });
      const [oldest] = remembered.keys();
      if (remembered.size > REMEMBERED_MESSAGES_MAX && oldest !== undefined) remembered.delete(oldest);
    },
    recall(messageId) {
      const found = remembered.get(messageId);
      return found && found.until > now() ? found.pictures : undefined;
    },
  };
}
