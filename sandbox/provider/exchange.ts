/** One HTTP request and its answer, and the ways to write the latter: whole, slowly, in part. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ApiRefusal } from './api-refusal.ts';
import type { CallEnd, OpenCall } from './call-log.ts';
import type { AnswerShape } from './faults.ts';

const gzipAsync = promisify(gzip);

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly call: OpenCall;
  /** Aborts when the provider closes, which ends every wait. */
  readonly closing: AbortSignal;
  /** How the call was made to end, where its connection does not end by itself. */
  forcedEnd: CallEnd | undefined;
};

/** How a body is written. */
export type Pace = {
  readonly midBodyDelayMs: number;
  readonly dripBytesPerSecond: number | undefined;
  /** Share of the body, from 0 to 1, after which the connection breaks. */
  readonly cutAfterShare: number | undefined;
};

export const promptPace: Pace = { midBodyDelayMs: 0, dripBytesPerSecond: undefined, cutAfterShare: undefined };

/** @throws an AbortError when the provider closes meanwhile */
export async function wait(exchange: Exchange, waitMs: number): Promise<void> {
  if (waitMs > 0) await delay(waitMs, undefined, { signal: exchange.closing });
}

/** Writes once the client has taken what came before; resolves at once when it has gone. */
async function write({ response }: Exchange, bytes: Buffer): Promise<void> {
  if (response.destroyed || bytes.length === 0) return;
  await new Promise<void>((resolve) => {
    // A response whose client has gone in the meantime never tells that the bytes are written.
    response.once('close', resolve);
    response.write(bytes, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}

const dripsPerSecond = 20;

async function writeAt(exchange: Exchange, bytes: Buffer, bytesPerSecond: number | undefined): Promise<void> {
  if (bytesPerSecond === undefined) return write(exchange, bytes);
  const dripBytes = Math.max(1, Math.floor(bytesPerSecond / dripsPerSecond));
  for (let position = 0; position < bytes.length && !exchange.response.destroyed; position += dripBytes) {
    await write(exchange, bytes.subarray(position, position + dripBytes));
    await wait(exchange, 1000 / dripsPerSecond);
  }
}

/** Writes a body, or a part of one, without ending the answer unless the pace is to break it. */
export async function writePaced(exchange: Exchange, chunks: readonly Buffer[], pace: Pace): Promise<void> {
  const { midBodyDelayMs, dripBytesPerSecond, cutAfterShare } = pace;
  if (midBodyDelayMs === 0 && dripBytesPerSecond === undefined && cutAfterShare === undefined) {
    for (const chunk of chunks) await write(exchange, chunk);
    return;
  }
  const body = Buffer.concat(chunks);
  const end = Math.floor(body.length * (cutAfterShare ?? 1));
  const middle = Math.floor(end / 2);
  await writeAt(exchange, body.subarray(0, middle), dripBytesPerSecond);
  await wait(exchange, midBodyDelayMs);
  await writeAt(exchange, body.subarray(middle, end), dripBytesPerSecond);
  if (cutAfterShare !== undefined) breakOff(exchange, 'cut');
}

/** Closes the connection in the middle of things. */
export function breakOff(exchange: Exchange, end: 'cut' | 'dropped' | 'reset'): void {
  exchange.forcedEnd = end;
  const { socket } = exchange.request;
  if (end === 'reset') socket.resetAndDestroy();
  else socket.destroy();
}

/** Begins an answer. */
export function writeHead(exchange: Exchange, status: number, headers: Readonly<Record<string, string>>): void {
  exchange.call.status = status;
  if (exchange.response.destroyed) return;
  exchange.response.writeHead(status, headers);
}

/** Sends a whole body with its length. */
export async function sendBody(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  chunks: readonly Buffer[],
  pace: Pace = promptPace,
): Promise<void> {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  writeHead(exchange, status, { ...headers, 'content-length': String(length) });
  await writePaced(exchange, chunks, pace);
  exchange.response.end();
}

/** Compresses a body if the client can read it so; returns it with the header that says so. */
export async function gzipFor(
  exchange: Exchange,
  chunks: readonly Buffer[],
): Promise<{ readonly chunks: readonly Buffer[]; readonly headers: Readonly<Record<string, string>> }> {
  const accepted = exchange.request.headers['accept-encoding'] ?? '';
  const isAccepted = accepted
    .split(',')
    .some((coding) => /^\s*gzip\s*(;|$)/.test(coding) && !/;\s*q=0(\.0*)?\s*$/.test(coding));
  if (!isAccepted) return { chunks, headers: {} };
  return { chunks: [await gzipAsync(Buffer.concat(chunks))], headers: { 'content-encoding': 'gzip' } };
}

/** Headers of every answer. */
export function identityHeaders(call: OpenCall, shape: AnswerShape = {}): Readonly<Record<string, string>> {
  const identity = { 'openai-version': '2020-10-01', 'openai-organization': 'org-emulated' };
  return shape.withoutRequestId === true ? identity : { ...identity, 'x-request-id': call.requestId };
}

/** Headers of every JSON answer. */
export function jsonHeaders(call: OpenCall, shape: AnswerShape = {}): Readonly<Record<string, string>> {
  return { 'content-type': 'application/json', ...identityHeaders(call, shape) };
}

export async function sendRefusal(exchange: Exchange, { status, error, headers }: ApiRefusal): Promise<void> {
  const body = Buffer.from(JSON.stringify({ error }, undefined, 2));
  await sendBody(exchange, status, { ...jsonHeaders(exchange.call), ...headers }, [body]);
}

const htmlPage =
  '<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>';

export async function sendHtml(exchange: Exchange, status: number): Promise<void> {
  const headers = { ...identityHeaders(exchange.call), 'content-type': 'text/html; charset=utf-8' };
  await sendBody(exchange, status, headers, [Buffer.from(htmlPage)]);
}

/**
 * Reads the whole body of a request.
 * @throws {ApiRefusal} 413 when it is longer than `bytesMax`
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= bytesMax) chunks.push(chunk);
  }
  if (length <= bytesMax) return Buffer.concat(chunks);
  throw new ApiRefusal(413, {
    message: `Maximum content size limit (${bytesMax}) exceeded (${length} bytes read).`,
    type: 'server_error',
    param: null,
    code: null,
  });
}
