import type { AttachmentLoader } from '../discord/attachments.ts';
import type { GuildCommand, Task } from '../discord/command.ts';
import { createProgressMessage } from '../discord/progress-message.ts';
import { describeRefusal } from '../discord/refusal-message.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText } from '../discord/result-message.ts';
import type { ImageJobs } from '../services/image-jobs.ts';
import type { ImageRequest, RequestAttachments } from '../services/image-request.ts';
import type { ModelRoster } from '../services/model-roster.ts';
import { readReplyAddress } from './image-options.ts';

/** What the commands that make images are built from. */
export type ImageCommandParts = {
  readonly jobs: ImageJobs;
  readonly roster: ModelRoster;
  readonly attachments: AttachmentLoader;
  readonly replies: ReplyEditor;
  readonly now: () => number;
};

/** Starts a job for a command: its first trace beside the acknowledgement, and everything else after it. */
export async function beginImageTask(
  parts: ImageCommandParts,
  interaction: GuildCommand,
  request: ImageRequest,
  attachments: RequestAttachments,
): Promise<Task> {
  const { jobs, replies, now } = parts;
  const job = await jobs.begin(request, readReplyAddress(interaction));
  if ('reason' in job) return { run: async () => replies.edit(interaction, renderText(describeRefusal(job))) };
  return {
    abandon: async () => jobs.abandon(job),
    run: async () => jobs.run(job, attachments, createProgressMessage({ target: interaction, replies, now })),
  };
}
