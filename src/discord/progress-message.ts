import { readFile } from 'node:fs/promises';
import type { JobProgress, Preview, ProgressState } from '../services/job-progress.ts';
import { extensionOf } from '../services/picture-names.ts';
import { within } from '../services/time-limit.ts';
import { VERB } from './button-verbs.ts';
import type { Upload } from './multipart.ts';
import { uploadFromBytes } from './multipart.ts';
import type { ReplyTarget } from './message-requests.ts';
import type { ReplyEditor } from './reply-editor.ts';
import type { MessagePayload } from './message-payload.ts';
import { renderButtons, renderText, renderTextWithFiles, withBelow } from './message-payload.ts';
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
  /** Whether its pictures are covered until somebody looks: a preview shows what the result will. */
  readonly isSpoiler: boolean;
  readonly target: ReplyTarget;
  readonly uploadLimitBytes: number;
  readonly words: Words;
  /** Shown at once, where something stands in the place of the result that has had its time. */
  readonly begun?: MessagePayload;
};

/** Discord slows down whoever edits a message more often. */
const EDIT_INTERVAL_MS = 2_000;
/** A result that is there waits for the news before it no longer than this. */
const LAST_NEWS_WAIT_MS_MAX = 5_000;
/** What Discord has not answered by then is given up. A preview is megabytes, which take their time on a slow line. */
const ANSWER_WAIT_MS_MAX = 30_000;

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
          return message.close();
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

/** One message to put in the place of the reply. */
type News = { readonly target: ReplyTarget; readonly render: () => Promise<RenderedNews> };
type RenderedNews = { readonly payload: MessagePayload; readonly uploads: readonly Upload[] };

/**
 * Only the latest state is ever shown, no more than once in two seconds, and none is sent after `close`, which waits for
 * the news that is on its way. A result that was paid for must not wait for as long as Discord likes; but news that
 * was cut off might be carried out behind the result all the same, and nobody would hear of it. So it is let come to its
 * end, and whoever posts the result is told that it has to be posted once more then.
 */
function createProgressMessage(parts: { job: FollowedJob; replies: ReplyEditor; now: () => number }): ProgressMessage {
  const { job, replies, now } = parts;
  let pending: News | undefined;
  let timer: NodeJS.Timeout | undefined;
  // The first two seconds belong to Discord's own "thinking": most news is old before anybody has read it.
  let lastEditAt = now();
  let editing: Promise<void> = Promise.resolve();
  let isEditing = false;
  let takesNews = true;
  let isClosed = false;

  function schedule(): void {
    if (isEditing || timer || !pending) return;
    timer = setTimeout(show, Math.max(0, lastEditAt + EDIT_INTERVAL_MS - now()));
  }

  function show(): void {
    timer = undefined;
    const news = pending;
    pending = undefined;
    if (news) editing = edit(news);
  }

  async function edit(news: News): Promise<void> {
    isEditing = true;
    const isShown = await bring(news);
    isEditing = false;
    // An edit that Discord was slow to take counts from its end.
    lastEditAt = now();
    if (isClosed) return;
    const hasLastWord = !takesNews && pending !== undefined;
    if (!isShown) pending ??= news;
    if (hasLastWord) show();
    else schedule();
  }

  /** Whether nothing is left to be tried: Discord has taken it, or never will. */
  async function bring({ target, render }: News): Promise<boolean> {
    const { payload, uploads } = await render();
    if (isClosed) return true;
    const result = await within(ANSWER_WAIT_MS_MAX, async (signal) =>
      replies.tryEdit(target, payload, uploads, signal),
    );
    return result !== undefined && result !== 'later';
  }

  function stop(): void {
    takesNews = false;
    clearTimeout(timer);
    timer = undefined;
    pending = undefined;
  }

  const { begun } = job;
  if (begun) {
    pending = { target: job.target, render: async () => ({ payload: begun, uploads: [] }) };
    show();
  }

  return {
    report(state) {
      if (!takesNews) return;
      pending = { target: job.target, render: async () => renderProgress(job, state, now()) };
      schedule();
    },
    sayLast(target, payload) {
      stop();
      pending = { target, render: async () => ({ payload, uploads: [] }) };
      if (!isEditing) show();
    },
    async close() {
      isClosed = true;
      stop();
      await within(LAST_NEWS_WAIT_MS_MAX, async () => editing);
      return isEditing ? { settled: editing } : undefined;
    },
  };
}

async function renderProgress(job: FollowedJob, state: ProgressState, now: number): Promise<RenderedNews> {
  const { id, isSpoiler, uploadLimitBytes, words } = job;
  const text = describeProgress(state, words, now);
  const preview = 'preview' in state ? await loadPreview(state.preview, uploadLimitBytes) : undefined;
  const picture = preview && { name: preview.name, altText: words.say('progress.preview'), isSpoiler };
  const message = picture ? renderTextWithFiles(text, [], picture) : renderText(text);
  const cancel = renderButtons(id, [{ verb: VERB.cancel, label: words.say('progress.button.cancel') }]);
  return { payload: withBelow(message, cancel), uploads: preview ? [preview] : [] };
}

/** Read whole, because the next picture may take its place on disk while this one is on its way. */
async function loadPreview(preview: Preview | undefined, uploadLimitBytes: number): Promise<Upload | undefined> {
  if (!preview || preview.sizeBytes > uploadLimitBytes) return undefined;
  const bytes = await readFile(preview.path).catch(() => undefined);
  const { contentType } = preview;
  return bytes && uploadFromBytes(`preview.${extensionOf(contentType)}`, contentType, bytes);
}

function describeProgress(state: ProgressState, words: Words, now: number): string {
  switch (state.phase) {
    case 'waiting-with-pictures':
      return words.say('progress.waiting-with-pictures', { ahead: state.ahead });
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
