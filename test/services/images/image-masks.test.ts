import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import sharp from 'sharp';
import type { MaskRegion } from '../../../src/services/images/image-preparation.ts';
import {
  alphaMask,
  blackAndWhiteNoise,
  brandedFile,
  decode,
  photograph,
  pixelAt,
  plane,
  quadrants,
  whiteOnBlack,
  withBrokenPixels,
  withPngChunk,
} from '../../fixtures/pictures.ts';
import {
  SIZE,
  HOLE,
  HOLE_SHARE,
  preparation,
  prepareImage,
  imageOf,
  prepareMask,
  refusalOf,
  alphaOf,
  plainSheet,
} from './mask-fixture.ts';

describe('prepareMask: what counts as a mask', () => {
  it('reads transparency, white on black, and their deep, grey, indexed and compressed kinds alike', async () => {
    const image = await imageOf(SIZE);
    const wanted = plane(SIZE, 255, HOLE, 0);
    const painted = whiteOnBlack(SIZE, HOLE);
    const transparent = await alphaMask(SIZE, HOLE);
    const alphaMasks = [
      transparent,
      await sharp(transparent).toColourspace('rgb16').png().toBuffer(),
      await sharp(transparent).greyscale().toColourspace('b-w').png().toBuffer(),
      await sharp(transparent).webp({ lossless: true }).toBuffer(),
    ];
    const paintedMasks = [
      await painted.clone().toColourspace('b-w').png().toBuffer(),
      await painted.clone().toColourspace('srgb').png().toBuffer(),
      await painted.clone().toColourspace('grey16').png().toBuffer(),
      await painted.clone().toColourspace('rgb16').png().toBuffer(),
      await painted.clone().blur(0.6).toColourspace('rgb16').png().toBuffer(),
      await painted.clone().png({ palette: true, colours: 2 }).toBuffer(),
      await painted.clone().webp({ lossless: true }).toBuffer(),
      await painted.clone().toColourspace('cmyk').tiff().toBuffer(),
      // An alpha channel that hides nothing says nothing.
      await painted.clone().toColourspace('srgb').ensureAlpha(1).png().toBuffer(),
    ];
    for (const [source, masks] of [
      ['alpha', alphaMasks],
      ['white', paintedMasks],
    ] as const) {
      for (const [index, bytes] of masks.entries()) {
        const mask = await prepareMask(bytes, image);
        assert.equal(mask.source, source, `${source} ${index}`);
        assert.equal(mask.coveredShare, HOLE_SHARE, `${source} ${index}`);
        assert.ok((await alphaOf(mask, SIZE)).equals(wanted), `${source} ${index}`);
      }
    }
  });

  it('sees through the noise of a poor JPEG', async () => {
    const image = await imageOf(SIZE);
    const noisy = await whiteOnBlack(SIZE, HOLE).toColourspace('srgb').jpeg({ quality: 20 }).toBuffer();
    const mask = await prepareMask(noisy, image);
    assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, HOLE, 0)));
  });

  it('makes a soft brush hard at its middle', async () => {
    const image = await imageOf(SIZE);
    const soft = await whiteOnBlack(SIZE, HOLE).blur(3).toColourspace('b-w').png().toBuffer();
    const mask = await prepareMask(soft, image);
    await alphaOf(mask, SIZE);
    assert.ok(Math.abs(mask.coveredShare - HOLE_SHARE) < 0.01, String(mask.coveredShare));
  });

  it('lets alpha decide where both could', async () => {
    const image = await imageOf(SIZE);
    const elsewhere = { left: 0, top: 0, width: 24, height: 20 };
    const both = await whiteOnBlack(SIZE, HOLE)
      .toColourspace('srgb')
      .joinChannel(plane(SIZE, 255, elsewhere, 0), { raw: { ...SIZE, channels: 1 } })
      .png()
      .toBuffer();
    const mask = await prepareMask(both, image);
    assert.equal(mask.source, 'alpha');
    assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, elsewhere, 0)));
  });

  it('turns a mask upright', async () => {
    const image = await imageOf(SIZE);
    const topLeft = { left: 0, top: 0, width: 60, height: 40 };
    const upright = await whiteOnBlack(SIZE, topLeft).toColourspace('srgb').png().toBuffer();
    const sideways = await sharp(await sharp(upright).rotate(270).png().toBuffer())
      .jpeg({ quality: 95 })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const mask = await prepareMask(sideways, image);
    assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, topLeft, 0)));
  });

  it('refuses pictures, colourful or grey, and plain grey', async () => {
    const image = await imageOf(SIZE);
    const pictures = [
      await photograph(SIZE).png().toBuffer(),
      await photograph(SIZE).greyscale().png().toBuffer(),
      await photograph(SIZE).jpeg().toBuffer(),
      await quadrants(SIZE).png().toBuffer(),
      await sharp({ create: { ...SIZE, channels: 3, background: '#808080' } })
        .png()
        .toBuffer(),
    ];
    for (const [index, bytes] of pictures.entries()) {
      assert.equal(await refusalOf(bytes, image), 'not-a-mask', `picture ${index}`);
    }
  });

  it('refuses masks that cover nothing or everything, each by its name', async () => {
    const image = await imageOf(SIZE);
    assert.equal(await refusalOf(await plainSheet('black'), image), 'nothing-to-edit');
    assert.equal(await refusalOf(await plainSheet('white'), image), 'everything-to-edit');
    assert.equal(await refusalOf(await plainSheet('transparent'), image), 'everything-to-edit');
  });

  it('refuses what is no readable picture as it would any other', async () => {
    const image = await imageOf(SIZE);
    const whole = await whiteOnBlack(SIZE, HOLE).png().toBuffer();
    assert.deepEqual(await preparation.prepareMask(Buffer.alloc(0), image), { kind: 'empty' });
    assert.deepEqual(await preparation.prepareMask(brandedFile('heic'), image), { kind: 'heic' });
    const cut = whole.subarray(0, whole.length - 40);
    assert.deepEqual(await preparation.prepareMask(cut, image), { kind: 'unreadable', found: 'png' });
  });
});

