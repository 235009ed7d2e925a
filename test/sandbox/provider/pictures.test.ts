import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Region } from 'sharp';
import sharp from 'sharp';
import type { InputPictures } from '../../../sandbox/provider/input-pictures.ts';
import { createNoisePngSource } from '../../../sandbox/provider/noise-png.ts';
import type { PictureRequest } from '../../../sandbox/provider/pictures.ts';
import { makePartialPicture, makePicture } from '../../../sandbox/provider/pictures.ts';
import { halfMask, plain } from './start-provider.ts';

const request: PictureRequest = {
  prompt: 'a red fox in the snow',
  index: 0,
  seed: '',
  size: { width: 256, height: 384 },
  format: 'png',
  compression: 100,
  background: 'opaque',
  inputs: undefined,
};

/** Mean of red, green, blue and alpha over a part of a picture. */
async function meanOf(picture: Buffer, region: Region): Promise<readonly number[]> {
  const { channels } = await sharp(await sharp(picture).ensureAlpha().extract(region).png().toBuffer()).stats();
  return channels.map(({ mean }) => mean);
}

async function digest(change: Partial<PictureRequest>): Promise<string> {
  const picture = await makePicture({ ...request, ...change });
  return createHash('sha256').update(picture).digest('hex');
}

test('the same request gives the same picture; prompt, index and seed each change it', async () => {
  const digests = await Promise.all([
    digest({}),
    digest({ index: 1 }),
    digest({ seed: 'other' }),
    digest({ prompt: 'a red fox in the sea' }),
  ]);
  assert.equal(new Set(digests).size, 4);
  assert.equal(await digest({}), digests[0]);
});

test('pictures have exactly the requested size and format, large ones too', async () => {
  for (const format of ['png', 'jpeg', 'webp'] as const) {
    const metadata = await sharp(await makePicture({ ...request, format })).metadata();
    assert.deepEqual([metadata.format, metadata.width, metadata.height], [format, 256, 384]);
  }
  const large = await sharp(await makePicture({ ...request, size: { width: 2560, height: 1440 } })).metadata();
  assert.deepEqual([large.width, large.height], [2560, 1440]);
});

test('more compression makes a lighter file', async () => {
  const weak = await makePicture({ ...request, format: 'jpeg', compression: 95 });
  const strong = await makePicture({ ...request, format: 'jpeg', compression: 10 });
  assert.ok(strong.length < weak.length);
});

test('colours in the prompt are seen in the picture', async () => {
  const transparent = { ...request, size: { width: 256, height: 256 }, background: 'transparent' } as const;
  const redness = async (prompt: string): Promise<number> => {
    const [red = 0, , blue = 0] = await meanOf(await makePicture({ ...transparent, prompt }), {
      left: 0,
      top: 0,
      width: 256,
      height: 256,
    });
    return red - blue;
  };
  assert.ok((await redness('a red balloon')) > 5);
  assert.ok((await redness('a blue balloon')) < -5);
});

test('a transparent background is transparent, an opaque one is not', async () => {
  const corner = { left: 0, top: 0, width: 16, height: 16 };
  const transparent = await makePicture({ ...request, background: 'transparent' });
  const opaque = await sharp(await makePicture(request)).metadata();
  assert.equal((await meanOf(transparent, corner))[3], 0);
  assert.equal((await sharp(transparent).stats()).isOpaque, false);
  assert.equal(opaque.hasAlpha, false);
});

async function editInputs(withMask: boolean): Promise<InputPictures> {
  const size = { width: 300, height: 200 };
  const picture = await plain(size.width, size.height, '#20a060').png().toBuffer();
  const mask = { bytes: await halfMask(size.width, size.height), size };
  return { images: [{ bytes: picture, size }], mask: withMask ? mask : undefined };
}

test('an edit redraws inside the mask and only drifts outside it', async () => {
  const edited = await makePicture({ ...request, size: { width: 300, height: 200 }, inputs: await editInputs(true) });
  const outside = await meanOf(edited, { left: 160, top: 5, width: 130, height: 190 });
  const [red = 0, green = 0, blue = 0] = outside;
  const drift = [red - 0x20, green - 0xa0, blue - 0x60].map(Math.abs);
  assert.ok(Math.max(...drift) > 0.5 && Math.max(...drift) < 12, `outside drifted by ${drift.join(', ')}`);
  const inside = await sharp(
    await sharp(edited).extract({ left: 5, top: 5, width: 130, height: 190 }).png().toBuffer(),
  ).stats();
  assert.ok((inside.channels[0]?.stdev ?? 0) > 10, 'inside the mask nothing was drawn');
});

test('an edit without a mask restyles everything but keeps the original visible', async () => {
  const edited = await makePicture({ ...request, size: { width: 300, height: 200 }, inputs: await editInputs(false) });
  const { channels } = await sharp(edited).stats();
  assert.ok((channels[0]?.stdev ?? 0) > 3);
  assert.ok((channels[1]?.mean ?? 0) > (channels[0]?.mean ?? 0), 'the green of the original is gone');
});

test('an opaque edit of a transparent original has no alpha left', async () => {
  const size = { width: 40, height: 30 };
  const clear = await plain(40, 30).ensureAlpha(0).png().toBuffer();
  const edited = await makePicture({ ...request, inputs: { images: [{ bytes: clear, size }], mask: undefined } });
  assert.equal((await sharp(edited).metadata()).hasAlpha, false);
});

test('edits take grey, small and transparent originals, and give transparency back', async () => {
  const size = { width: 40, height: 30 };
  const grey = { bytes: await plain(40, 30).toColourspace('b-w').png().toBuffer(), size };
  const inputs = { images: [grey], mask: undefined };
  const edited = await makePicture({ ...request, background: 'transparent', format: 'webp', inputs });
  assert.equal((await meanOf(edited, { left: 0, top: 0, width: 8, height: 8 }))[3], 0);
});

async function pixelsOf(picture: Buffer): Promise<Buffer> {
  return sharp(picture).removeAlpha().raw().toBuffer();
}

test('partial pictures come nearer to the finished one', async () => {
  const finished = await makePicture(request);
  const target = await pixelsOf(finished);
  const distances = await Promise.all(
    [0, 1, 2].map(async (index) => {
      const partial = await pixelsOf(await makePartialPicture(finished, index, request));
      assert.equal(partial.length, target.length);
      return partial.reduce((sum, value, position) => sum + Math.abs(value - (target[position] ?? 0)), 0);
    }),
  );
  assert.deepEqual(
    distances,
    distances.toSorted((a, b) => b - a),
  );
});

test('noise weighs exactly what was asked, can be decoded, and is never the same file', async () => {
  for (const sizeBytes of [150_000, 900_000, 3_000_000]) {
    const source = createNoisePngSource(sizeBytes);
    const files = await Promise.all([
      source.make({ width: 512, height: 512 }),
      source.make({ width: 512, height: 512 }),
    ]);
    for (const file of files) {
      assert.equal(file.length, sizeBytes);
      const { info } = await sharp(file, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height, info.channels], [512, 512, 3]);
    }
    assert.notDeepEqual(files[0], files[1]);
  }
  await assert.rejects(createNoisePngSource(500).make({ width: 512, height: 512 }), RangeError);
});
