import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { ImageRequest } from '../../src/services/image-request.ts';
import type { CallPlan } from '../../src/services/call-plan.ts';
import type { JobProgress, ProgressState } from '../../src/services/job-progress.ts';
import type { Cancellation } from '../../src/services/job-under-way.ts';

export const silentLog = pino({ enabled: false });

/** An interaction's id of November 2026. */
export const JOB_ID = '1571313785241600001';

export function createRequest(changes: Partial<ImageRequest> = {}): ImageRequest {
  return {
    id: JOB_ID,
    guild: 'guild',
    member: 'mira',
    roles: [],
    operation: 'generate',
    prompt: 'a red fox in snow',
    count: 1,
    keepOutside: false,
    isPrivate: false,
    isSpoiler: false,
    ...changes,
  };
}

export function createPlan(changes: Partial<CallPlan> = {}): CallPlan {
  return {
    model: 'gpt-image-2',
    width: 1024,
    height: 1024,
    quality: 'medium',
    background: 'auto',
    format: 'png',
    images: [],
    firstFrameOnly: false,
    estimate: 60_000_000,
    ...changes,
  };
}

/** Progress that nobody sees, and that can be asked for afterwards. */
export function createProgressLog(): JobProgress & { readonly states: readonly ProgressState[] } {
  const states: ProgressState[] = [];
  return { states, report: (state) => void states.push(state), close: async () => undefined };
}

/** Somebody who may think better of a call. */
export function createCancellation(): Cancellation & { cancel(): void } {
  const cancellation = new AbortController();
  return { signal: cancellation.signal, whileOut: async (work) => work(), cancel: () => cancellation.abort() };
}

/** A directory that goes when the test does. */
export async function createDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-test-'));
  context.after(async () => rm(directory, { recursive: true, force: true }));
  return directory;
}
