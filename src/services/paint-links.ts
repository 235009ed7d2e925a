import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link to the painter is about: a draft, and the press of the button that it was made for. */
export type PaintTicket = { readonly guild: string; readonly draft: string; readonly press: string };

/** Makes links that nobody else can make, and reads them back. */
export type PaintLinks = {
  linkFor(ticket: PaintTicket): string;
  /** Undefined where Easel did not write it. */
  read(token: string): PaintTicket | undefined;
};

const PATTERN = /^(\d{1,20})\.(\d{1,20})\.(\d{1,20})\.([\w-]{43})$/;

/**
 * @param parts.publicUrl under which the painter is reached from outside
 * @param parts.key a secret of the operator's; links made with another one do not hold
 */
export function createPaintLinks(parts: { publicUrl: string; key: string }): PaintLinks {
  const sign = (text: string): string => createHmac('sha256', parts.key).update(`paint:${text}`).digest('base64url');
  return {
    linkFor({ guild, draft, press }) {
      const text = [guild, draft, press].join('.');
      return `${parts.publicUrl}/paint/${text}.${sign(text)}`;
    },
    read(token) {
      const [, guild, draft, press, signature] = PATTERN.exec(token) ?? [];
      if (guild === undefined || draft === undefined || press === undefined || signature === undefined)
        return undefined;
      const expected = Buffer.from(sign([guild, draft, press].join('.')));
      return timingSafeEqual(Buffer.from(signature), expected) ? { guild, draft, press } : undefined;
    },
  };
}
