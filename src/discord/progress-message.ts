import type { JobProgress, ProgressState } from '../services/job-progress.ts';
import type { ReplyEditor, ReplyTarget } from './reply-editor.ts';
import { renderText } from './result-message.ts';
import { formatDuration, relativeTime } from './wording.ts';

/** Discord slows down whoever edits a message more often. */
const EDIT_INTERVAL_MS = 2_000;

/**
 * News of a job in the place where its result will be. Only the latest state is ever shown, no more than once in two
 * seconds, and never after `close`, so that no late news can cover the result.
 */
export function createProgressMessage(parts: {
  target: ReplyTarget;
  replies: ReplyEditor;
  now: () => number;
}): JobProgress {
  const { target, replies, now } = parts;
  let pending: ProgressState | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lastEditAt = now();
  let editing: Promise<void> = Promise.resolve();
  let isClosed = false;

  function show(): void {
    timer = undefined;
    if (!pending) return;
    const text = describeProgress(pending);
    pending = undefined;
    lastEditAt = now();
    editing = editing.then(async () => replies.edit(target, renderText(text)));
  }

  return {
    report(state) {
      if (isClosed) return;
      pending = state;
      // The first two seconds belong to Discord's own "thinking": most news is old before anybody has read it.
      timer ??= setTimeout(show, Math.max(0, lastEditAt + EDIT_INTERVAL_MS - now()));
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      pending = undefined;
      await editing;
    },
  };
}

function describeProgress(state: ProgressState): string {
  switch (state.phase) {
    case 'waiting':
      return 'In line for the provider…';
    case 'generating':
      return `The provider is at work; it began ${relativeTime(state.since)}.`;
    case 'provider-busy':
      return `The provider is busy; the next try is in ${formatDuration(state.retryInMs)}.`;
  }
}
