/** What a job is doing just now, for whoever waits for it. */
export type ProgressState =
  | { readonly phase: 'waiting' }
  /** `since` in milliseconds since the epoch. */
  | { readonly phase: 'generating'; readonly since: number }
  | { readonly phase: 'provider-busy'; readonly retryInMs: number };

export type JobProgress = {
  report(state: ProgressState): void;
  /** No more news: resolves when the last of it has arrived, so that nothing can cover the result. */
  close(): Promise<void>;
};
