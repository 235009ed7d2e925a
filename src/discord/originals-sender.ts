import { stat, readFile } from 'node:fs/promises';
import type { REST } from 'discord.js';
import type { Logger } from 'pino';
import type { ImagePreparation } from '../services/images/image-preparation.ts';
import type { FinishedImage } from '../services/job-outcome.ts';
import { untilNotBusy } from '../services/images/patience.ts';
import { renameTo } from '../services/picture-names.ts';
import type { ReplyTarget } from './message-requests.ts';
import { editOriginal, postEphemeral } from './message-requests.ts';
import type { Upload } from './multipart.ts';
import { REQUEST_FILES_BYTES_MAX, uploadFromBytes, uploadFromFile } from './multipart.ts';
import { renderText, renderTextWithFiles } from './message-payload.ts';
import type { SendResult } from './send-attempts.ts';
import { sendUntilSettled } from './send-attempts.ts';
import { formatList, formatSize } from './wording.ts';
import { wordsFor } from './words.ts';

/** Where originals go: the private reply to whoever asked for them. */
export type OriginalsTarget = ReplyTarget & {
  readonly attachmentSizeLimit: number;
  /** The language of whoever asked. */
  readonly locale: string;
};

/**
 * Brings pictures as they came, pixel by pixel: as the files that they are, or where those are too large in a smaller
 * form that loses nothing. What fits neither way is told of. Its promise never rejects.
 */
export type OriginalsSender = {
  send(target: OriginalsTarget, originals: readonly FinishedImage[]): Promise<void>;
};

/** Says something to whoever asked, and brings files with it. */
type Post = (text: string, uploads?: readonly Upload[]) => Promise<void>;

/** As many as one message may have. */
const FILES_MAX = 10;

export function createOriginalsSender(parts: {
  rest: REST;
  preparation: Pick<ImagePreparation, 'fitLosslessly'>;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): OriginalsSender {
  const { rest, preparation, sleep, log } = parts;

  /** Undefined where no form of it that loses nothing is small enough. */
  async function bring(image: FinishedImage, sizeBytesMax: number): Promise<Upload | undefined> {
    const { path, name, contentType } = image;
    const { size: sizeBytes } = await stat(path);
    if (sizeBytes <= sizeBytesMax) return uploadFromFile(path, { name, contentType, sizeBytes });
    const fitted = await untilNotBusy(sleep, async () =>
      preparation.fitLosslessly(async () => readFile(path), sizeBytesMax),
    );
    if (fitted.kind !== 'fits') return undefined;
    return uploadFromBytes(renameTo(name, 'image/webp'), 'image/webp', fitted.bytes);
  }

  /** The first message takes the place of the reply. What comes after it has to leave that, and what is in it, alone. */
  function createPost(target: OriginalsTarget): Post {
    let isFirst = true;
    return async (text, uploads = []) => {
      const names = uploads.map(({ name }) => name);
      const payload = uploads.length > 0 ? renderTextWithFiles(text, names) : renderText(text);
      const send = isFirst ? editOriginal : postEphemeral;
      // A second copy does no harm: nobody else sees it.
      const result = await sendUntilSettled(async () => send(rest, target, payload, uploads), {
        sleep,
        onFailure: (error) => log.warn({ err: error }, 'originals could not be sent'),
      });
      requireSent(result);
      isFirst = false;
    };
  }

  async function sendAll(post: Post, target: OriginalsTarget, originals: readonly FinishedImage[]): Promise<void> {
    const words = wordsFor(target.locale);
    const sizeBytesMax = Math.min(target.attachmentSizeLimit, REQUEST_FILES_BYTES_MAX);
    const tooLarge: FinishedImage[] = [];
    let uploads: Upload[] = [];
    const flush = async (): Promise<void> => {
      await post(words.say('originals.here', { count: uploads.length }), uploads);
      uploads = [];
    };
    for (const original of originals) {
      const upload = await bring(original, sizeBytesMax);
      if (!upload) {
        tooLarge.push(original);
        continue;
      }
      // One message at a time, so that no more than one message's files stand in memory.
      if (uploads.length === FILES_MAX || sizeOf([...uploads, upload]) > REQUEST_FILES_BYTES_MAX) await flush();
      uploads.push(upload);
    }
    if (uploads.length > 0) await flush();
    if (tooLarge.length === 0) return;
    const sizes = tooLarge.map(({ sizeBytes }) => formatSize(sizeBytes, words));
    const told = { count: tooLarge.length, sizes: formatList(sizes, words), limit: formatSize(sizeBytesMax, words) };
    await post(words.say('originals.too-large', told));
  }

  return {
    async send(target, originals) {
      const post = createPost(target);
      try {
        await sendAll(post, target, originals);
      } catch (error) {
        log.error({ err: error }, 'originals given up');
        await post(wordsFor(target.locale).say('originals.failed')).catch(() => undefined);
      }
    },
  };
}

function sizeOf(uploads: readonly Upload[]): number {
  return uploads.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function requireSent(result: SendResult): void {
  if (result !== 'sent') throw new Error(`Discord did not take the originals (${result})`);
}
