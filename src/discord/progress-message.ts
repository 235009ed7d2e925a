import { readFile } from 'node:fs/promises';
import type { JobProgress, Preview, ProgressState } from '../services/job-progress.ts';
import { VERB } from './button-verbs.ts';
import type { Upload } from './multipart.ts';
import { uploadFromBytes } from './multipart.ts';
import type { ReplyEditor, ReplyTarget } from './reply-editor.ts';
import type { MessagePayload } from './result-message.ts';
import { renderButtons, renderText, renderTextWithFiles } from './result-message.ts';
import type { Words } from './words.ts';
import { formatDuration, relativeTime } from './wording.ts';

/** News of the jobs that this process is at work on, each in the place where its result will be. */
export type ProgressMessages = {
  open(job: FollowedJob): JobProgress;
  /**
   * Says that a job was called off, through whoever pressed the button, and keeps all other news of it back. Does
   * nothing where there is no news of it any more, because then its result is under way.
   */
  sayCancelled(jobId: string, target: ReplyTarget, words: Words): void;
};

/** A job, where the news of it goes, and how large a file may be there. */
export type FollowedJob = {
  readonly id: string;
  readonly target: ReplyTarget;
  readonly uploadLimitBytes: number;
  readonly words: Words;
};

/** Discord slows down whoever edits a message more often. */
const EDIT_INTERVAL_MS = 2_000;

export function createProgressMessages(parts: { replies: ReplyEditor; now: () => number }): ProgressMessages {
  const open = new Map<string, ProgressMessage>();
  return {
    open(job) {
      const message = createProgressMessage({ ...parts, job });
      open.set(job.id, message);
      return {
        report: (state) => message.report(state),
        async close() {
          open.delete(job.id);
          await message.close();
        },
      };
    },
    sayCancelled(jobId, target, words) {
      open.get(jobId)?.sayLast(target, renderText(words.say('progress.cancelled-running')));
    },
  };
}

type ProgressMessage = JobProgress & {
  /** One last word, at once. */
  sayLast(target: ReplyTarget, payload: MessagePayload): void;
};

/**
 * Only the latest state is ever shown, no more than once in two seconds, and never after `close`, so that no late news
 * can cover the result.
 */
function createProgressMessage(parts: { job: FollowedJob; replies: ReplyEditor; now: () => number }): ProgressMessage {
  const { job, replies, now } = parts;
  let pending: ProgressState | undefined;
  let timer: NodeJS.Timeout | undefined;
  // The first two seconds belong to Discord's own "thinking": most news is old before anybody has read it.
  let lastEditAt = now();
  let editing: Promise<void> = Promise.resolve();
  let isEditing = false;
  let isClosed = false;

  function schedule(): void {
    if (isClosed || isEditing || timer || !pending) return;
    timer = setTimeout(show, Math.max(0, lastEditAt + EDIT_INTERVAL_MS - now()));
  }

  function show(): void {
    timer = undefined;
    const state = pending;
    pending = undefined;
    if (state) editing = edit(state);
  }

  async function edit(state: ProgressState): Promise<void> {
    isEditing = true;
    const { payload, uploads } = await renderProgress(job, state, now());
    await replies.edit(job.target, payload, uploads);
    isEditing = false;
    // An edit that Discord was slow to take, or took at the second attempt, counts from its end.
    lastEditAt = now();
    schedule();
  }

  function stop(): void {
    isClosed = true;
    clearTimeout(timer);
    pending = undefined;
  }

  return {
    report(state) {
      if (isClosed) return;
      pending = state;
      schedule();
    },
    sayLast(target, payload) {
      stop();
      editing = editing.then(async () => replies.edit(target, payload));
    },
    async close() {
      stop();
      await editing;
    },
  };
}

async function renderProgress(
  job: FollowedJob,
  state: ProgressState,
  now: number,
): Promise<{ payload: MessagePayload; uploads: readonly Upload[] }> {
  const { id, uploadLimitBytes, words } = job;
  const text = describeProgress(state, words, now);
  const preview = 'preview' in state ? await loadPreview(state.preview, uploadLimitBytes) : undefined;
  const picture = preview && { name: preview.name, altText: words.say('progress.preview') };
  const message = picture ? renderTextWithFiles(text, [], picture) : renderText(text);
  const cancel = renderButtons(id, [{ verb: VERB.cancel, label: words.say('progress.button.cancel') }]);
  return {
    payload: { ...message, components: [...message.components, cancel] },
    uploads: preview ? [preview] : [],
  };
}

/** Read whole, because the next picture may take its place on disk while this one is on its way. */
async function loadPreview(preview: Preview | undefined, uploadLimitBytes: number): Promise<Upload | undefined> {
  if (!preview || preview.sizeBytes > uploadLimitBytes) return undefined;
  const bytes = await readFile(preview.path).catch(() => undefined);
  const extension = preview.contentType.replace(/^image\//, '').replace('jpeg', 'jpg');
  return bytes && uploadFromBytes(`preview.${extension}`, preview.contentType, bytes);
}

function describeProgress(state: ProgressState, words: Words, now: number): string {
  switch (state.phase) {
    case 'waiting':
      return state.expectedMs === undefined
        ? words.say('progress.waiting', { ahead: state.ahead })
        : words.say('progress.waiting-expected', { ahead: state.ahead, turnAt: relativeTime(now + state.expectedMs) });
    case 'generating':
      return words.say('progress.generating', { since: relativeTime(state.since) });
    case 'provider-busy':
      return words.say('progress.busy', { wait: formatDuration(state.retryInMs, words) });
  }
}
