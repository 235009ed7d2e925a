import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import sharp from 'sharp';

import { describeImage } from '../../../src/services/images/image-intake.ts';
import type { PreparedImage } from '../../../src/services/images/image-preparation.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../../src/services/images/image-preparation.ts';
import {
  animatedPng,
  animation,
  brandedFile,
  CORNERS,
  decode,
  multiPictureJpeg,
  phoneJpeg,
  photograph,
  pixelAt,
  pngOfClaimedSize,
  quadrants,
  withPngChunk,
} from '../../fixtures/pictures.ts';

const SIZE = { width: 64, height: 48 };
const preparation = createImagePreparation({ concurrency: 2, waitingMax: 32, limits: STANDARD_IMAGE_LIMITS });

async function prepare(bytes: Buffer): Promise<PreparedImage> {
  const prepared = await preparation.prepareImage(bytes);
  assert.equal(prepared.kind, 'prepared-image', JSON.stringify(prepared));
  return prepared;
}

/** Asserts a plain picture: 8-bit sRGB, upright, without metadata, of the size that it says, its corners where they belong. */
async function assertNormal(prepared: PreparedImage, tolerance: number): Promise<void> {
  const header = await sharp(prepared.bytes).metadata();
  assert.equal(header.format, prepared.format);
  assert.equal(prepared.contentType, `image/${prepared.format}`);
  assert.equal(header.depth, 'uchar');
  assert.equal(header.space, 'srgb');
  assert.equal(header.isPalette ?? false, false);
  assert.equal(header.channels, prepared.hasAlpha ? 4 : 3);
  for (const metadata of [header.exif, header.xmp, header.iptc, header.icc, header.orientation]) {
    assert.equal(metadata, undefined);
  }
  assert.deepEqual([header.width, header.height], [prepared.width, prepared.height]);

  const image = await decode(prepared.bytes);
  const corners = [
    { found: pixelAt(image, 2, 2), wanted: CORNERS.topLeft },
    { found: pixelAt(image, image.width - 3, 2), wanted: CORNERS.topRight },
    { found: pixelAt(image, 2, image.height - 3), wanted: CORNERS.bottomLeft },
    { found: pixelAt(image, image.width - 3, image.height - 3), wanted: CORNERS.bottomRight },
  ];
  for (const { found, wanted } of corners) {
    for (const [channel, value] of wanted.entries()) {
      assert.ok(
        Math.abs((found[channel] ?? Number.NaN) - value) <= tolerance,
        `${found.join()} should be ${wanted.join()}`,
      );
    }
  }
}

