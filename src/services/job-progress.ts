/** What a job is doing just now, for whoever waits for it. */
export type ProgressState =
  /** How many requests bring their pictures in before it. */
  | { readonly phase: 'waiting-with-pictures'; readonly ahead: number }
  /** How many requests are before it at the provider, and how long its turn may take to come, where that can be told. */
  | { readonly phase: 'waiting'; readonly ahead: number; readonly expectedMs: number | undefined }
  /** `since` in milliseconds since the epoch. */
  | { readonly phase: 'generating'; readonly since: number; readonly preview?: Preview }
  | { readonly phase: 'provider-busy'; readonly retryInMs: number };

/** A picture that is not finished, as a file of the job's folder. */
export type Preview = { readonly path: string; readonly contentType: string; readonly sizeBytes: number };

export type JobProgress = {
  report(state: ProgressState): void;
  /** No more news: resolves when the last of it has arrived, or when it takes too long to be waited for. */
  close(): Promise<LateNews | undefined>;
};

/** News that is still on its way: it may arrive behind the outcome, and cover it. */
export type LateNews = {
  /** Resolves when it has arrived, or never will. */
  readonly settled: Promise<void>;
};
