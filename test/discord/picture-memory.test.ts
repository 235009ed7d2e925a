import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPictureMemory } from '../../src/discord/picture-memory.ts';

const HOUR_MS = 60 * 60_000;
const PICTURE = { url: 'https://cdn.discordapp.com/attachments/1/2/photo.png', isSpoiler: false };
const PLACE = { channel: '1', message: '2' };

describe('the pictures behind a form', () => {
  it('are those of the message in its own channel, and in no other', () => {
    const memory = createPictureMemory(() => 0);
    memory.remember(PLACE, [PICTURE]);
    assert.deepEqual(memory.recall(PLACE), [PICTURE]);
    assert.equal(memory.recall({ ...PLACE, channel: '3' }), undefined);
    assert.equal(memory.recall({ channel: PLACE.message, message: PLACE.channel }), undefined);
  });

  it('are forgotten after an hour', () => {
    let now = 0;
    const memory = createPictureMemory(() => now);
    memory.remember(PLACE, [PICTURE]);
    now = HOUR_MS - 1;
    assert.deepEqual(memory.recall(PLACE), [PICTURE]);
    now = HOUR_MS;
    assert.equal(memory.recall(PLACE), undefined);
  });

  it('are those of the thousand messages that were asked of last', () => {
    const memory = createPictureMemory(() => 0);
    for (let message = 0; message <= 1_000; message += 1) {
      memory.remember({ channel: '1', message: String(message) }, [PICTURE]);
    }
    assert.equal(memory.recall({ channel: '1', message: '0' }), undefined);
    assert.deepEqual(memory.recall({ channel: '1', message: '1' }), [PICTURE]);
  });
});
