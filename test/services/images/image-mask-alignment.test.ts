import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { alphaMask, photograph, plane, storedAs, whiteOnBlack, withOrientation } from '../../fixtures/pictures.ts';
import { SIZE, prepareImage, imageOf, prepareMask, refusalOf, alphaOf } from './mask-fixture.ts';

describe('prepareMask: turned like its picture', () => {
  /** Off the middle in both directions, so that every way to turn it leads elsewhere. */
  const hole = { left: 6, top: 4, width: 30, height: 20 };
  const orientations = [1, 2, 3, 4, 5, 6, 7, 8];
  const drawings = {
    'in black and white': async () => whiteOnBlack(SIZE, hole),
    'by what is transparent': async () => sharp(await alphaMask(SIZE, hole)),
  };

  for (const orientation of orientations) {
    for (const [how, draw] of Object.entries(drawings)) {
      it(`takes a mask ${how} of an image with orientation ${orientation} however it was stored, where its shape tells`, async () => {
        const image = await prepareImage(
          await withOrientation(await storedAs(photograph(SIZE), orientation), orientation),
        );
        assert.deepEqual([image.width, image.height, image.orientation], [SIZE.width, SIZE.height, orientation]);
        const lying = await storedAs(await draw(), orientation);
        const upright = await storedAs(await draw(), 1);
        const isOnItsSide = orientation >= 5;
        const masks = {
          seen: upright,
          noted: await withOrientation(lying, orientation),
          // As stored, its note lost; and as seen, with a note that no longer holds.
          ...(isOnItsSide ? { lying, notedTwice: await withOrientation(upright, orientation) } : {}),
        };
        for (const [name, bytes] of Object.entries(masks)) {
          const mask = await prepareMask(bytes, image);
          assert.ok((await alphaOf(mask, SIZE)).equals(plane(SIZE, 255, hole, 0)), name);
        }
      });
    }
  }

  it('refuses a turned mask of a picture that was never turned', async () => {
    const turned = await storedAs(whiteOnBlack(SIZE, hole), 6);
    assert.equal(await refusalOf(turned, await imageOf(SIZE)), 'shapes-differ');
  });
});
