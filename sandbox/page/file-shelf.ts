import type { EmulatedAttachment } from '../discord/message.ts';

/** Files that messages show, served to the page from its own origin: the emulated Discord's is a foreign one to it. */
export type FileShelf = {
  /** Answers the path under which the file is from now on. */
  readonly put: (attachment: EmulatedAttachment) => string;
  get(id: string): EmulatedAttachment | undefined;
};

export function createFileShelf(): FileShelf {
  // The emulator keeps every message and its files for as long as it runs, so this holds nothing longer than that.
  const files = new Map<string, EmulatedAttachment>();
  return {
    put(attachment) {
      files.set(attachment.id, attachment);
      return `/attachments/${attachment.channelId}/${attachment.id}/${encodeURIComponent(attachment.filename)}`;
    },
    get: (id) => files.get(id),
  };
}
