import type { Logger } from 'pino';
import type { DraftPress, EditDraft, EditDrafts } from '../services/edit-drafts.ts';
import type { ImageJobs } from '../services/image-jobs.ts';
import { WHOLE_REGION } from '../services/images/image-preparation.ts';
import type { Attached, ImageRequest } from '../services/image-request.ts';
import type { JobRefusal } from '../services/job-outcome.ts';
import { referenceOf } from '../services/job-reference.ts';
import type { OpenJob } from '../services/open-job.ts';
import type { AttachmentLoader } from './attachments.ts';
import type { Task } from './command.ts';
import type { ProgressMessages } from './progress-message.ts';
import { describeRefusal, describeRefusalWithReference } from './refusal-message.ts';
import { readAddress } from './reply-address.ts';
import type { ReplyEditor } from './reply-editor.ts';
import { renderText } from './message-payload.ts';
import { wordsFor } from './words.ts';

/** Makes jobs of edits whose members were first asked what may change. */
export type DraftedEdits = {
  /** What keeps the edit of a draft from beginning just now. The draft had better stay, with what was painted for it. */
  obstacleTo(draft: EditDraft, by: DraftPress): Promise<JobRefusal | undefined>;
  /**
   * Leaves the first trace of the job of a draft that was taken out.
   * @param by what it was taken by: its id is the job's, and its reply the place where everything is said
   * @param mask a painted one; the whole picture may change where there is none
   */
  begin(draft: EditDraft, by: DraftPress, mask: Buffer | undefined): Promise<Task>;
};

export function createDraftedEdits(parts: {
  jobs: ImageJobs;
  attachments: Pick<AttachmentLoader, 'load'>;
  replies: ReplyEditor;
  progress: ProgressMessages;
  log: Logger;
}): DraftedEdits {
  const { jobs, attachments, replies, progress, log } = parts;

  /** Nobody else is there to catch what nobody expected, and the reply is where it is told. */
  async function run(job: OpenJob, images: readonly Attached[], mask: Attached | undefined): Promise<void> {
    const { id, isSpoiler } = job.request;
    const address = readAddress(job.address);
    const words = wordsFor(address.locale);
    const { uploadLimitBytes } = address;
    // The question is answered, and its buttons would only be in the way. The job does not wait for their being gone.
    const begun = renderText(words.say('paint.begun'));
    const news = progress.open({ id, isSpoiler, target: address, uploadLimitBytes, words, begun });
    try {
      // It was counted when its member was asked what may change.
      await jobs.run(job, { images, mask }, news, true);
    } catch (error) {
      await news.close();
      const reference = referenceOf(id);
      log.error({ job: id, reference, err: error }, 'a drafted edit failed');
      await replies.edit(address, renderText(describeRefusal({ reason: 'bug', reference }, words)));
    } finally {
      await news.close();
    }
  }

  /** The link to the painter leads nowhere any more, and the message that told of it says so. */
  async function endLink({ invitation }: EditDraft, isPainted: boolean): Promise<void> {
    if (invitation?.linkMessage === undefined) return;
    const address = readAddress(invitation.address);
    const text = wordsFor(address.locale).say(isPainted ? 'paint.taken' : 'painter.over.title');
    await replies.editEphemeral(address, invitation.linkMessage, renderText(text));
  }

  async function beginJob(
    { request: asked, pictures }: EditDraft,
    { id, roles, address }: DraftPress,
    mask: Buffer | undefined,
  ): Promise<Task> {
    const region = mask ? undefined : WHOLE_REGION;
    const request: ImageRequest = { ...asked, id, roles, region };
    const job = await jobs.begin(request, address);
    if ('reason' in job) {
      const target = readAddress(address);
      const text = describeRefusalWithReference(job, request, wordsFor(target.locale));
      return { run: async () => replies.answer(target, renderText(text)) };
    }
    const images = pictures.map(({ label, url }) => ({ label, load: async () => attachments.load(url) }));
    const painted = mask && { label: 'mask', load: async () => mask, isPainted: true as const };
    return { run: async () => run(job, images, painted) };
  }

  return {
    obstacleTo: async ({ request }, { id, roles }) => jobs.obstacleTo({ ...request, id, roles }),
    async begin(draft, by, mask) {
      const task = await beginJob(draft, by, mask);
      return { run: async () => void (await Promise.all([task.run(), endLink(draft, mask !== undefined)])) };
    },
  };
}

/**
 * The same with a draft that is put back where nothing begins, so that whoever asked can ask again: a mask that somebody
 * painted is still on their page. It is taken out before, because only one of several can do that.
 */
export async function beginOrPutBack(
  { drafts, edits }: { readonly drafts: Pick<EditDrafts, 'putBack'>; readonly edits: DraftedEdits },
  draft: EditDraft,
  by: DraftPress,
  mask: Buffer | undefined,
): Promise<Task> {
  try {
    return await edits.begin(draft, by, mask);
  } catch (error) {
    await drafts.putBack(draft).catch((failure: unknown) => {
      throw new AggregateError([error, failure], 'an edit did not begin, and its draft is lost', {
        cause: error,
      });
    });
    throw error;
  }
}
