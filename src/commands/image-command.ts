import type { AttachmentLoader } from '../discord/attachments.ts';
import type { Deferral, GuildInteraction, Task } from '../discord/command.ts';
import type { Painting } from '../discord/painting.ts';
import type { ProgressMessages } from '../discord/progress-message.ts';
import { describeRefusalWithReference } from '../discord/refusal-message.ts';
import { addressOf } from '../discord/reply-address.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText } from '../discord/message-payload.ts';
import { wordsFor } from '../discord/words.ts';
import type { GuildSettingsStore } from '../services/guild-settings-store.ts';
import type { ImageJobs } from '../services/image-jobs.ts';
import type { ImageRequest, RequestAttachments } from '../services/image-request.ts';
import type { ModelRoster } from '../services/model-roster.ts';

/** What everything that makes images is built from. */
export type ImageCommandParts = {
  readonly jobs: ImageJobs;
  readonly roster: ModelRoster;
  readonly settings: Pick<GuildSettingsStore, 'read'>;
  readonly attachments: AttachmentLoader;
  readonly replies: ReplyEditor;
  readonly progress: ProgressMessages;
  /** Left out where the painter's page cannot be reached. */
  readonly painting: Painting | undefined;
};

/** Who sees that a request is being answered, and in the end the answer. */
export function replyTo({ isPrivate }: Pick<ImageRequest, 'isPrivate'>): 'private-reply' | 'public-reply' {
  return isPrivate ? 'private-reply' : 'public-reply';
}

/** A job as an answer: "thinking" to whom it is for, and the result in its place. */
export function answerWithImages(
  parts: ImageCommandParts,
  interaction: GuildInteraction,
  request: ImageRequest,
  attachments: RequestAttachments,
): Deferral {
  return {
    first: replyTo(request),
    begin: async () => beginImageTask(parts, interaction, request, attachments),
  };
}

/**
 * Starts a job: its first trace beside the acknowledgement, and everything else after it.
 * @param isCounted whether the request was checked before
 */
export async function beginImageTask(
  parts: ImageCommandParts,
  interaction: GuildInteraction,
  request: ImageRequest,
  attachments: RequestAttachments,
  isCounted = false,
): Promise<Task> {
  const { jobs, replies, progress } = parts;
  const words = wordsFor(interaction.locale);
  const job = await jobs.begin(request, addressOf(interaction));
  if ('reason' in job) {
    return {
      run: async () => replies.answer(interaction, renderText(describeRefusalWithReference(job, request, words))),
    };
  }
  const { id, isSpoiler } = request;
  const uploadLimitBytes = interaction.attachmentSizeLimit;
  return {
    abandon: async () => jobs.abandon(job),
    async run() {
      const news = progress.open({ id, isSpoiler, target: interaction, uploadLimitBytes, words });
      try {
        await jobs.run(job, attachments, news, isCounted);
      } finally {
        // Where something went wrong that nobody expected, no news may cover the word of it.
        await news.close();
      }
    },
  };
}
