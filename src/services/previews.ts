import { open } from 'node:fs/promises';
import type { Logger } from 'pino';
import { PRIVATE_FILE_MODE } from '../storage/private-modes.ts';
import type { OpenJob } from './open-job.ts';
import { requirePlan } from './open-job.ts';
import type { Preview } from './job-progress.ts';
import type { PreviewTarget } from './providers/image-provider.ts';
import { previewFileName } from './spool-files.ts';

/**
 * Where the previews of a job go: files of its folder, which disappear with it. Nobody paid for one of them by itself,
 * so they are written without waiting for the disk, and left off where it is full.
 */
export function createPreviewTarget(parts: {
  job: OpenJob;
  /** Hears of each preview that is there. */
  show: (preview: Preview) => void;
  log: Logger;
}): PreviewTarget | undefined {
  const { job, show, log } = parts;
  const { partialImages = 0, format } = requirePlan(job);
  if (partialImages === 0) return undefined;
  const pathOf = (index: number): string => job.folder.path(previewFileName(index, format));
  return {
    count: partialImages,
    async openByteSink(index) {
      const file = await open(pathOf(index), 'w', PRIVATE_FILE_MODE);
      const close = async (): Promise<void> => file.close();
      return {
        write: async (bytes) => file.writeFile(bytes),
        close,
        discard: async () => close().catch(() => undefined),
      };
    },
    arrived: (index, sizeBytes) => show({ path: pathOf(index), contentType: `image/${format}`, sizeBytes }),
    failed: (error) => log.warn({ job: job.request.id, err: error }, 'a preview could not be kept'),
  };
}
