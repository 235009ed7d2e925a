import { createHmac, timingSafeEqual } from 'node:crypto';
import { extname } from 'node:path';
import { readImageDimensions } from './image-dimensions.ts';
import type { EmulatedAttachment } from './message.ts';
import type { SnowflakeSource } from './snowflake.ts';

/** How a broken or hostile file server behaves for one attachment. */
export type Misbehaviour =
  | { readonly kind: 'redirect'; readonly to: string }
  /** Sends `bytesPerBeat` every `beatMs`. */
  | { readonly kind: 'slow drip'; readonly bytesPerBeat: number; readonly beatMs: number }
  /** Announces `claimedBytes` and sends the true ones: fewer leave the client waiting, more are cut by it. */
  | { readonly kind: 'wrong content-length'; readonly claimedBytes: number }
  /** Repeats the bytes without end and without a content-length. */
  | { readonly kind: 'endless body' }
  | { readonly kind: 'not found' };

/** A file that a signed address leads to, or why it does not. */
export type CdnAnswer =
  | { readonly found: true; readonly attachment: EmulatedAttachment; readonly misbehaviour: Misbehaviour | undefined }
  | { readonly found: false };

/** Signed addresses live for a day, as on Discord. */
const ADDRESS_LIFETIME_MS = 24 * 60 * 60 * 1000;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.avif': 'image/avif',
  '.heic': 'image/heic',
  '.svg': 'image/svg+xml',
  '.bmp': 'image/bmp',
  '.tiff': 'image/tiff',
  '.txt': 'text/plain; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.jsonl': 'application/x-ndjson',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
  '.mp4': 'video/mp4',
};

/** A file before it has an id. */
export type NewFile = {
  readonly channelId: string;
  readonly filename: string;
  readonly bytes: Buffer;
  readonly description?: string | undefined;
  /** Overrides the type that the file name's extension stands for. */
  readonly contentType?: string | undefined;
};

export type CdnOptions = {
  readonly now: () => number;
  readonly nextId: SnowflakeSource;
  readonly secret: string;
};

/** Discord's file server: keeps every attachment, and serves each at a signed address that dies after a day. */
export class Cdn {
  /** Set once the server listens, for example `http://127.0.0.1:41234`. */
  origin = '';
  readonly #options: CdnOptions;
  readonly #attachments = new Map<string, EmulatedAttachment>();
  readonly #misbehaviours = new Map<string, Misbehaviour>();

  constructor(options: CdnOptions) {
    this.#options = options;
  }

  /**
   * Gives a file an id and reads its dimensions; it is served only once published.
   * Characters that Discord does not keep in names become underscores.
   */
  describe(file: NewFile): EmulatedAttachment {
    const filename = file.filename.replaceAll(/[^\w.-]/g, '_');
    const dimensions = readImageDimensions(file.bytes);
    return {
      id: this.#options.nextId(),
      channelId: file.channelId,
      filename,
      description: file.description,
      contentType: file.contentType ?? CONTENT_TYPES[extname(filename).toLowerCase()],
      sizeBytes: file.bytes.length,
      width: dimensions?.width,
      height: dimensions?.height,
      bytes: file.bytes,
    };
  }

  /** Serves a file from now on, well or badly. */
  publish(attachment: EmulatedAttachment, misbehaviour?: Misbehaviour): void {
    this.#attachments.set(attachment.id, attachment);
    if (misbehaviour !== undefined) this.#misbehaviours.set(attachment.id, misbehaviour);
  }

  /** An address that works from now on for a day. */
  signedUrl(attachment: EmulatedAttachment): string {
    const issuedAtMs = this.#options.now();
    const issued = toHexSeconds(issuedAtMs);
    const expires = toHexSeconds(issuedAtMs + ADDRESS_LIFETIME_MS);
    const path = `/attachments/${attachment.channelId}/${attachment.id}/${attachment.filename}`;
    return `${this.origin}${path}?ex=${expires}&is=${issued}&hm=${this.#sign(path, expires, issued)}&`;
  }

  /** An attachment as REST and gateway show it. */
  toWire(attachment: EmulatedAttachment): Record<string, unknown> {
    const url = this.signedUrl(attachment);
    return {
      id: attachment.id,
      filename: attachment.filename,
      size: attachment.sizeBytes,
      url,
      proxy_url: url,
      ...(attachment.description === undefined ? {} : { description: attachment.description }),
      ...(attachment.contentType === undefined ? {} : { content_type: attachment.contentType }),
      ...(attachment.width === undefined ? {} : { width: attachment.width, height: attachment.height }),
    };
  }

  /** Looks an address up; one that is unsigned, altered or out of date leads nowhere. */
  resolve(url: URL): CdnAnswer {
    const [, folder, channelId, id, filename] = url.pathname.split('/');
    const attachment = this.#attachments.get(id ?? '');
    const isSameFile = attachment?.channelId === channelId && attachment?.filename === filename;
    if (folder !== 'attachments' || attachment === undefined || !isSameFile) return { found: false };
    const expires = url.searchParams.get('ex') ?? '';
    const signature = Buffer.from(url.searchParams.get('hm') ?? '');
    const expected = Buffer.from(this.#sign(url.pathname, expires, url.searchParams.get('is') ?? ''));
    const isSigned = signature.length === expected.length && timingSafeEqual(signature, expected);
    const isAlive = Number.parseInt(expires, 16) * 1000 > this.#options.now();
    if (!isSigned || !isAlive) return { found: false };
    return { found: true, attachment, misbehaviour: this.#misbehaviours.get(attachment.id) };
  }

  #sign(path: string, expires: string, issued: string): string {
    return createHmac('sha256', this.#options.secret).update(`${path}|${expires}|${issued}`).digest('hex');
  }
}

function toHexSeconds(timeMs: number): string {
  return Math.floor(timeMs / 1000).toString(16);
}
