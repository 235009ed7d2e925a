import * as z from 'zod';
import { changeValue } from '../storage/change-value.ts';
import type { Store } from '../storage/store.ts';
import { UnreadableValue } from '../storage/store.ts';
import { imageRequestSchema } from './image-request.ts';

/**
 * Edits that wait for their masks to be painted. Nothing is held or paid for them; they are forgotten after a quarter of
 * an hour, and each becomes a job once at most, however often that is asked for.
 */
export type EditDrafts = {
  /** @throws {StoreFailure} where the store fails */
  open(draft: NewDraft): Promise<EditDraft>;
  /**
   * Notes from which press of the button the mask will come: only the link that came of the last one holds, and it
   * holds for as long as that press can be answered.
   */
  invite(guild: string, id: string, invitation: Invitation): Promise<EditDraft | undefined>;
  /** Notes which message has told of the link, as long as no other press has followed. */
  noteLink(guild: string, id: string, invitedBy: string, message: string): Promise<void>;
  /** Undefined where there is no such draft, or none any more. */
  read(guild: string, id: string): Promise<EditDraft | undefined>;
  /**
   * Takes a draft out, for whoever is first.
   * @param invitedBy the press from which its mask comes, which has to be the last one; left out where none does
   */
  take(guild: string, id: string, invitedBy?: string): Promise<EditDraft | undefined>;
  /** Puts one back as it was, for whoever took it out and could not begin with it. */
  putBack(draft: EditDraft): Promise<void>;
};

const invitationSchema = z.object({
  /** The id of the press, under which the job will run: a new interaction is a new job. */
  id: z.string(),
  /** The member's roles at that moment. */
  roles: z.array(z.string()),
  /** Where the answer to that press goes, which is the reply that asked. */
  address: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
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
export type Invitation = z.infer<typeof invitationSchema>;

/** All drafts of a server are one value, so that old ones go when new ones come. */
const draftsSchema = z.array(draftSchema);

const DRAFT_MS = 15 * 60_000;
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
    invite: async (guild, id, invitation) =>
      change(guild, (drafts) => {
        const found = drafts.find(({ request }) => request.id === id);
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
    take: async (guild, id, invitedBy) =>
      change(guild, (drafts) => {
        const found = drafts.find(({ request, invitation }) => {
          return request.id === id && (invitedBy === undefined || invitation?.id === invitedBy);
        });
        return { drafts: drafts.filter((draft) => draft !== found), answer: found };
      }),
    putBack: async (draft) =>
      change(draft.request.guild, (drafts) => ({ drafts: [...drafts, draft].slice(-DRAFTS_MAX), answer: undefined })),
  };
}