describe('prepareImage: what members send', () => {
  it('turns a phone picture upright and forgets where it was taken', async () => {
    const sent = await phoneJpeg({ width: 48, height: 64 });
    assert.ok(sent.includes('Telltale camera'), 'the fixture carries metadata');
    const prepared = await prepare(sent);
    assert.deepEqual([prepared.width, prepared.height], [48, 64]);
    assert.equal(prepared.format, 'jpeg');
    assert.equal(prepared.bytes.includes('Telltale camera'), false);
    await assertNormal(prepared, 12);
  });

  it('keeps the first picture of an MPO alone, and does not call it an animation', async () => {
    const sent = await multiPictureJpeg(SIZE);
    const prepared = await prepare(sent);
    assert.deepEqual([prepared.source, prepared.format, prepared.firstFrameOnly], ['mpo', 'jpeg', false]);
    assert.equal(prepared.bytes.includes('MPF'), false);
    assert.equal(prepared.bytes.includes('Telltale camera'), false);
    assert.ok(prepared.bytes.length < sent.length / 2);
    await assertNormal(prepared, 12);
  });

  it('converts every way to store colour to 8-bit sRGB', async () => {
    const sources = {
      // Ink cannot show these colours, but each corner stays the one that it was.
      cmykJpeg: { bytes: await quadrants(SIZE).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(), tolerance: 90 },
      deepPng: { bytes: await quadrants(SIZE).toColourspace('rgb16').png().toBuffer(), tolerance: 0 },
      palettePng: { bytes: await quadrants(SIZE).png({ palette: true }).toBuffer(), tolerance: 4 },
      wideGamutPng: { bytes: await quadrants(SIZE).withIccProfile('p3').png().toBuffer(), tolerance: 3 },
      wideGamutJpeg: {
        bytes: await quadrants(SIZE).withIccProfile('p3').jpeg({ quality: 95 }).toBuffer(),
        tolerance: 12,
      },
      avif: { bytes: await quadrants(SIZE).avif({ quality: 90, effort: 0 }).toBuffer(), tolerance: 16 },
      tiff: { bytes: await quadrants(SIZE).tiff({ compression: 'lzw' }).toBuffer(), tolerance: 0 },
      lossyWebp: { bytes: await quadrants(SIZE).webp({ quality: 95 }).toBuffer(), tolerance: 16 },
      interlacedPng: { bytes: await quadrants(SIZE).png({ progressive: true }).toBuffer(), tolerance: 0 },
      progressiveJpeg: {
        bytes: await quadrants(SIZE).jpeg({ quality: 95, progressive: true }).toBuffer(),
        tolerance: 12,
      },
    };
    for (const [name, { bytes, tolerance }] of Object.entries(sources)) {
      const prepared = await prepare(bytes);
      assert.equal(prepared.firstFrameOnly, false, name);
      await assertNormal(prepared, tolerance);
    }
  });

  it('gives a grey picture three channels', async () => {
    const gray = await quadrants(SIZE).greyscale().toColourspace('b-w').png().toBuffer();
    assert.equal((await sharp(gray).metadata()).channels, 1);
    const prepared = await prepare(gray);
    assert.equal((await sharp(prepared.bytes).metadata()).channels, 3);
    assert.deepEqual((await decode(prepared.bytes)).data, (await decode(gray)).data);
  });

  it('uses the first frame of an animation, and says so', async () => {
    for (const bytes of [await animation('gif', SIZE), await animation('webp', SIZE), await animatedPng(SIZE)]) {
      const prepared = await prepare(bytes);
      assert.equal(prepared.firstFrameOnly, true);
      assert.equal(prepared.format, 'png');
      assert.deepEqual([prepared.width, prepared.height], [SIZE.width, SIZE.height]);
      await assertNormal(prepared, 4);
    }
  });

  it('keeps transparency', async () => {
    const transparent = sharp({ create: { ...SIZE, channels: 4, background: { r: 200, g: 100, b: 50, alpha: 0.5 } } });
    for (const bytes of [
      await transparent.clone().png().toBuffer(),
      await transparent.clone().webp({ lossless: true }).toBuffer(),
      await transparent.clone().toColourspace('rgb16').png().toBuffer(),
    ]) {
      const prepared = await prepare(bytes);
      assert.equal(prepared.hasAlpha, true);
      assert.deepEqual((await decode(prepared.bytes)).data, (await decode(bytes)).data);
    }
  });

  it('goes by the bytes, not by anything that claims otherwise', async () => {
    const prepared = await prepare(await quadrants(SIZE).webp({ lossless: true }).toBuffer());
    assert.deepEqual([prepared.source, prepared.format, prepared.contentType], ['webp', 'webp', 'image/webp']);
  });
});

describe('prepareImage: pixels that need no change', () => {
  it('are the same to the last bit, without the metadata around them', async () => {
    const plain = photograph(SIZE);
    const sources = [
      withPngChunk(await plain.clone().png().toBuffer(), 'tEXt', Buffer.from('Comment\0Telltale')),
      await plain
        .clone()
        .jpeg({ quality: 80 })
        .withExif({ IFD0: { Make: 'Telltale' } })
        .toBuffer(),
      await plain
        .clone()
        .jpeg({ progressive: true })
        .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">Telltale</x:xmpmeta>')
        .toBuffer(),
      Buffer.concat([await plain.clone().webp().toBuffer(), Buffer.from('Telltale')]),
    ];
    for (const bytes of sources) {
      assert.ok(bytes.includes('Telltale'), 'the fixture carries metadata');
      const prepared = await prepare(bytes);
      assert.equal(prepared.format, prepared.source);
      assert.equal(prepared.bytes.includes('Telltale'), false);
      assert.deepEqual((await decode(prepared.bytes)).data, (await decode(bytes)).data);
    }
  });

  it('keep a colour that a PNG declares transparent', async () => {
    const png = await quadrants(SIZE).png().toBuffer();
    // Two bytes for each channel: the colour of the bottom right corner.
    const withColor = withPngChunk(png, 'tRNS', Buffer.from([0, 240, 0, 240, 0, 240]));
    const prepared = await prepare(withColor);
    assert.equal(prepared.hasAlpha, true);
    const image = await decode(prepared.bytes);
    assert.equal(pixelAt(image, SIZE.width - 1, SIZE.height - 1)[3], 0);
    assert.equal(pixelAt(image, 0, 0)[3], 255);
  });
});

