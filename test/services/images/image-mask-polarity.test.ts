import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Sharp } from 'sharp';
import sharp from 'sharp';
import type { MaskMarks } from '../../../src/services/images/image-preparation.ts';
import type { Rectangle } from '../../fixtures/pictures.ts';
import { photograph, plane, whiteOnBlack } from '../../fixtures/pictures.ts';
import { SIZE, HOLE, HOLE_SHARE, preparation, imageOf, prepareMask, alphaOf, plainSheet } from './mask-fixture.ts';

const INVERTED: { readonly [Marks in MaskMarks]: MaskMarks } = { white: 'black', black: 'white' };

/** A rectangle of one colour on a sheet of the other. */
function drawn(marks: MaskMarks, hole: Rectangle): Sharp {
  const painted = whiteOnBlack(SIZE, hole);
  return marks === 'white' ? painted : painted.negate();
}

/** Strokes of one colour on an empty layer, as painting programs export them. */
function strokes(background: MaskMarks, hole: Rectangle): Promise<Buffer> {
  return sharp({ create: { ...SIZE, channels: 3, background } })
    .joinChannel(plane(SIZE, 0, hole, 255), { raw: { ...SIZE, channels: 1 } })
    .png()
    .toBuffer();
}

describe('prepareMask: what black and white mean', () => {
  const inside: readonly Rectangle[] = [
    HOLE,
    { left: 3, top: 2, width: 4, height: 5 },
    { left: 10, top: 8, width: 85, height: 53 },
  ];

  it('is what was drawn, where the sheet around it tells', async () => {
    const image = await imageOf(SIZE);
    for (const marks of ['white', 'black'] as const) {
      for (const hole of inside) {
        for (const bytes of [
          await drawn(marks, hole).png().toBuffer(),
          await drawn(marks, hole).toColourspace('srgb').jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
        ]) {
          const mask = await prepareMask(bytes, image);
          assert.equal(mask.source, marks, JSON.stringify(hole));
          assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, hole, 0)), JSON.stringify(hole));
        }
      }
    }
  });

  it('is white by convention, as long as three corners are black', async () => {
    const image = await imageOf(SIZE);
    for (const hole of [
      { left: 0, top: 0, width: 60, height: 40 },
      { left: 30, top: 0, width: 60, height: 80 },
      { left: 1, top: 1, width: 118, height: 78 },
    ]) {
      const mask = await prepareMask(await drawn('white', hole).png().toBuffer(), image);
      assert.equal(mask.source, 'white');
      assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, hole, 0)));
    }
  });

  it('is asked where it could be either', async () => {
    const image = await imageOf(SIZE);
    const either: readonly (readonly [MaskMarks, Rectangle])[] = [
      // Half and half; a sky, or the ground below it.
      ['white', { left: 0, top: 0, width: 60, height: 80 }],
      ['white', { left: 0, top: 0, width: 120, height: 30 }],
      // A drawing that runs off a white sheet, or somebody before a white background.
      ['black', { left: 50, top: 40, width: 20, height: 40 }],
      ['black', { left: 90, top: 60, width: 30, height: 20 }],
      // More drawing than sheet.
      ['black', { left: 10, top: 5, width: 100, height: 70 }],
    ];
    for (const [marks, hole] of either) {
      const bytes = await drawn(marks, hole).png().toBuffer();
      const share = (hole.width * hole.height) / (SIZE.width * SIZE.height);
      const outcome = await preparation.prepareMask(bytes, image);
      assert.equal(outcome.kind, 'ambiguous-mask', JSON.stringify(hole));
      assert.ok(Math.abs(outcome.whiteShare - (marks === 'white' ? share : 1 - share)) < 1e-9);
    }
  });

  it('is asked where black is no more than the corners of a white sheet', async () => {
    const cross = plane(SIZE, 0, { left: 15, top: 0, width: 90, height: 80 }, 255).fill(255, 10 * 120, 70 * 120);
    const bytes = await sharp(cross, { raw: { ...SIZE, channels: 1 } })
      .png()
      .toBuffer();
    assert.equal((await preparation.prepareMask(bytes, await imageOf(SIZE))).kind, 'ambiguous-mask');
  });

  it('is what its owner says, whatever it looks like', async () => {
    const image = await imageOf(SIZE);
    for (const hole of [
      HOLE,
      { left: 0, top: 0, width: 60, height: 80 },
      { left: 10, top: 5, width: 100, height: 70 },
    ]) {
      for (const colour of ['white', 'black'] as const) {
        const bytes = await drawn(colour, hole).png().toBuffer();
        const same = await prepareMask(bytes, image, colour);
        assert.equal(same.source, colour);
        assert.ok((await alphaOf(same, SIZE)).equals(plane(SIZE, 255, hole, 0)));
        const other = await prepareMask(bytes, image, INVERTED[colour]);
        assert.equal(other.source, INVERTED[colour]);
        assert.ok((await alphaOf(other, SIZE)).equals(plane(SIZE, 0, hole, 255)));
      }
    }
  });

  it('is asked for strokes on an empty layer, and both answers work', async () => {
    const image = await imageOf(SIZE);
    for (const colour of ['white', 'black'] as const) {
      const bytes = await strokes(colour, HOLE);
      const whiteShare = colour === 'white' ? HOLE_SHARE : 1 - HOLE_SHARE;
      assert.deepEqual(await preparation.prepareMask(bytes, image), { kind: 'ambiguous-mask', whiteShare });
      const same = await prepareMask(bytes, image, colour);
      assert.ok((await alphaOf(same, SIZE)).equals(plane(SIZE, 255, HOLE, 0)));
      const other = await prepareMask(bytes, image, INVERTED[colour]);
      assert.ok((await alphaOf(other, SIZE)).equals(plane(SIZE, 0, HOLE, 255)));
    }
    // What was cut out of a sheet is no drawing on one: it is transparent, and nothing else can be meant.
    for (const background of ['white', 'black']) {
      const punched = await sharp({ create: { ...SIZE, channels: 3, background } })
        .joinChannel(plane(SIZE, 255, HOLE, 0), { raw: { ...SIZE, channels: 1 } })
        .png()
        .toBuffer();
      const mask = await prepareMask(punched, image);
      assert.equal(mask.source, 'alpha');
      assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, HOLE, 0)), background);
    }
    // A picture that was cut out is no drawing: what is around it may change.
    const cutOut = await photograph(SIZE)
      .joinChannel(plane(SIZE, 0, HOLE, 255), { raw: { ...SIZE, channels: 1 } })
      .png()
      .toBuffer();
    assert.ok((await alphaOf(await prepareMask(cutOut, image), SIZE)).equals(plane(SIZE, 0, HOLE, 255)));
  });

  it('is never what is transparent in a drawing of both, once its owner has said what marks', async () => {
    const image = await imageOf(SIZE);
    const empty = { left: 0, top: 0, width: 20, height: 80 };
    const bytes = await drawn('white', HOLE)
      .toColourspace('srgb')
      .joinChannel(plane(SIZE, 255, empty, 0), { raw: { ...SIZE, channels: 1 } })
      .png()
      .toBuffer();
    const wanted = plane(SIZE, 0, HOLE, 255);
    for (let y = 0; y < SIZE.height; y += 1) wanted.fill(255, y * SIZE.width, y * SIZE.width + empty.width);
    assert.ok((await alphaOf(await prepareMask(bytes, image, 'black'), SIZE)).equals(wanted));
    const white = await prepareMask(bytes, image, 'white');
    assert.ok((await alphaOf(white, SIZE)).equals(plane(SIZE, 255, HOLE, 0)));
  });

  it('is nothing or everything only as its owner says', async () => {
    const image = await imageOf(SIZE);
    const kindOf = async (background: string, marks: MaskMarks) =>
      (await preparation.prepareMask(await plainSheet(background), image, marks)).kind;
    assert.equal(await kindOf('white', 'black'), 'nothing-to-edit');
    assert.equal(await kindOf('black', 'white'), 'nothing-to-edit');
    assert.equal(await kindOf('white', 'white'), 'everything-to-edit');
    assert.equal(await kindOf('black', 'black'), 'everything-to-edit');
    assert.equal(
      (await preparation.prepareMask(await photograph(SIZE).png().toBuffer(), image, 'white')).kind,
      'not-a-mask',
    );
  });
});
