import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { ENCODING_TOLERANCE, KINDS_SIZE, PICTURE_KINDS, UNUSABLE_FILES } from '../fixtures/picture-kinds.ts';
import type { Rgba, Size } from '../fixtures/pictures.ts';
import { CORNERS, decode, photograph, pixelAt, plane, quadrants } from '../fixtures/pictures.ts';
import { assertChangedInside, assertKeptOutside, edit, fileOf, onlyPicture, viewed } from './edits.ts';
import { callsFor, DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import { assertNothingTouched, courseOf, theBillFor } from './requests.ts';
import { compatibleProvider, shareStage } from './shared-stage.ts';

/** The model makes it itself, so that what is kept can be compared pixel by pixel. */
const size = KINDS_SIZE;
const rightHalf = { left: size.width / 2, top: 0, width: size.width / 2, height: size.height };

describe('/edit and the pictures that people have', { concurrency: 3 }, () => {
  const shared = shareStage({
    provider: { ...compatibleProvider, keepUploads: true },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });

  for (const { name, filename, bytes, says } of UNUSABLE_FILES) {
    it(`refuses ${name} before anything is held`, async () => {
      const prompt = `never made from ${name}`;
      const asked = await edit(shared(), { prompt, photo: await bytes(), filename });

      assert.match(asked.text, says);
      assertNothingTouched(shared().stage, asked, prompt);
    });
  }

  for (const { name, filename, bytes, tolerance, isAnimated = false } of PICTURE_KINDS) {
    it(`takes ${name}, upright and in its own colours, and keeps what is to be kept`, async () => {
      const { stage } = shared();
      const prompt = `made from ${name}`;
      const photo = await bytes();
      const asked = await edit(shared(), { prompt, photo, filename, options: { region: 'right' } });

      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
      assert.equal(theBillFor(stage, prompt).n, 1);
      assert.equal(/was animated; its first frame was used/.test(asked.text), isAnimated, asked.text);

      const files = callsFor(stage, prompt)[0]?.files;
      const seen = await viewed(photo);
      await assertSound(fileOf(files, 'image').bytes, seen, tolerance);
      await assertRightHalfIsClear(fileOf(files, 'mask').bytes);

      const result = await onlyPicture(asked);
      assertKeptOutside(result, seen, rightHalf);
      assertChangedInside(result, seen, rightHalf);
    });
  }

  it('scales a huge photo down for the model, and keeps it at the size that comes back', async () => {
    const prompt = 'made from a huge photo';
    const photo = await photograph({ width: 3_900, height: 2_600 }).jpeg().toBuffer();
    const output: Size = { width: 1536, height: 1024 };
    const options = { region: 'left', size: `${output.width}x${output.height}` };
    const asked = await edit(shared(), { prompt, photo, options });

    const sent = await sharp(fileOf(callsFor(shared().stage, prompt)[0]?.files, 'image').bytes).metadata();
    assert.ok(sent.width <= 3840 && sent.width * sent.height <= 8_294_400, `${sent.width} × ${sent.height}`);
    assert.ok(sent.width * sent.height > 8_000_000, 'no smaller than it has to be');
    const result = await onlyPicture(asked);
    assert.deepEqual({ width: result.width, height: result.height }, output);
    assertKeptOutside(result, await viewed(photo, output), { left: 0, top: 0, width: 768, height: 1024 });
  });

  it('takes a tiny picture of a few hundred pixels', async () => {
    const prompt = 'made from a tiny picture';
    const photo = await quadrants({ width: 20, height: 20 }).png().toBuffer();
    const asked = await edit(shared(), { prompt, photo });

    const result = await onlyPicture(asked);
    assert.equal(result.width, result.height);
    const sent = await decode(fileOf(callsFor(shared().stage, prompt)[0]?.files, 'image').bytes);
    assert.deepEqual({ width: sent.width, height: sent.height }, { width: 20, height: 20 });
  });
});

/** The provider was sent what a viewer shows, as plain as it takes it, and in the colours that were painted. */
async function assertSound(sent: Buffer, seen: Rgba, tolerance: number | undefined): Promise<void> {
  const header = await sharp(sent).metadata();
  assert.ok(['png', 'jpeg', 'webp'].includes(header.format), header.format);
  assert.deepEqual([header.space, header.depth, header.pages ?? 1], ['srgb', 'uchar', 1]);
  for (const metadata of [header.orientation, header.exif, header.icc, header.xmp]) assert.equal(metadata, undefined);

  const pixels = await decode(sent);
  assert.deepEqual({ width: pixels.width, height: pixels.height }, size);
  const [right, bottom] = [size.width - 10, size.height - 10];
  for (const [x, y, painted] of [
    [10, 10, CORNERS.topLeft],
    [right, 10, CORNERS.topRight],
    [10, bottom, CORNERS.bottomLeft],
    [right, bottom, CORNERS.bottomRight],
  ] as const) {
    const found = pixelAt(pixels, x, y);
    assertNear(found, pixelAt(seen, x, y), ENCODING_TOLERANCE);
    if (tolerance !== undefined) assertNear(found, [...painted, 255], tolerance);
  }
}

function assertNear(found: readonly number[], wanted: readonly number[], tolerance: number): void {
  const distance = Math.max(...wanted.map((value, channel) => Math.abs(value - (found[channel] ?? Infinity))));
  assert.ok(distance <= tolerance, `saw ${found.join(', ')} in place of ${wanted.join(', ')}`);
}

async function assertRightHalfIsClear(mask: Buffer): Promise<void> {
  const alpha = await sharp(mask).extractChannel('alpha').raw().toBuffer();
  assert.ok(alpha.equals(plane(size, 255, rightHalf, 0)));
}