describe('prepareImage: size', () => {
  it('scales down to the longest edge and says from what', async () => {
    const prepared = await prepare(await quadrants({ width: 5000, height: 500 }).png().toBuffer());
    assert.deepEqual([prepared.width, prepared.height], [3840, 384]);
    assert.deepEqual(prepared.scaledDownFrom, { width: 5000, height: 500 });
    await assertNormal(prepared, 2);
  });

  it('scales down to the pixel count, keeping the shape', async () => {
    const limits = { ...STANDARD_IMAGE_LIMITS, pixelCountMax: 10_000 };
    const small = createImagePreparation({ concurrency: 1, waitingMax: 1, limits });
    const prepared = await small.prepareImage(await phoneJpeg({ width: 300, height: 400 }));
    assert.equal(prepared.kind, 'prepared-image');
    assert.deepEqual([prepared.width, prepared.height], [86, 115]);
    await assertNormal(prepared, 12);
  });

  it('leaves alone what fits', async () => {
    const prepared = await prepare(await quadrants({ width: 3840, height: 64 }).png().toBuffer());
    assert.equal(prepared.scaledDownFrom, undefined);
    assert.equal(prepared.width, 3840);
  });

  it('refuses a picture too small to show anything', async () => {
    const tiny = await preparation.prepareImage(await quadrants({ width: 1, height: 1 }).png().toBuffer());
    assert.deepEqual(tiny, { kind: 'too-small', width: 1, height: 1, edgePxMin: 16 });
    const thread = await preparation.prepareImage(await quadrants({ width: 8000, height: 20 }).png().toBuffer());
    assert.deepEqual(thread, { kind: 'too-small', width: 8000, height: 20, edgePxMin: 16 });
  });

  it('refuses a header that promises too much, without making room for it', async () => {
    const residentBefore = process.memoryUsage.rss();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const refusal = await preparation.prepareImage(pngOfClaimedSize({ width: 14_000, height: 14_000 }));
      assert.deepEqual(refusal, { kind: 'too-many-pixels', width: 14_000, height: 14_000, pixelCountMax: 50_000_000 });
    }
    // One decoded picture of this size would be 588 MB.
    assert.ok(process.memoryUsage.rss() - residentBefore < 50_000_000);
  });
});

describe('prepareImage: an AVIF, which is decoded whole', () => {
  it('may have fewer pixels than others', async () => {
    const limits = { ...STANDARD_IMAGE_LIMITS, avifPixelCountMax: SIZE.width * SIZE.height };
    const small = createImagePreparation({ concurrency: 1, waitingMax: 1, limits });
    const larger = { width: SIZE.width + 1, height: SIZE.height };
    const avif = async (size: typeof SIZE) => quadrants(size).avif({ effort: 0 }).toBuffer();
    assert.equal((await small.prepareImage(await avif(SIZE))).kind, 'prepared-image');
    assert.equal((await small.prepareImage(await quadrants(larger).png().toBuffer())).kind, 'prepared-image');
    assert.deepEqual(await small.prepareImage(await avif(larger)), {
      kind: 'too-many-pixels',
      ...larger,
      pixelCountMax: SIZE.width * SIZE.height,
    });
  });
});

