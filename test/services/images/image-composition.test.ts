import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';
import sharp from 'sharp';

import { FEATHER_PX } from '../../../src/services/images/image-feather.ts';
import type { KeepOutsideRequest, PreparedImage } from '../../../src/services/images/image-preparation.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../../src/services/images/image-preparation.ts';
import type { ImageFormat } from '../../../src/services/providers/image-provider.ts';
import type { Rectangle, Rgba, Size } from '../../fixtures/pictures.ts';
import {
  alphaMask,
  decode,
  phoneJpeg,
  photograph,
  pixelAt,
  plane,
  pngOfClaimedSize,
  withBrokenPixels,
} from '../../fixtures/pictures.ts';

const SIZE = { width: 160, height: 96 };
const HOLE = { left: 40, top: 24, width: 80, height: 48 };
const preparation = createImagePreparation({ concurrency: 2, waitingMax: 32, limits: STANDARD_IMAGE_LIMITS });

async function prepare(bytes: Buffer): Promise<PreparedImage> {
  const prepared = await preparation.prepareImage(bytes);
  assert.equal(prepared.kind, 'prepared-image', JSON.stringify(prepared));
  return prepared;
}

function requestOf(original: Buffer, mask: Buffer, result: Buffer, format: ImageFormat = 'png'): KeepOutsideRequest {
  return { original, mask, isMaskOwnTransparency: false, result: async () => result, format };
}

/** Prepares the mask and composites, asserting that both went well. */
async function keepOutside(image: PreparedImage, mask: Buffer, result: Buffer, format: ImageFormat = 'png') {
  const prepared = await preparation.prepareMask(mask, image);
  assert.equal(prepared.kind, 'prepared-mask', JSON.stringify(prepared));
  const outcome = await preparation.keepOutside(requestOf(image.bytes, prepared.bytes, result, format));
  assert.equal(outcome.kind, 'outside-kept', JSON.stringify(outcome));
  assert.equal(outcome.format, format);
  assert.equal((await sharp(outcome.bytes).metadata()).format, format);
  return await decode(outcome.bytes);
}

/** The same with what was erased in the picture itself as the mask. */
async function fillErased(image: PreparedImage, result: Buffer, format: ImageFormat) {
  const mask = await preparation.maskFromOwnTransparency(image);
  assert.equal(mask.kind, 'prepared-mask');
  const request = { ...requestOf(image.bytes, mask.bytes, result, format), isMaskOwnTransparency: true };
  const outcome = await preparation.keepOutside(request);
  assert.equal(outcome.kind, 'outside-kept', JSON.stringify(outcome));
  return await decode(outcome.bytes);
}

/** How deep inside the hole a pixel lies: 1 on its rim, 0 and less outside. */
function depthInside(hole: Rectangle, x: number, y: number): number {
  return 1 + Math.min(x - hole.left, hole.left + hole.width - 1 - x, y - hole.top, hole.top + hole.height - 1 - y);
}

/** Asserts that outside the hole is the original, and deeper inside than the feather the result. */
function assertComposite(found: Rgba, original: Rgba, result: Rgba, hole: Rectangle): void {
  assert.deepEqual([found.width, found.height], [original.width, original.height]);
  for (let y = 0; y < found.height; y += 1) {
    for (let x = 0; x < found.width; x += 1) {
      const depth = depthInside(hole, x, y);
      if (depth <= 0) assert.equal(rgbaAt(found, x, y), rgbaAt(original, x, y), `outside, at ${x}, ${y}`);
      if (depth > FEATHER_PX) assert.equal(rgbaAt(found, x, y), rgbaAt(result, x, y), `inside, at ${x}, ${y}`);
    }
  }
}

/** One pixel as a single number, cheap to compare. */
function rgbaAt(image: Rgba, x: number, y: number): number {
  return image.data.readUInt32BE((y * image.width + x) * 4);
}

