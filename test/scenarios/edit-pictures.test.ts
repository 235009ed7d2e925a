import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import {
  animatedPng,
  animation,
  brandedFile,
  CORNERS,
  decode,
  multiPictureJpeg,
  photograph,
  phoneJpeg,
  pixelAt,
  pngOfClaimedSize,
  quadrants,
} from '../fixtures/pictures.ts';
import { callsFor } from './judgement.ts';
import { ask, assertNothingTouched, courseOf, picturesOf, theBillFor } from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';

const BUDGET_NANO_USD = 10_000_000_000;
const size = { width: 160, height: 120 };

type Picture = { readonly name: string; readonly filename: string; readonly bytes: () => Promise<Buffer> | Buffer };

const unusable: readonly (Picture & { readonly says: RegExp })[] = [
  { name: 'an empty file', filename: 'a.png', bytes: () => Buffer.alloc(0), says: /is an empty file/ },
  {
    name: 'a text in the clothes of a picture',
    filename: 'a.png',
    bytes: () => Buffer.from('Dear provider, please make a picture of this letter.'),
    says: /is not an image/,
  },
  {
    name: 'half a photo',
    filename: 'a.jpg',
    bytes: async () => {
      const whole = await photograph(size).jpeg().toBuffer();
      return whole.subarray(0, whole.length / 2);
    },
    says: /damaged or incomplete/,
  },
  { name: 'a HEIC photo', filename: 'IMG_1.HEIC', bytes: () => brandedFile('heic', 'mif1'), says: /HEIC photo.*JPEG/ },
  { name: 'a HEIC photo named JPEG', filename: 'IMG_1.jpg', bytes: () => brandedFile('heix'), says: /HEIC photo/ },
  {
    name: 'a picture of 14000 pixels squared',
    filename: 'a.png',
    bytes: () => pngOfClaimedSize({ width: 14_000, height: 14_000 }),
    says: /14000 × 14000 pixels, which is more than Easel opens/,
  },
  {
    name: 'an SVG',
    filename: 'a.svg',
    bytes: () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
    says: /is a SVG file, which Easel cannot open/,
  },
  { name: 'a PDF', filename: 'a.pdf', bytes: () => Buffer.from('%PDF-1.7\n1 0 obj\n'), says: /a PDF and not an image/ },
  {
    name: 'a picture of a few pixels',
    filename: 'a.png',
    bytes: async () => quadrants({ width: 4, height: 4 }).png().toBuffer(),
    says: /only 4 × 4 pixels/,
  },
];

const odd: readonly (Picture & { readonly notes?: RegExp })[] = [
  {
    name: 'a CMYK photo',
    filename: 'a.jpg',
    bytes: async () => quadrants(size).toColourspace('cmyk').jpeg().toBuffer(),
  },
  { name: 'two views in one JPEG', filename: 'a.jpg', bytes: async () => multiPictureJpeg(size) },
  {
    name: 'a PNG of 16 bits',
    filename: 'a.png',
    bytes: async () => quadrants(size).toColourspace('rgb16').png().toBuffer(),
  },
  {
    name: 'a PNG with a palette',
    filename: 'a.png',
    bytes: async () => quadrants(size).png({ palette: true }).toBuffer(),
  },
  {
    name: 'an animated GIF',
    filename: 'a.gif',
    bytes: async () => animation('gif', size),
    notes: /was animated; its first frame was used/,
  },
  {
    name: 'an animated WebP',
    filename: 'a.webp',
    bytes: async () => animation('webp', size),
    notes: /was animated; its first frame was used/,
  },
  {
    name: 'an animated PNG',
    filename: 'a.png',
    bytes: async () => animatedPng(size),
    notes: /was animated; its first frame was used/,
  },
  { name: 'a JPEG named PNG', filename: 'a.png', bytes: async () => quadrants(size).jpeg({ quality: 95 }).toBuffer() },
  { name: 'a PNG named HEIC', filename: 'a.heic', bytes: async () => quadrants(size).png().toBuffer() },
  { name: 'a photo lying on its side', filename: 'a.jpg', bytes: async () => phoneJpeg(size) },
  { name: 'a TIFF', filename: 'a.tiff', bytes: async () => quadrants(size).tiff().toBuffer() },
];

describe('/edit and the pictures that people have', { concurrency: 3 }, () => {
  const shared = shareStage({ provider: { keepUploads: true }, auditedBudget: BUDGET_NANO_USD });

  for (const { name, filename, bytes, says } of unusable) {
    it(`refuses ${name} before anything is held`, async () => {
      const { stage } = shared();
      const prompt = `never made from ${name}`;
      const image = stage.discord.uploadAttachment({ bytes: await bytes(), filename });
      const asked = await ask(stage, addServer(stage), 'edit', { prompt, image });

      assert.match(asked.text, says);
      assertNothingTouched(stage, asked, prompt);
    });
  }

  for (const { name, filename, bytes, notes } of odd) {
    it(`takes ${name}, upright and in its own colours`, async () => {
      const { stage } = shared();
      const prompt = `made from ${name}`;
      const image = stage.discord.uploadAttachment({ bytes: await bytes(), filename });
      const asked = await ask(stage, addServer(stage), 'edit', { prompt, image, quality: 'low' });

      assert.equal(picturesOf(asked).length, 1);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
      assert.equal(theBillFor(stage, prompt).n, 1);
      if (notes) assert.match(asked.text, notes);
      else assert.doesNotMatch(asked.text, /frame/);

      const [call] = callsFor(stage, prompt);
      const sent = call?.files[0]?.bytes ?? assert.fail('the provider was sent no picture');
      const pixels = await decode(sent);
      assert.deepEqual({ width: pixels.width, height: pixels.height }, size);
      assert.equal((await sharp(sent).metadata()).orientation, undefined);
      assertColour(pixelAt(pixels, 10, 10), CORNERS.topLeft);
      assertColour(pixelAt(pixels, size.width - 10, 10), CORNERS.topRight);
      assertColour(pixelAt(pixels, 10, size.height - 10), CORNERS.bottomLeft);
    });
  }
});

/** Ink cannot show a pure green, so CMYK moves it this far; the corners are more than twice as far apart. */
const COLOUR_DISTANCE_MAX = 100;

function assertColour(seen: readonly number[], wanted: readonly number[]): void {
  const distance = Math.hypot(...wanted.map((value, channel) => value - (seen[channel] ?? Infinity)));
  assert.ok(distance <= COLOUR_DISTANCE_MAX, `saw ${seen.join(', ')} in place of ${wanted.join(', ')}`);
}
