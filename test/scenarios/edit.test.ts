import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metadata } from 'sharp';
import sharp from 'sharp';
import type { Rectangle, Size } from '../fixtures/pictures.ts';
import { alphaMask, decode, photograph, whiteOnBlack } from '../fixtures/pictures.ts';
import { callsFor, DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import {
  assertChangedInside,
  assertKeptOutside,
  countPixels,
  edit,
  equalShare,
  fileOf,
  isInside,
  onlyPicture,
  viewed,
} from './edits.ts';
import { assertNothingTouched, picturesOf, shownUsd, theBillFor } from './requests.ts';
import { compatibleProvider, shareStage } from './shared-stage.ts';

/** It makes three sizes; the others make any, so that small pictures stay as they are. */
const firstModel = { model: 'gpt-image-1' };

describe('/edit', { concurrency: 2 }, () => {
  const shared = shareStage({
    provider: { ...compatibleProvider, keepUploads: true },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });
  const square: Size = { width: 816, height: 816 };
  const middle: Rectangle = { left: 250, top: 280, width: 320, height: 240 };

  it('keeps every pixel of a photo from a phone outside a black-and-white mask', async () => {
    const size: Size = { width: 1024, height: 1536 };
    const hole: Rectangle = { left: 256, top: 512, width: 384, height: 640 };
    const photo = await phonePhoto(size);
    const prompt = 'a lake where the house was';
    const mask = await whiteOnBlack(size, hole).png().toBuffer();
    const asked = await edit(shared(), { prompt, photo, mask, options: firstModel });

    const result = await onlyPicture(asked);
    assert.deepEqual({ width: result.width, height: result.height }, size);
    assertKeptOutside(result, await viewed(photo), hole);
    assertChangedInside(result, await viewed(photo), hole);
    assert.ok(asked.text.includes(shownUsd(theBillFor(shared().stage, prompt).costNanoUsd)), asked.text);
  });

  it('keeps what a scaled photo shows outside the mask, scaled and otherwise untouched', async () => {
    const size: Size = { width: 1800, height: 1200 };
    const output: Size = { width: 1536, height: 1024 };
    const photo = await phonePhoto(size);
    const hole: Rectangle = { left: 600, top: 300, width: 600, height: 450 };
    const mask = await whiteOnBlack(size, hole).png().toBuffer();
    const asked = await edit(shared(), { prompt: 'a sail on the horizon', photo, mask, options: firstModel });

    const result = await onlyPicture(asked);
    assert.deepEqual({ width: result.width, height: result.height }, output);
    const scaledHole: Rectangle = { left: 512, top: 256, width: 512, height: 384 };
    assertKeptOutside(result, await viewed(photo, output), scaledHole);
    assertChangedInside(result, await viewed(photo, output), scaledHole);
  });

  it('takes transparency as the mask where there is some', async () => {
    const photo = await photograph(square).png().toBuffer();
    const mask = await alphaMask(square, middle);
    const asked = await edit(shared(), { prompt: 'a star in its place', photo, mask });

    const result = await onlyPicture(asked);
    assertKeptOutside(result, await decode(photo), middle);
    assertChangedInside(result, await decode(photo), middle);
  });

  it('keeps pixels in a WebP as exactly as in a PNG', async () => {
    const photo = await photograph(square).png().toBuffer();
    const mask = await alphaMask(square, middle);
    const asked = await edit(shared(), { prompt: 'a fish in its place', photo, mask, options: { format: 'webp' } });

    assert.ok(picturesOf(asked)[0].filename.endsWith('.webp'));
    assertKeptOutside(await onlyPicture(asked), await decode(photo), middle);
  });

  it('leaves everything to the model where keep_outside is off', async () => {
    const photo = await photograph(square).png().toBuffer();
    const mask = await alphaMask(square, middle);
    const options = { keep_outside: false };
    const asked = await edit(shared(), { prompt: 'a dog in its place', photo, mask, options });

    const share = equalShare(await onlyPicture(asked), await decode(photo), (x, y) => !isInside(x, y, middle, 0));
    assert.ok(share < 0.1, `${share} of the pixels outside are as they were`);
  });

  it('says so where the output has another shape, and keeps nothing then', async () => {
    const photo = await photograph(square).png().toBuffer();
    const mask = await alphaMask(square, middle);
    const asked = await edit(shared(), {
      prompt: 'a wide view of it',
      photo,
      mask,
      options: { size: '1536x1024' },
    });

    assert.match(asked.text, /different shape from the image, so the parts outside the mask were not put back/);
    const { width, height } = await onlyPicture(asked);
    assert.deepEqual({ width, height }, { width: 1536, height: 1024 });
  });

  it('sends the mask as a PNG of the size of the picture, clear where it may change, and no metadata', async () => {
    const size: Size = { width: 640, height: 1024 };
    const hole: Rectangle = { left: 100, top: 200, width: 300, height: 400 };
    const prompt = 'a cat on the sofa';
    // A mask of half the size, as people draw them on a preview.
    const half: Size = { width: 320, height: 512 };
    const halfHole: Rectangle = { left: 50, top: 100, width: 150, height: 200 };
    const mask = await whiteOnBlack(half, halfHole).png().toBuffer();
    await edit(shared(), { prompt, photo: await phonePhoto(size), mask });

    const [call] = callsFor(shared().stage, prompt);
    const [image, sentMask] = [fileOf(call?.files, 'image'), fileOf(call?.files, 'mask')];
    assert.equal(sentMask.contentType, 'image/png');
    const header = await sharp(sentMask.bytes).metadata();
    assert.deepEqual({ ...size, format: 'png', hasAlpha: true }, pick(header));
    const pixels = await decode(sentMask.bytes);
    const wrong = countPixels(
      pixels,
      (offset, x, y) => pixels.data[offset + 3] !== (isInside(x, y, hole, 0) ? 0 : 255),
    );
    assert.equal(wrong, 0, 'alpha is 0 in the hole and 255 around it');

    const sent = await sharp(image.bytes).metadata();
    assert.deepEqual({ width: sent.width, height: sent.height }, size, 'it is upright');
    assert.equal(sent.orientation, undefined);
    assert.equal(sent.exif, undefined, 'where it was taken stays with its owner');
  });

  const unusableMasks = [
    {
      name: 'an empty one',
      mask: () => whiteOnBlack(square, { left: 0, top: 0, width: 0, height: 0 }),
      says: /marks nothing/,
    },
    {
      name: 'a full one',
      mask: () => whiteOnBlack(square, { left: 0, top: 0, ...square }),
      says: /marks the whole image/,
    },
    {
      name: 'a colourful one',
      mask: () => photograph(square),
      says: /neither transparent anywhere nor black and white/,
    },
    {
      name: 'one of another shape',
      mask: () => whiteOnBlack({ width: 900, height: 600 }, { left: 10, top: 10, width: 50, height: 50 }),
      says: /The mask has 900 × 600 pixels and the image 816 × 816/,
    },
  ];
  for (const { name, mask, says } of unusableMasks) {
    it(`refuses ${name} before anything is held`, async () => {
      const prompt = `never edited with ${name}`;
      const photo = await photograph(square).png().toBuffer();
      const asked = await edit(shared(), { prompt, photo, mask: await mask().png().toBuffer() });

      assert.match(asked.text, says);
      assertNothingTouched(shared().stage, asked, prompt);
    });
  }

  it('asks a model that has it to look closely, and pays for that', async () => {
    const photo = await photograph({ width: 800, height: 800 }).png().toBuffer();
    const prompts = { close: 'the same at night, closely', loose: 'the same at night, loosely' };
    await edit(shared(), { prompt: prompts.close, photo, options: { ...firstModel, fidelity: 'high' } });
    await edit(shared(), { prompt: prompts.loose, photo, options: firstModel });

    const { stage } = shared();
    assert.equal(callsFor(stage, prompts.close)[0]?.parameters['input_fidelity'], 'high');
    const [close, loose] = [theBillFor(stage, prompts.close), theBillFor(stage, prompts.loose)];
    assert.ok(close.usage.input_tokens > loose.usage.input_tokens);
  });

  it('refuses it by name where the model has none', async () => {
    const photo = await photograph({ width: 64, height: 64 }).png().toBuffer();
    const prompt = 'never looked at closely';
    const options = { fidelity: 'high', model: 'gpt-image-2' };
    const asked = await edit(shared(), { prompt, photo, options });

    assert.match(asked.text, /`gpt-image-2` does not support fidelity `high`\. These models do: `gpt-image-1`/);
    assertNothingTouched(shared().stage, asked, prompt);
  });
});

/** A photograph as phones store it: lying on its side, with a note to turn it, and a note of where it was taken. */
async function phonePhoto(uprightSize: Size): Promise<Buffer> {
  const upright = await photograph(uprightSize).jpeg({ quality: 98 }).toBuffer();
  return sharp(upright)
    .rotate(270)
    .jpeg({ quality: 92 })
    .withExif({ IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .toBuffer();
}

function pick({ width, height, format, hasAlpha }: Metadata) {
  return { width, height, format, hasAlpha };
}
