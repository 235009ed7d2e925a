import type { Context, MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';

/** Everything comes from the page's own server, and no script but its own runs. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

const HTTP_FORBIDDEN = 403;
/** Where a browser says that a request comes from the page itself, or from somebody who typed its address. */
const TRUSTED_FETCH_SITES: readonly string[] = ['same-origin', 'none'];

/**
 * Lets only the page itself in. Any web page can send requests to 127.0.0.1: one with a name of its own that leads
 * here shows another Host, and one that asks from elsewhere another Origin.
 */
export function createRequestGuard(port: () => number): MiddlewareHandler {
  return createMiddleware(async (context, next) => {
    const hosts = [`127.0.0.1:${port()}`, `localhost:${port()}`];
    if (!isTrusted(context, hosts)) return context.text('Only the page itself may ask here.', HTTP_FORBIDDEN);
    await next();
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!context.res.headers.has(name)) context.res.headers.set(name, value);
    }
    return undefined;
  });
}

function isTrusted({ req }: Context, hosts: readonly string[]): boolean {
  const host = req.header('host') ?? '';
  if (!hosts.includes(host)) return false;
  const origin = req.header('origin');
  if (origin !== undefined && origin !== `http://${host}`) return false;
  const site = req.header('sec-fetch-site');
  // A link from elsewhere may lead to the page; it then does nothing by itself.
  const isVisit = req.method === 'GET' && req.path === '/' && req.header('sec-fetch-mode') === 'navigate';
  if (site !== undefined && !TRUSTED_FETCH_SITES.includes(site) && !isVisit) return false;
  // Whatever changes something has to name its origin, which every browser does by itself.
  return req.method === 'GET' || req.method === 'HEAD' || origin !== undefined;
}