describe('prepareMask: a file that has the form already', () => {
  it('goes out as it came, without what it carries besides', async () => {
    const image = await imageOf(SIZE);
    const ready = withPngChunk(await alphaMask(SIZE, HOLE), 'tEXt', Buffer.from('Comment\0Telltale'));
    const mask = await prepareMask(ready, image);
    assert.equal(mask.bytes.includes('Telltale'), false);
    const pixels = ready.subarray(ready.indexOf('IDAT'));
    assert.ok(mask.bytes.subarray(mask.bytes.indexOf('IDAT')).equals(pixels), 'the very same compressed pixels');
    assert.equal(mask.source, 'alpha');
    assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, HOLE, 0)));
  });

  it('is written anew where it is soft, of another size or too heavy', async () => {
    const image = await imageOf(SIZE);
    const ready = await alphaMask(SIZE, HOLE);
    const soft = await sharp(ready).blur(2).png().toBuffer();
    const small = await alphaMask({ width: 60, height: 40 }, { left: 15, top: 10, width: 30, height: 20 });
    for (const bytes of [soft, small, await sharp(ready).webp({ lossless: true }).toBuffer()]) {
      const mask = await prepareMask(bytes, image);
      assert.equal(mask.bytes.equals(bytes), false);
      await alphaOf(mask, SIZE);
    }
    const large = { width: 1400, height: 1000 };
    const noise = photograph(large).raw();
    const heavy = await sharp(await noise.toBuffer(), { raw: { ...large, channels: 3 } })
      .joinChannel(plane(large, 255, HOLE, 0), { raw: { ...large, channels: 1 } })
      .png({ compressionLevel: 0 })
      .toBuffer();
    assert.ok(heavy.length > 4_000_000);
    const mask = await prepareMask(heavy, await imageOf(large));
    assert.ok(mask.bytes.length < 100_000, String(mask.bytes.length));
    assert.ok((await alphaOf(mask, large)).equals(plane(large, 255, HOLE, 0)));
  });

  it('is refused where its pixels do not unpack', async () => {
    const broken = withBrokenPixels(await alphaMask(SIZE, HOLE));
    assert.equal(await refusalOf(broken, await imageOf(SIZE)), 'unreadable');
  });
});

