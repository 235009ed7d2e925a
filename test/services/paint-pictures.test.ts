import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPaintPictures } from '../../src/services/paint-pictures.ts';
import type { AttachmentRefusal } from '../../src/services/image-request.ts';

const URL = 'https://cdn.example/photo.png';

/** Pictures that nobody can download just now, or ever. */
function openPictures(refused: AttachmentRefusal['refused']) {
  return createPaintPictures({
    load: async () => ({ refused }),
    preparation: {
      prepareImage: async () => assert.fail('there is nothing to prepare'),
      maskFromOwnTransparency: async () => assert.fail('there is nothing to look at'),
    },
  });
}

describe('a picture to be painted on', () => {
  it('that cannot be reached just now may be painted on later, and is no reason to change all of it', async () => {
    const pictures = openPictures('unreachable');
    assert.equal(await pictures.judge(URL), 'paintable');
    assert.equal(await pictures.lend(URL), 'busy');
  });

  it('that is not to be had leaves it to the edit to say why', async () => {
    for (const refused of ['gone', 'too-large', 'foreign-origin'] as const) {
      const pictures = openPictures(refused);
      assert.equal(await pictures.judge(URL), 'unusable');
      assert.equal(await pictures.lend(URL), undefined);
    }
  });
});
