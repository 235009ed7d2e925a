import type { EditDrafts, InvitedDraft } from '../services/edit-drafts.ts';
import type { PaintTicket } from '../services/paint-links.ts';
import type { LentPicture, PaintPictures } from '../services/paint-pictures.ts';
import type { DraftedEdits } from './drafted-edits.ts';
import { beginOrPutBack } from './drafted-edits.ts';
import { readAddress } from './reply-address.ts';
import type { Words } from './words.ts';
import { wordsFor } from './words.ts';

/** What the painter's page is about, as long as its link holds. */
export type PaintOrder = {
  /** The language of whoever paints. */
  readonly words: Words;
  readonly prompt: string;
  /** When the link ends, in milliseconds since the epoch. */
  readonly until: number;
};

/** What the painter's page paints on, and what becomes of the mask. All of it rejects where the store fails. */
export type PaintDesk = {
  /** Undefined where the link was used, has run out, or was followed by another. */
  read(ticket: PaintTicket): Promise<PaintOrder | undefined>;
  /** The very pixels that a mask of the same size will belong to; undefined where they cannot be had. */
  picture(ticket: PaintTicket): Promise<LentPicture | 'busy' | undefined>;
  /**
   * Begins the edit, once; what comes of it is told in Discord. `over` where somebody was faster or the link does not
   * hold any more, and `not-now` where it can be asked again a little later. Rejects where it did not begin, and can be
   * asked again then as well.
   */
  begin(ticket: PaintTicket, mask: Buffer): Promise<'begun' | 'over' | 'not-now'>;
  /** No further edits are begun; resolves when those that were have ended. */
  drain(): Promise<void>;
};

export function createPaintDesk(parts: {
  drafts: EditDrafts;
  pictures: PaintPictures;
  edits: DraftedEdits;
}): PaintDesk {
  const { drafts, pictures } = parts;
  const active = new Set<Promise<unknown>>();
  let isClosed = false;

  /** Keeps the process from ending before something has. */
  async function follow<Result>(work: Promise<Result>): Promise<Result> {
    active.add(work);
    try {
      return await work;
    } finally {
      active.delete(work);
    }
  }

  async function find({ guild, draft, press }: PaintTicket): Promise<InvitedDraft | undefined> {
    return drafts.readInvited(guild, draft, press);
  }

  async function begin(ticket: PaintTicket, mask: Buffer): Promise<'begun' | 'over' | 'not-now'> {
    const found = await find(ticket);
    if (!found) return 'over';
    // Told in Discord it would end the edit, and what was painted would be gone with the page.
    if (await parts.edits.obstacleTo(found, found.invitation)) return 'not-now';
    const { guild, draft, press } = ticket;
    const taken = await drafts.takeInvited(guild, draft, press);
    if (!taken) return 'over';
    const task = await beginOrPutBack(parts, taken, taken.invitation, mask);
    // It tells of its own end, whatever that is, and whoever painted need not wait for it.
    void follow(task.run());
    return 'begun';
  }

  return {
    async read(ticket) {
      const found = await find(ticket);
      if (!found) return undefined;
      const { prompt } = found.request;
      const { address, until } = found.invitation;
      return { words: wordsFor(readAddress(address).locale), prompt, until };
    },
    async picture(ticket) {
      const [first] = (await find(ticket))?.pictures ?? [];
      return first && pictures.lend(first.url);
    },
    begin: async (ticket, mask) => (isClosed ? 'not-now' : follow(begin(ticket, mask))),
    async drain() {
      isClosed = true;
      // What is beginning right now goes on to run.
      while (active.size > 0) await Promise.allSettled(active);
    },
  };
}
