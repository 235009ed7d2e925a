import * as z from 'zod';
import { changeValue } from '../storage/change-value.ts';
import type { Store } from '../storage/store.ts';
import { UnreadableValue } from '../storage/store.ts';
import { imageRequestSchema } from './image-request.ts';
import { REPLY_LIFETIME_MS } from './open-job.ts';

/**
 * Edits that wait for their masks to be painted. Nothing is held or paid for them; they are forgotten after a quarter of
 * an hour, and each becomes a job once at most, however often that is asked for.
 */
export type EditDrafts = {
  /** @throws {StoreFailure} where the store fails */
  open(draft: NewDraft): Promise<EditDraft>;
  /**
   * Notes from which press of the button the mask will come: only the link that came of the last one holds, and it
   * ends early enough for an edit that need not wait in line to be made while the reply to that press can be edited.
   */
  invite(guild: string, id: string, press: DraftPress): Promise<InvitedDraft | undefined>;
  /** Notes which message has told of the link, as long as no other press has followed. */
  noteLink(guild: string, id: string, invitedBy: string, message: string): Promise<void>;
  /** Undefined where there is no such draft, or none any more. */
  read(guild: string, id: string): Promise<EditDraft | undefined>;
  /** The same for whoever has a link, and only as long as the link of that press holds. */
  readInvited(guild: string, id: string, invitedBy: string): Promise<InvitedDraft | undefined>;
  /** Takes a draft out, for whoever is first. */
  take(guild: string, id: string): Promise<EditDraft | undefined>;
  /** The same for whoever has a link, and only as long as the link of that press holds. */
  takeInvited(guild: string, id: string, invitedBy: string): Promise<InvitedDraft | undefined>;
  /** Puts one back as it was, for whoever took it out and could not begin with it. */
  putBack(draft: EditDraft): Promise<void>;
};

/** A press of a button under the question what may change. */
const pressSchema = z.object({
  /** The id of the press, under which the job will run: a new interaction is a new job. */
  id: z.string(),
  /** The member's roles at that moment. */
  roles: z.array(z.string()),
  /** Where the answer to that press goes, which is the reply that asked. */
  address: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

const invitationSchema = pressSchema.extend({
  /** When its link ends, in milliseconds since the epoch. One that was stored without an end is asked for again. */
  until: z.number().default(0),
  /** The message that has told of the link. */
  linkMessage: z.string().optional(),
});

const draftSchema = z.object({
  request: imageRequestSchema,
  /** The pictures as they were attached, by the names of their options. Their addresses outlive the draft. */
  pictures: z.array(z.object({ label: z.string(), url: z.string() })),
  /** When it is forgotten, in milliseconds since the epoch. */
  until: z.number(),
  invitation: invitationSchema.optional(),
});

export type EditDraft = z.infer<typeof draftSchema>;
export type NewDraft = Omit<EditDraft, 'until' | 'invitation'>;
export type DraftPress = z.infer<typeof pressSchema>;
export type InvitedDraft = EditDraft & { readonly invitation: z.infer<typeof invitationSchema> };

/** All drafts of a server are one value, so that old ones go when new ones come. */
const draftsSchema = z.array(draftSchema);

/** A draft outlasts its link, so that whoever has painted for too long can press again. */
const DRAFT_MS = 15 * 60_000;
/** For so long a call may take at the provider, unless the operator has decided otherwise. */
const CALL_MS = 5 * 60_000;
/** Whoever finishes a mask at the last moment, and need not wait in line, gets the result in the reply that asked for it. */
const LINK_MS = REPLY_LIFETIME_MS - CALL_MS;
/** Whoever opens more loses their oldest ... */
const DRAFTS_OF_MEMBER_MAX = 5;
/** ... and where a whole server does, so does the server. */
const DRAFTS_MAX = 50;

const draftsKey = (guild: string): string => `edit-drafts:{${guild}}`;

export function createEditDrafts(parts: {
  store: Store;
  now: () => number;
  random: () => number;
  sleep: (ms: number) => Promise<unknown>;
}): EditDrafts {
  const { store, now } = parts;

  /** The drafts that have not ended, of a server's value as it was stored. */
  function understand(guild: string, stored: unknown): readonly EditDraft[] {
    const parsed = draftsSchema.safeParse(stored ?? []);
    if (!parsed.success) throw new UnreadableValue(draftsKey(guild), { cause: parsed.error });
    return parsed.data.filter(({ until }) => until > now());
  }

  /** Changes a server's drafts; what the change answers is answered. */
  async function change<Answer>(
    guild: string,
    edit: (drafts: readonly EditDraft[]) => { readonly drafts: readonly EditDraft[]; readonly answer: Answer },
  ): Promise<Answer> {
    return changeValue(parts, draftsKey(guild), (stored: unknown) => {
      const { drafts, answer } = edit(understand(guild, stored));
      return { next: drafts, answer };
    });
  }

  /** The draft that the link of a press is for, as long as that link holds. */
  function findInvited(drafts: readonly EditDraft[], id: string, invitedBy: string): InvitedDraft | undefined {
    const found = drafts.find(({ request }) => request.id === id);
    const invitation = found?.invitation;
    if (!found || invitation?.id !== invitedBy || invitation.until <= now()) return undefined;
    return { ...found, invitation };
  }

  return {
    open: async (asked) =>
      change(asked.request.guild, (drafts) => {
        const draft: EditDraft = { ...asked, until: now() + DRAFT_MS };
        const { member } = asked.request;
        const own = drafts.filter(({ request }) => request.member === member);
        const tooMany = new Set(own.slice(0, Math.max(0, own.length + 1 - DRAFTS_OF_MEMBER_MAX)));
        const kept = drafts.filter((other) => !tooMany.has(other));
        return { drafts: [...kept, draft].slice(-DRAFTS_MAX), answer: draft };
      }),
    invite: async (guild, id, press) =>
      change(guild, (drafts) => {
        const found = drafts.find(({ request }) => request.id === id);
        const invitation = { ...press, until: now() + LINK_MS };
        const invited = found && { ...found, invitation, until: now() + DRAFT_MS };
        return { drafts: drafts.map((draft) => (draft === found && invited ? invited : draft)), answer: invited };
      }),
    noteLink: async (guild, id, invitedBy, linkMessage) =>
      change(guild, (drafts) => {
        const noted = drafts.map((draft) => {
          const { request, invitation } = draft;
          const isMeant = request.id === id && invitation?.id === invitedBy;
          return isMeant ? { ...draft, invitation: { ...invitation, linkMessage } } : draft;
        });
        return { drafts: noted, answer: undefined };
      }),
    async read(guild, id) {
      const stored = await store.read(draftsKey(guild));
      return understand(guild, stored?.value).find(({ request }) => request.id === id);
    },
    async readInvited(guild, id, invitedBy) {
      const stored = await store.read(draftsKey(guild));
      return findInvited(understand(guild, stored?.value), id, invitedBy);
    },
    take: async (guild, id) =>
      change(guild, (drafts) => {
        const found = drafts.find(({ request }) => request.id === id);
        return { drafts: drafts.filter((draft) => draft !== found), answer: found };
      }),
    takeInvited: async (guild, id, invitedBy) =>
      change(guild, (drafts) => {
        const found = findInvited(drafts, id, invitedBy);
        return { drafts: found ? drafts.filter(({ request }) => request.id !== id) : drafts, answer: found };
      }),
    putBack: async (draft) =>
      change(draft.request.guild, (drafts) => ({ drafts: [...drafts, draft].slice(-DRAFTS_MAX), answer: undefined })),
  };
}