describe('prepareImage: refusals', () => {
  it('name what was found', async () => {
    const refusals = {
      nothing: [Buffer.alloc(0), { kind: 'empty' }],
      text: [Buffer.from('Hello, this is no picture.'), { kind: 'not-an-image', found: 'unknown' }],
      pdf: [Buffer.from('%PDF-1.7 …'), { kind: 'not-an-image', found: 'pdf' }],
      heic: [brandedFile('heic', 'mif1', 'heic'), { kind: 'heic' }],
      svg: [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), { kind: 'unsupported', found: 'svg' }],
      avifInName: [brandedFile('avif', 'mif1'), { kind: 'unreadable', found: 'avif' }],
    } as const;
    for (const [name, [bytes, refusal]] of Object.entries(refusals)) {
      assert.deepEqual(await preparation.prepareImage(bytes), refusal, name);
    }
  });

  it('do not let through a file that was cut short, in whatever form', async () => {
    const picture = photograph({ width: 200, height: 150 });
    const whole = {
      png: await picture.clone().png().toBuffer(),
      jpeg: await picture.clone().jpeg().toBuffer(),
      webp: await picture.clone().webp().toBuffer(),
      gif: await picture.clone().gif().toBuffer(),
      avif: await picture.clone().avif({ effort: 0 }).toBuffer(),
      tiff: await picture.clone().tiff().toBuffer(),
    };
    for (const [found, bytes] of Object.entries(whole)) {
      for (const share of [0.1, 0.5, 0.95]) {
        const cut = bytes.subarray(0, Math.floor(bytes.length * share));
        assert.deepEqual(await preparation.prepareImage(cut), { kind: 'unreadable', found }, `${found} at ${share}`);
      }
    }
  });

  it('do not let through damage behind an intact outside', async () => {
    const png = await photograph(SIZE).png().toBuffer();
    const damaged = Buffer.from(png);
    damaged.fill(0xaa, png.length / 2, png.length / 2 + 40);
    assert.deepEqual(await preparation.prepareImage(damaged), { kind: 'unreadable', found: 'png' });
  });

  it('do not let through pixels that have become something else by damage', async () => {
    const damaged = await photograph({ width: 400, height: 300 }).png().toBuffer();
    const second = damaged.indexOf('IDAT', damaged.indexOf('IDAT') + 1);
    assert.ok(second > 0, 'the fixture has its pixels in several chunks');
    damaged.write('inAt', second, 'latin1');
    assert.equal((await preparation.prepareImage(damaged)).kind, 'unreadable');
  });

  it('do not let through what a decoder refuses, where the outside of a file does not tell', async () => {
    const picture = photograph({ width: 200, height: 150 });
    const files = [
      await picture.clone().webp().toBuffer(),
      await picture.clone().webp({ lossless: true }).toBuffer(),
      await picture.clone().jpeg({ progressive: true }).toBuffer(),
    ];
    let refused = 0;
    for (const [index, whole] of files.entries()) {
      for (let part = 1; part < 40; part += 1) {
        const damaged = Buffer.from(whole);
        const at = Math.floor((whole.length * part) / 40);
        damaged.fill(0xaa, at, Math.min(at + 40, whole.length - 2));
        const isReadable = await sharp(damaged, { failOn: 'error' })
          .raw()
          .toBuffer()
          .then(
            () => true,
            () => false,
          );
        if (isReadable) continue;
        refused += 1;
        assert.equal((await preparation.prepareImage(damaged)).kind, 'unreadable', `file ${index}, part ${part}`);
      }
    }
    assert.ok(refused >= 5, 'the damage shows in the pixels');
  });
});

describe('describeImage', () => {
  it('reads what the provider really answered', async () => {
    const webp = await quadrants(SIZE).ensureAlpha(0.5).webp().toBuffer();
    assert.deepEqual(await describeImage(sharp, webp), { format: 'webp', ...SIZE, hasAlpha: true });
    const jpeg = await quadrants(SIZE).jpeg().toBuffer();
    assert.deepEqual(await describeImage(sharp, jpeg), { format: 'jpeg', ...SIZE, hasAlpha: false });
  });

  it('knows no picture in anything else', async () => {
    for (const text of ['', '<html>502 Bad Gateway</html>', '<svg/>', '\x89PNG\r\n\x1a\n']) {
      assert.equal(await describeImage(sharp, Buffer.from(text, 'latin1')), undefined);
    }
  });
});
