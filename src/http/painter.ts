import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import type { PaintDesk } from '../discord/paint-desk.ts';
import type { PaintLinks } from '../services/paint-links.ts';
import type { PainterFiles } from './painter-files.ts';
import { renderPainter, renderPaintWords } from './painter-page.ts';
import { wordsForReader } from './reader-words.ts';

/** Eight pixels of a mask take a byte, so the largest picture's takes about a megabyte. */
const MASK_BYTES_MAX = 4 * 1024 * 1024;
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
  log: Logger;
};

/** What answers whoever asks for something below this path. */
export function createPainterListener(path: string, parts: PainterParts): RequestListener {
  const { fetch } = new Hono().route(path, createPainterRoutes(parts));
  // Left to itself the library puts its own `Request` and `Response` in the place of everybody's.
  const listen = getRequestListener(fetch, { overrideGlobalObjects: false });
  return (request, response) => void listen(request, response);
}

/** The pages of the painter. They tell whoever has no valid link nothing, and load nothing from anywhere else. */
export function createPainterRoutes(parts: PainterParts): Hono {
  const { links, desk, files, log } = parts;
  const publicOrigin = new URL(parts.publicUrl).origin;
  const app = new Hono();

  app.use(secureHeaders(ONLY_FROM_HERE));
  app.use(async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
  });
  app.onError((error, context) => {
    log.error({ err: error }, 'the painter failed');
    return say(context, 'failed', 503);
  });

  app.get('/files/:name', (context) => {
    const file = files.get(context.req.param('name'));
    return file ? context.body(file.text, 200, { 'content-type': file.contentType }) : say(context, 'forged', 404);
  });

  app.get('/:token', async (context) => {
    const token = context.req.param('token');
    const ticket = links.read(token);
    if (!ticket) return say(context, 'forged', 404);
    const order = await desk.read(ticket);
    return order ? context.html(renderPainter(order, token)) : say(context, 'over', 410);
  });

  app.get('/:token/picture', async (context) => {
    const ticket = links.read(context.req.param('token'));
    const picture = ticket && (await desk.picture(ticket));
    if (!picture) return say(context, 'forged', 404);
    return context.body(new Uint8Array(picture.bytes), 200, { 'content-type': picture.contentType });
  });

  /** Nobody but the page itself may send a mask: another site could only guess at a link, and shall not even try. */
  const fromHere: MiddlewareHandler = async (context, next) => {
    const isFromHere = context.req.header('origin') === publicOrigin;
    return isFromHere && links.read(context.req.param('token') ?? '') ? next() : say(context, 'forged', 404);
  };
  const limited = bodyLimit({ maxSize: MASK_BYTES_MAX, onError: (context) => say(context, 'no-mask', 413) });
  app.post('/:token', fromHere, limited, async (context) => {
    const ticket = links.read(context.req.param('token'));
    const order = ticket && (await desk.read(ticket));
    if (!order) return say(context, 'over', 410);
    const mask = Buffer.from(await context.req.arrayBuffer());
    if (!mask.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)) return say(context, 'no-mask', 415);
    switch (await desk.begin(ticket, mask)) {
      case 'begun':
        return context.html(renderPaintWords(order.words, 'sent'));
      case 'over':
        return say(context, 'over', 410);
      case 'closed':
        return say(context, 'failed', 503);
    }
  });
  app.all('*', (context) => say(context, 'forged', 404));
  return app;
}

/** A page that says one thing, in a language that its reader's browser asks for. */
function say(
  context: Context,
  what: Parameters<typeof renderPaintWords>[1],
  status: 404 | 410 | 413 | 415 | 503,
): Response | Promise<Response> {
  return context.html(renderPaintWords(wordsForReader(context.req.header('accept-language')), what), status);
}
