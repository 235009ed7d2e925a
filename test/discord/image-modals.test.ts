import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { modalData } from '../../sandbox/discord/modal-schema.ts';
import { renderAgainModal, renderEditModal, renderPictureModal } from '../../src/discord/image-modals.ts';
import { CATALOGUES, wordsFor } from '../../src/discord/words.ts';

const PICTURES_MAX = 10;
const CUSTOM_ID = `easel:1:edit-message:${'9'.repeat(20)}`;

describe('the forms about pictures', () => {
  for (const locale of CATALOGUES.keys()) {
    it(`fit what Discord takes in ${locale}`, () => {
      const words = wordsFor(locale);
      const prefilled = { prompt: 'x'.repeat(5_000), keepOutside: true, isPrivate: true, isSpoiler: true };
      const forms = [
        renderEditModal(CUSTOM_ID, { pictures: 1, painting: true }, prefilled, words),
        renderEditModal(CUSTOM_ID, { pictures: PICTURES_MAX, painting: true }, prefilled, words),
        renderPictureModal(CUSTOM_ID, PICTURES_MAX, words),
        renderAgainModal(CUSTOM_ID, { pictures: 1, mask: false }, prefilled, words),
        renderAgainModal(CUSTOM_ID, { pictures: 4, mask: true }, prefilled, words),
      ];
      for (const form of forms) {
        const { error } = modalData.safeParse(form);
        assert.equal(error, undefined, error?.message);
      }
    });
  }
});
