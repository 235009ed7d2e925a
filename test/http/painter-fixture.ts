import { createPaintDesk } from '../../src/discord/paint-desk.ts';
import type { PainterFiles } from '../../src/http/painter-files.ts';
import { readPainterFiles } from '../../src/http/painter-files.ts';
import { createEditDrafts } from '../../src/services/edit-drafts.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../src/services/images/image-preparation.ts';
import type { JobRefusal } from '../../src/services/job-outcome.ts';
import type { PaintTicket } from '../../src/services/paint-links.ts';
import { createPaintLinks } from '../../src/services/paint-links.ts';
import { createPaintPictures } from '../../src/services/paint-pictures.ts';
import type { Store } from '../../src/storage/store.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { photograph } from '../fixtures/pictures.ts';
import { createRequest, silentLog } from '../services/job-fixture.ts';

export const PUBLIC_URL = 'https://easel.example/below';
export const ORIGIN = 'https://easel.example';
export const SIZE = { width: 64, height: 48 };
export const TICKET: PaintTicket = { guild: '1', draft: '2', press: '3' };
export const ADDRESS = {
  applicationId: '4',
  token: 'reply token',
  channelId: '5',
  memberId: '6',
  uploadLimitBytes: 1,
  locale: 'de',
};
const PROMPT = 'a <b>hat</b> & "more"';

export const files: PainterFiles = readPainterFiles();
const preparation = createImagePreparation({ concurrency: 1, waitingMax: 8, limits: STANDARD_IMAGE_LIMITS });

/** What the painter needs, over a draft that was invited, whose begun edits are only noted. */
export async function preparePainter(changes: { readonly store?: Store; readonly photo?: Buffer } = {}) {
  const time = { now: Date.UTC(2026, 10, 21) };
  const store = createMemoryDatabase().connect();
  const outside = { now: () => time.now, random: () => 0, sleep: async () => undefined };
  const drafts = createEditDrafts({ ...outside, store });
  const photo = changes.photo ?? (await photograph(SIZE).png().toBuffer());
  const links = createPaintLinks({ publicUrl: PUBLIC_URL, key: 'the key' });
  const begun: (Buffer | undefined)[] = [];
  /** What the edits to come do not begin for. */
  const failures: Error[] = [];
  /** What keeps the edits to come from beginning just now. */
  const obstacles: JobRefusal[] = [];
  /** The pictures that were downloaded. */
  const loads: Buffer[] = [];

  /** Opens a draft, and answers the path of a link to it. */
  async function invite({ guild, draft, press }: PaintTicket): Promise<string> {
    const request = createRequest({ id: draft, guild, member: draft, prompt: PROMPT, operation: 'edit' });
    await drafts.open({ request, pictures: [{ label: 'image', url: `https://cdn.example/${draft}.png` }] });
    await drafts.invite(guild, draft, { id: press, roles: [], address: ADDRESS });
    return new URL(links.linkFor({ guild, draft, press })).pathname.replace('/below', '');
  }

  const desk = createPaintDesk({
    drafts: changes.store ? createEditDrafts({ ...outside, store: changes.store }) : drafts,
    pictures: createPaintPictures({
      preparation,
      load: async () => {
        const bytes = Buffer.concat([photo]);
        loads.push(bytes);
        return bytes;
      },
    }),
    edits: {
      obstacleTo: async () => obstacles.shift(),
      begin: async (_draft, _by, painted) => {
        const failure = failures.shift();
        if (failure) throw failure;
        begun.push(painted);
        return { run: async () => undefined };
      },
    },
  });
  const parts = { links, desk, files, publicUrl: PUBLIC_URL, isOpen: () => true, log: silentLog };
  return { begun, desk, drafts, failures, invite, loads, obstacles, parts, path: await invite(TICKET), time };
}