describe('prepareMask: size and shape', () => {
  it('scales a mask of the same shape, up or down, and keeps its edges hard', async () => {
    const image = await imageOf(SIZE);
    const half = { left: 15, top: 10, width: 30, height: 20 };
    const double = { left: 60, top: 40, width: 120, height: 80 };
    for (const bytes of [
      await whiteOnBlack({ width: 60, height: 40 }, half).png().toBuffer(),
      await whiteOnBlack({ width: 240, height: 160 }, double).png().toBuffer(),
      await alphaMask({ width: 60, height: 40 }, half),
      await alphaMask({ width: 240, height: 160 }, double),
    ]) {
      const mask = await prepareMask(bytes, image);
      assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, HOLE, 0)));
    }
  });

  it('accepts a shape that is off by less than one in a hundred, and refuses more with both sizes', async () => {
    const image = await imageOf({ width: 400, height: 200 });
    const hole = { left: 10, top: 10, width: 50, height: 50 };
    const near = await prepareMask(await whiteOnBlack({ width: 403, height: 200 }, hole).png().toBuffer(), image);
    await alphaOf(near, image);
    const size = { width: 405, height: 200 };
    assert.deepEqual(await preparation.prepareMask(await whiteOnBlack(size, hole).png().toBuffer(), image), {
      kind: 'shapes-differ',
      mask: size,
      image: { width: 400, height: 200 },
    });
    const turned = await whiteOnBlack({ width: 200, height: 400 }, hole).png().toBuffer();
    assert.equal(await refusalOf(turned, image), 'shapes-differ');
  });

  it('accepts the shape of what was scaled down, which whole pixels have changed', async () => {
    const sent = { width: 8000, height: 99 };
    const image = await prepareImage(await quadrants(sent).png().toBuffer());
    assert.deepEqual([image.width, image.height], [3840, 47]);
    const right = { left: 4000, top: 0, width: 4000, height: 99 };
    const mask = await prepareMask(await alphaMask(sent, right), image);
    const wanted = plane(image, 255, { left: 1920, top: 0, width: 1920, height: 47 }, 0);
    assert.ok((await alphaOf(mask, image)).equals(wanted));
    const other = await alphaMask({ width: 8000, height: 96 }, { ...right, height: 96 });
    assert.equal(await refusalOf(other, image), 'shapes-differ');
  });

  it('stays under the 4 MB that providers take, even for noise at the largest size', async () => {
    const size = { width: 3840, height: 2160 };
    const noise = await blackAndWhiteNoise(size).toColourspace('b-w').png({ compressionLevel: 1 }).toBuffer();
    const mask = await prepareMask(noise, { ...(await imageOf(SIZE)), ...size }, 'white');
    assert.ok(mask.coveredShare > 0.4 && mask.coveredShare < 0.6, String(mask.coveredShare));
    assert.ok(mask.bytes.length < 4_000_000, String(mask.bytes.length));
  });

  it('covers exactly the rectangle that was painted, whatever the rectangle', async () => {
    const cases = fc.record({
      width: fc.integer({ min: 16, max: 90 }),
      height: fc.integer({ min: 16, max: 90 }),
      edges: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
      isAlpha: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ width, height, edges: [x = 0, y = 0, w = 0, h = 0], isAlpha }) => {
        const left = Math.floor(x * (width - 1));
        const top = Math.floor(y * (height - 1));
        const hole = {
          left,
          top,
          width: 1 + Math.floor(w * (width - left - 1)),
          height: 1 + Math.floor(h * (height - top - 1)),
        };
        const size = { width, height };
        const painted = isAlpha ? await alphaMask(size, hole) : await whiteOnBlack(size, hole).png().toBuffer();
        // White that reaches into the corners could be the sheet as well, so it is said what it is.
        const outcome = await preparation.prepareMask(painted, await imageOf(size), isAlpha ? undefined : 'white');
        if (hole.width === width && hole.height === height) {
          assert.equal(outcome.kind, 'everything-to-edit');
          return;
        }
        assert.equal(outcome.kind, 'prepared-mask');
        assert.equal(outcome.coveredShare, (hole.width * hole.height) / (width * height));
        assert.ok((await alphaOf(outcome, size)).equals(plane(size, 255, hole, 0)));
      }),
      { numRuns: 60 },
    );
  });
});

