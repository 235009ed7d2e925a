import type { MessagePicture } from './message-pictures.ts';

/**
 * The pictures of messages from whose menus a form was opened. Discord shows Easel what other people posted only
 * together with the choice from the menu, and not once more when the form is sent. They are remembered with their
 * channel, so that a form that somebody made up brings nobody a picture of a channel that they cannot see.
 */
export type PictureMemory = {
  remember(place: RememberedPlace, pictures: readonly MessagePicture[]): void;
  recall(place: RememberedPlace): readonly MessagePicture[] | undefined;
};

/** A message by the ids of its channel and its own. */
type RememberedPlace = { readonly channel: string; readonly message: string };

const REMEMBERED_MESSAGES_MAX = 1_000;
/** Longer than a form can stay open, and well within the day for which an address of a picture lives. */
const REMEMBERED_MS = 60 * 60_000;

export function createPictureMemory(now: () => number): PictureMemory {
  const remembered = new Map<string, { readonly pictures: readonly MessagePicture[]; readonly until: number }>();
  return {
    remember(place, pictures) {
      const key = keyOf(place);
      remembered.delete(key);
      remembered.set(key, { pictures, until: now() + REMEMBERED_MS });
      const [oldest] = remembered.keys();
      if (remembered.size > REMEMBERED_MESSAGES_MAX && oldest !== undefined) remembered.delete(oldest);
    },
    recall(place) {
      const found = remembered.get(keyOf(place));
      return found && found.until > now() ? found.pictures : undefined;
    },
  };
}

function keyOf({ channel, message }: RememberedPlace): string {
  return `${channel}/${message}`;
}
