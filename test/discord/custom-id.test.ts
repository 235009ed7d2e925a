import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VERB } from '../../src/discord/button-verbs.ts';
import { readCustomId, writeCustomId } from '../../src/discord/custom-id.ts';

describe('custom ids', () => {
  it('are read back as they were written, and are short enough for Discord', () => {
    for (const verb of Object.values(VERB)) {
      const written = writeCustomId({ verb, id: '9'.repeat(20) });
      assert.deepEqual(readCustomId(written), { verb, id: '9'.repeat(20) });
      assert.ok(written.length <= 100);
    }
  });

  it('of another version, or broken, are told from those that are none of ours', () => {
    for (const broken of ['easel:', 'easel:0:edit:1', 'easel:2:edit:1', 'easel:1:Edit:1', 'easel:1:edit:1:2']) {
      assert.equal(readCustomId(broken), 'unreadable', broken);
    }
    for (const foreign of ['', 'edit', 'other:1:edit:1', ' easel:1:edit:1']) {
      assert.equal(readCustomId(foreign), undefined, foreign);
    }
  });
});