describe('keepOutside', () => {
  it('gives back the original exactly outside the mask, and the result inside', async () => {
    const image = await prepare(await photograph(SIZE, 1).png().toBuffer());
    const result = await photograph(SIZE, 2).png().toBuffer();
    for (const format of ['png', 'webp'] as const) {
      const found = await keepOutside(image, await alphaMask(SIZE, HOLE), result, format);
      assertComposite(found, await decode(image.bytes), await decode(result), HOLE);
    }
  });

  it('fades from one to the other inside the mask', async () => {
    const black = await prepare(
      await sharp({ create: { ...SIZE, channels: 3, background: 'black' } })
        .png()
        .toBuffer(),
    );
    const white = await sharp({ create: { ...SIZE, channels: 3, background: 'white' } })
      .png()
      .toBuffer();
    const found = await keepOutside(black, await alphaMask(SIZE, HOLE), white);
    const middle = HOLE.top + HOLE.height / 2;
    const across = Array.from({ length: FEATHER_PX + 2 }, (_, x) => pixelAt(found, HOLE.left - 1 + x, middle)[0] ?? -1);
    assert.equal(across[0], 0, 'outside is untouched');
    assert.equal(across.at(-1), 255, 'beyond the feather is the result');
    assert.ok(across.filter((value) => value > 0 && value < 255).length >= 2, `${across.join()} has steps between`);
    assert.deepEqual(
      across,
      across.toSorted((one, other) => one - other),
    );
  });

  it('is as exact for a picture that was turned upright and encoded anew', async () => {
    const image = await prepare(await phoneJpeg(SIZE));
    assert.deepEqual([image.width, image.height], [SIZE.width, SIZE.height]);
    const result = await photograph(SIZE, 2).jpeg().toBuffer();
    const found = await keepOutside(image, await alphaMask(SIZE, HOLE), result);
    assertComposite(found, await decode(image.bytes), await decode(result), HOLE);
  });

  it('is as exact for a picture in grey', async () => {
    const gray = await photograph(SIZE, 1).greyscale().toColourspace('b-w').jpeg().toBuffer();
    assert.equal((await sharp(gray).metadata()).channels, 1);
    // The provider gets it in colour; what comes back is what was sent.
    const image = { ...(await prepare(gray)), bytes: gray };
    const colorful = await photograph(SIZE, 2).png().toBuffer();
    for (const result of [colorful, gray]) {
      const found = await keepOutside(image, await alphaMask(SIZE, HOLE), result);
      assertComposite(found, await decode(gray), await decode(result), HOLE);
    }
  });

  it('brings back transparency outside the mask, and leaves the result’s inside', async () => {
    const ghost = { left: 0, top: 0, width: 30, height: 96 };
    const image = await prepare(await alphaMask(SIZE, ghost));
    const opaque = await photograph(SIZE, 2).png().toBuffer();
    const mask = await alphaMask(SIZE, HOLE);
    for (const format of ['png', 'webp'] as const) {
      const found = await keepOutside(image, mask, opaque, format);
      assertComposite(found, await decode(image.bytes), await decode(opaque), HOLE);
    }

    const hollow = await alphaMask(SIZE, { left: 60, top: 40, width: 40, height: 20 });
    const plain = await prepare(await photograph(SIZE, 1).png().toBuffer());
    const found = await keepOutside(plain, mask, hollow);
    assert.equal(pixelAt(found, 0, 0)[3], 255);
    assert.equal(pixelAt(found, 80, 50)[3], 0);
  });

  it('lets nothing shine through where the mask meets transparency', async () => {
    const ghost = { left: 0, top: 0, width: 80, height: 96 };
    const image = await prepare(await alphaMask(SIZE, ghost));
    const opaque = await photograph(SIZE, 2).png().toBuffer();
    const [original, result] = [await decode(image.bytes), await decode(opaque)];
    const found = await keepOutside(image, await alphaMask(SIZE, HOLE), opaque);
    assertComposite(found, original, result, HOLE);
    for (let y = HOLE.top; y < HOLE.top + HOLE.height; y += 1) {
      for (let x = HOLE.left; x < HOLE.left + HOLE.width; x += 1) {
        assert.equal(pixelAt(found, x, y)[3], 255, `see-through at ${x}, ${y}`);
        if (x < ghost.width) assert.equal(rgbaAt(found, x, y), rgbaAt(result, x, y), `at ${x}, ${y}`);
      }
    }
  });

  it('lets nothing shine through where the picture was erased, with a hard brush or a soft one', async () => {
    const colors = await photograph(SIZE, 1).raw().toBuffer();
    const hard = plane(SIZE, 255, HOLE, 0);
    const raw = { ...SIZE, channels: 1 } as const;
    const soft = await sharp(hard, { raw }).blur(6).toColourspace('b-w').raw().toBuffer();
    const bytes = await photograph(SIZE, 2).png().toBuffer();
    const result = await decode(bytes);
    for (const alpha of [hard, soft]) {
      const erased = sharp(colors, { raw: { ...SIZE, channels: 3 } }).joinChannel(alpha, { raw });
      const image = await prepare(await erased.png().toBuffer());
      const original = await decode(image.bytes);
      for (const format of ['png', 'webp'] as const) {
        const found = await fillErased(image, bytes, format);
        for (const [pixel, covered] of alpha.entries()) {
          const at = pixel * 4;
          assert.equal(found.data[at + 3], 255, `${format}: see-through at ${pixel}`);
          const whole = { 0: result, 255: original }[covered];
          if (whole) assert.equal(found.data.readUInt32BE(at), whole.data.readUInt32BE(at), `${format}, at ${pixel}`);
        }
      }
    }
  });

  it('leaves no white rim in JPEG around what was erased', async () => {
    const image = await prepare(await alphaMask(SIZE, HOLE));
    const navy = sharp({ create: { ...SIZE, channels: 3, background: 'navy' } });
    const found = await fillErased(image, await navy.png().toBuffer(), 'jpeg');
    for (let x = HOLE.left + 1; x < HOLE.left + FEATHER_PX; x += 1) {
      const [red = 255, green = 255] = pixelAt(found, x, HOLE.top + HOLE.height / 2);
      assert.ok(red < 40 && green < 40, `${red}, ${green} at ${x}`);
    }
  });

  it('comes close in JPEG, with transparency laid on white', async () => {
    const image = await prepare(await alphaMask(SIZE, { left: 0, top: 0, width: 32, height: 96 }));
    const result = await sharp({ create: { ...SIZE, channels: 3, background: 'navy' } })
      .jpeg()
      .toBuffer();
    const found = await keepOutside(image, await alphaMask(SIZE, HOLE), result, 'jpeg');
    for (const channel of [0, 1, 2]) assert.ok((pixelAt(found, 8, 8)[channel] ?? 0) > 250);
    const [red = 255, green = 255, blue = 0] = pixelAt(found, 80, 48);
    assert.ok(red < 8 && green < 8 && Math.abs(blue - 128) < 8);
  });

  it('works at the size of the output where that differs', async () => {
    const image = await prepare(await photograph(SIZE, 1).png().toBuffer());
    const double: Size = { width: 320, height: 192 };
    const result = await photograph(double, 2).png().toBuffer();
    const found = await keepOutside(image, await alphaMask(SIZE, HOLE), result);
    const scaled = await sharp(image.bytes).resize(320, 192, { fit: 'fill' }).png().toBuffer();
    const hole = { left: 80, top: 48, width: 160, height: 96 };
    assertComposite(found, await decode(scaled), await decode(result), hole);
  });

  it('is left off for another shape, with both sizes', async () => {
    const image = await prepare(await photograph(SIZE, 1).png().toBuffer());
    const mask = await preparation.prepareMask(await alphaMask(SIZE, HOLE), image);
    assert.equal(mask.kind, 'prepared-mask');
    const result = await photograph({ width: 96, height: 96 }, 2).png().toBuffer();
    assert.deepEqual(await preparation.keepOutside(requestOf(image.bytes, mask.bytes, result)), {
      kind: 'shapes-differ',
      original: SIZE,
      result: { width: 96, height: 96 },
    });
  });

  it('says when the result cannot be read, and throws when our own files cannot', async () => {
    const image = await prepare(await photograph(SIZE, 1).png().toBuffer());
    const mask = await preparation.prepareMask(await alphaMask(SIZE, HOLE), image);
    assert.equal(mask.kind, 'prepared-mask');
    const whole = await photograph(SIZE, 2).png().toBuffer();
    const bomb = pngOfClaimedSize({ width: 16_000, height: 9_600 });
    for (const result of [Buffer.from('<html>502</html>'), whole.subarray(0, whole.length / 2), bomb]) {
      const outcome = await preparation.keepOutside(requestOf(image.bytes, mask.bytes, result));
      assert.deepEqual(outcome, { kind: 'unreadable-result' });
    }
    await assert.rejects(preparation.keepOutside(requestOf(Buffer.from('lost'), mask.bytes, whole)));
    await assert.rejects(preparation.keepOutside(requestOf(image.bytes, Buffer.from('lost'), whole)));
  });

  it('is left off where only now the original turns out to be damaged', async () => {
    const image = await prepare(await photograph(SIZE, 1).png().toBuffer());
    const mask = await preparation.prepareMask(await alphaMask(SIZE, HOLE), image);
    assert.equal(mask.kind, 'prepared-mask');
    const result = await photograph(SIZE, 2).png().toBuffer();
    const outcome = await preparation.keepOutside(requestOf(withBrokenPixels(image.bytes), mask.bytes, result));
    assert.deepEqual(outcome, { kind: 'unreadable-original' });
  });

  it('holds for any rectangle', async () => {
    const original = await prepare(await photograph(SIZE, 1).png().toBuffer());
    const result = await photograph(SIZE, 2).png().toBuffer();
    const [originalPixels, resultPixels] = [await decode(original.bytes), await decode(result)];
    const holes = fc
      .record({ left: fc.nat(140), top: fc.nat(80), right: fc.nat(), bottom: fc.nat() })
      .map(({ left, top, right, bottom }) => ({
        left,
        top,
        width: 1 + (right % (SIZE.width - left)),
        height: 1 + (bottom % (SIZE.height - top)),
      }))
      .filter(({ width, height }) => width < SIZE.width || height < SIZE.height);
    await fc.assert(
      fc.asyncProperty(holes, async (hole) => {
        const found = await keepOutside(original, await alphaMask(SIZE, hole), result);
        assertComposite(found, originalPixels, resultPixels, hole);
      }),
      { numRuns: 25 },
    );
  });
});
