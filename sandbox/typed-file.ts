import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { EmulatedAttachment } from './discord/message.ts';
import type { Stage } from './stage.ts';

/** A file that somebody has named at the terminal, as an attachment. */
export async function uploadTyped({ discord }: Stage, path: string): Promise<EmulatedAttachment> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new Error(`The file ${path} cannot be read.`, { cause: error });
  });
  return discord.uploadAttachment({ bytes, filename: basename(path) });
}
