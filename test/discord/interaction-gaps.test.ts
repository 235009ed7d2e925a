import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fillInteractionGaps } from '../../src/discord/interaction-gaps.ts';

const OWN_ID = '1100000000000000001';

function filled(interaction: Record<string, unknown>): Record<string, unknown> {
  const packet = { t: 'INTERACTION_CREATE', d: interaction };
  fillInteractionGaps(packet, OWN_ID);
  return packet.d;
}

describe('the gaps of an interaction', () => {
  test('what Discord says is left as it is', () => {
    const complete = {
      application_id: '7',
      attachment_size_limit: 26_214_400,
      locale: 'de',
      guild_locale: 'fr',
      something: { new: true },
    };
    assert.deepEqual(filled({ ...complete }), complete);
  });

  test('what is missing or makes no sense is what Discord has at least', () => {
    const least = { application_id: OWN_ID, attachment_size_limit: 10_485_760, locale: 'en-US' };
    assert.deepEqual(filled({}), least);
    const senseless = { application_id: 7, attachment_size_limit: '10485760', locale: null, guild_locale: 7 };
    assert.deepEqual(filled(senseless), { ...least, guild_locale: null });
    for (const limit of [0, -1, 1.5, Infinity, null]) {
      assert.equal(filled({ attachment_size_limit: limit })['attachment_size_limit'], 10_485_760, String(limit));
    }
  });

  test('other packets, and what is none, are not touched', () => {
    for (const packet of [
      undefined,
      null,
      'text',
      [],
      {},
      { t: 'READY', d: {} },
      { t: 'INTERACTION_CREATE', d: null },
    ]) {
      const before = structuredClone(packet);
      fillInteractionGaps(packet, OWN_ID);
      assert.deepEqual(packet, before);
    }
  });
});
