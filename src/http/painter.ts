import type { RequestListener } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { getRequestListener } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import type { PaintDesk } from '../discord/paint-desk.ts';
import type { PaintLinks } from '../services/paint-links.ts';
import { createExchanges } from './exchanges.ts';
import type { PainterFiles } from './painter-files.ts';
import { renderPainter, renderPaintWords } from './painter-page.ts';
import { wordsForReader } from './reader-words.ts';

/** Eight pixels of a mask take a byte, so the largest picture's takes about a megabyte. */
const MASK_BYTES_MAX = 4 * 1024 * 1024;
/** The largest picture takes 33 MB, and a mask comes in pieces that are put together: both stand in memory meanwhile. */
const PICTURES_SENT_MAX = 6;
const MASKS_TAKEN_MAX = 8;
/** Enough for a large picture over a slow phone, and for nobody who does not read. */
const EXCHANGE_MS_MAX = 2 * 60_000;
const PICTURE_PIECE_BYTES = 256 * 1024;
/** When whoever was refused for now may try again. */
const RETRY_AFTER_SECONDS = 5;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Nothing but this page and its own server. */
const ONLY_FROM_HERE = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: 'no-referrer',
  // Whether a host is reached by https alone is for whoever runs it to say.
  strictTransportSecurity: false,
};

type PainterParts = {
  links: Pick<PaintLinks, 'read'>;
  desk: PaintDesk;
  files: PainterFiles;
  publicUrl: string;
  /** Whether the bot is up: one that does not get into Discord would take an edit with it. */
  isOpen: () => boolean;
  log: Logger;
};

type PainterEnv = { Bindings: HttpBindings };

/** What answers whoever asks for something below this path. */
export function createPainterListener(path: string, parts: PainterParts, exchangeMsMax?: number): RequestListener {
  const { fetch } = new Hono<PainterEnv>().route(path, createPainterRoutes(parts, exchangeMsMax));
  // Left to itself the library puts its own `Request` and `Response` in the place of everybody's.
  const listen = getRequestListener(fetch, { overrideGlobalObjects: false });
  return (request, response) => void listen(request, response);
}

/** The pages of the painter. They tell whoever has no valid link nothing, and load nothing from anywhere else. */
export function createPainterRoutes(parts: PainterParts, msMax = EXCHANGE_MS_MAX): Hono<PainterEnv> {
  const { links, desk, files, isOpen, log } = parts;
  const publicOrigin = new URL(parts.publicUrl).origin;
  const sent = createExchanges({ countMax: PICTURES_SENT_MAX, msMax });
  const taken = createExchanges({ countMax: MASKS_TAKEN_MAX, msMax });
  const app = new Hono<PainterEnv>();

  app.use(secureHeaders(ONLY_FROM_HERE));
  app.use(async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
  });
  app.onError((error, context) => {
    if (isCutOff(error, context.env.outgoing)) log.debug({ err: error }, 'whoever sent something has gone');
    else log.error({ err: error }, 'the painter failed');
    return say(context, 'failed', 503);
  });

  app.get('/files/:name', (context) => {
    const file = files.get(context.req.param('name'));
    return file ? context.body(file.text, 200, { 'content-type': file.contentType }) : say(context, 'forged', 404);
  });

  app.use(async (context, next) => (isOpen() ? next() : say(context, 'failed', 503)));

  app.get('/:token', async (context) => {
    const token = context.req.param('token');
    const ticket = links.read(token);
    if (!ticket) return say(context, 'forged', 404);
    const order = await desk.read(ticket);
    return order ? context.html(renderPainter(order, token)) : say(context, 'over', 410);
  });

  app.get('/:token/picture', async (context) => {
    const { outgoing } = context.env;
    const token = context.req.param('token');
    const ticket = links.read(token);
    if (!ticket) return say(context, 'forged', 404);
    if (!sent.begin(token, outgoing)) return say(context, 'failed', 503);
    const picture = await desk.picture(ticket);
    if (!picture) return say(context, 'forged', 404);
    if (picture === 'busy') return say(context, 'failed', 503);
    // Not before the connection is done with it: its memory goes with it.
    if (outgoing.closed) picture.giveBack();
    else outgoing.once('close', picture.giveBack);
    const headers = { 'content-type': picture.contentType, 'content-length': String(picture.bytes.length) };
    return context.body(ReadableStream.from(piecesOf(picture.bytes)), 200, headers);
  });

  /** Nobody but the page itself may send a mask: another site could only guess at a link, and shall not even try. */
  const fromHere: MiddlewareHandler<PainterEnv> = async (context, next) => {
    const isFromHere = context.req.header('origin') === publicOrigin;
    return isFromHere && links.read(context.req.param('token') ?? '') ? next() : say(context, 'forged', 404);
  };
  const inTurn: MiddlewareHandler<PainterEnv> = async (context, next) =>
    taken.begin(context.req.param('token') ?? '', context.env.outgoing) ? next() : say(context, 'failed', 503);
  const limited = bodyLimit({ maxSize: MASK_BYTES_MAX, onError: (context) => say(context, 'no-mask', 413) });
  app.post('/:token', fromHere, inTurn, limited, async (context) => {
    const token = context.req.param('token');
    const ticket = links.read(token);
    const order = ticket && (await desk.read(ticket));
    if (!order) return say(context, 'over', 410);
    const mask = Buffer.from(await context.req.arrayBuffer());
    taken.settle(token);
    if (!mask.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)) return say(context, 'no-mask', 415);
    switch (await desk.begin(ticket, mask)) {
      case 'begun':
        return context.html(renderPaintWords(order.words, 'sent'));
      case 'over':
        return say(context, 'over', 410);
      case 'not-now':
        return say(context, 'failed', 503);
    }
  });
  app.all('*', (context) => say(context, 'forged', 404));
  return app;
}

/** Whether a request did not come whole because its connection ended, which is nothing to look into. */
function isCutOff(error: Error, { closed }: HttpBindings['outgoing']): boolean {
  return closed && 'code' in error && error.code === 'ECONNRESET';
}

/** Read a piece at a time, so that no copy of the whole is made for whoever reads slowly. */
function* piecesOf(bytes: Buffer): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PICTURE_PIECE_BYTES) {
    yield bytes.subarray(start, start + PICTURE_PIECE_BYTES);
  }
}

/** A page that says one thing, in a language that its reader's browser asks for. */
function say(
  context: Context,
  what: Parameters<typeof renderPaintWords>[1],
  status: 404 | 410 | 413 | 415 | 503,
): Response | Promise<Response> {
  if (status === 503) context.header('retry-after', String(RETRY_AFTER_SECONDS));
  return context.html(renderPaintWords(wordsForReader(context.req.header('accept-language')), what), status);
}
