import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CdnAnswer, Misbehaviour } from './cdn.ts';

/** What Discord's file server says for anything it will not serve. */
const NOT_FOUND_TEXT = 'This content is no longer available.';

/** How much of an endless body is written at a time; the file's bytes are repeated to fill it. */
const ENDLESS_CHUNK_BYTES = 64 * 1024;

/** Answers a request for a file, in whatever way the attachment was told to misbehave. */
export async function respondWithFile(response: ServerResponse, answer: CdnAnswer): Promise<void> {
  if (!answer.found) {
    response.writeHead(404, { 'content-type': 'text/plain;charset=UTF-8' }).end(NOT_FOUND_TEXT);
    return;
  }
  const { attachment, misbehaviour } = answer;
  const contentType = attachment.contentType ?? 'application/octet-stream';
  if (misbehaviour !== undefined) return misbehave(response, misbehaviour, attachment.bytes, contentType);
  response.writeHead(200, { 'content-type': contentType, 'content-length': attachment.sizeBytes });
  response.end(attachment.bytes);
}

async function misbehave(
  response: ServerResponse,
  misbehaviour: Misbehaviour,
  bytes: Buffer,
  contentType: string,
): Promise<void> {
  switch (misbehaviour.kind) {
    case 'not found':
      response.writeHead(404, { 'content-type': 'text/plain;charset=UTF-8' }).end(NOT_FOUND_TEXT);
      return;
    case 'redirect':
      response.writeHead(302, { location: misbehaviour.to }).end();
      return;
    case 'wrong content-length':
      response.strictContentLength = false;
      response.writeHead(200, { 'content-type': contentType, 'content-length': misbehaviour.claimedBytes });
      response.end(bytes);
      return;
    case 'slow drip': {
      response.writeHead(200, { 'content-type': contentType, 'content-length': bytes.length });
      for (let offset = 0; offset < bytes.length && !response.destroyed; offset += misbehaviour.bytesPerBeat) {
        response.write(bytes.subarray(offset, offset + misbehaviour.bytesPerBeat));
        await sleep(misbehaviour.beatMs);
      }
      response.end();
      return;
    }
    case 'endless body':
      response.writeHead(200, { 'content-type': contentType });
      while (!response.destroyed) {
        const hasRoom = response.write(Buffer.alloc(ENDLESS_CHUNK_BYTES, bytes));
        await (hasRoom ? sleep(0) : drained(response));
      }
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.on('drain', settle).on('close', settle);
  });
}