describe('masks that nobody painted', () => {
  it('come from the picture’s own transparency', async () => {
    const mask = await preparation.maskFromOwnTransparency(await prepareImage(await alphaMask(SIZE, HOLE)));
    assert.equal(mask.kind, 'prepared-mask');
    assert.equal(mask.source, 'own-transparency');
    assert.equal(mask.coveredShare, HOLE_SHARE);
    assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, HOLE, 0)));
  });

  it('do not come from transparency that is nobody’s hole', async () => {
    const opaque = await photograph(SIZE).ensureAlpha(1).png().toBuffer();
    const seeThrough = await photograph(SIZE).ensureAlpha(0.4).png().toBuffer();
    const speck = await alphaMask(SIZE, { left: 60, top: 40, width: 3, height: 2 });
    const corners = Buffer.from(
      `<svg width="${SIZE.width}" height="${SIZE.height}"><rect width="100%" height="100%" rx="16"/></svg>`,
    );
    const rounded = await photograph(SIZE)
      .ensureAlpha(1)
      .composite([{ input: corners, blend: 'dest-in' }])
      .png()
      .toBuffer();
    assert.equal(pixelAt(await decode(rounded), 0, 0)[3], 0, 'the fixture has transparent corners');
    for (const [name, bytes] of Object.entries({ opaque, seeThrough, speck, rounded })) {
      assert.deepEqual(await preparation.maskFromOwnTransparency(await prepareImage(bytes)), { kind: 'no-mask' }, name);
    }
    assert.deepEqual(await preparation.maskFromOwnTransparency(await imageOf(SIZE)), { kind: 'no-mask' });
  });

  it('do not come from pixels that do not unpack', async () => {
    const broken = await prepareImage(withBrokenPixels(await alphaMask(SIZE, HOLE)));
    assert.deepEqual(await preparation.maskFromOwnTransparency(broken), { kind: 'unreadable', found: 'png' });
  });

  it('come from the name of a region', async () => {
    const image = await imageOf(SIZE);
    const centre = plane(SIZE, 255, { left: 30, top: 20, width: 60, height: 40 }, 0);
    const wanted: { readonly [Region in MaskRegion]: Buffer } = {
      left: plane(SIZE, 255, { left: 0, top: 0, width: 60, height: 80 }, 0),
      right: plane(SIZE, 255, { left: 60, top: 0, width: 60, height: 80 }, 0),
      top: plane(SIZE, 255, { left: 0, top: 0, width: 120, height: 40 }, 0),
      bottom: plane(SIZE, 255, { left: 0, top: 40, width: 120, height: 40 }, 0),
      centre,
      surroundings: Buffer.from(centre.map((value) => 255 - value)),
    };
    for (const region of ['left', 'right', 'top', 'bottom', 'centre', 'surroundings'] as const) {
      const mask = await preparation.maskFromRegion(region, image);
      assert.equal(mask.kind, 'prepared-mask');
      assert.equal(mask.source, 'region');
      assert.ok((await alphaOf(mask, SIZE)).equals(wanted[region]), region);
    }
  });
});
