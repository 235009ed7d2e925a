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
      app_permissions: '2147483647',
      attachment_size_limit: 26_214_400,
      authorizing_integration_owners: { 0: '8' },
      channel: { id: '9', type: 0 },
      channel_id: '9',
      entitlements: [{ id: '10' }],
      data: { id: '13', name: 'imagine', type: 1, options: [], components: [], resolved: {} },
      member: { user: { id: '11' }, roles: ['12'], permissions: '32', nick: 'fox' },
      locale: 'de',
      guild_locale: 'fr',
      something: { new: true },
    };
    assert.deepEqual(filled(structuredClone(complete)), complete);
  });

  test('what is missing or makes no sense is what Discord has at least', () => {
    const least = {
      app_permissions: '0',
      application_id: OWN_ID,
      attachment_size_limit: 10_485_760,
      authorizing_integration_owners: {},
      channel: undefined,
      entitlements: [],
      locale: 'en-US',
    };
    assert.deepEqual(filled({}), least);
    const senseless = Object.fromEntries(Object.keys(least).map((name) => [name, null]));
    assert.deepEqual(filled({ ...senseless, guild_locale: 7 }), { ...least, guild_locale: null });
    for (const limit of [0, -1, 1.5, Infinity, null]) {
      assert.equal(filled({ attachment_size_limit: limit })['attachment_size_limit'], 10_485_760, String(limit));
    }
  });

  test('what is null is left out, however deep', () => {
    const option = { name: 'log', type: 1, value: null, options: null };
    const written = {
      data: { options: [option, null], resolved: null, components: null, target_id: null, values: [null, 'a', 0, ''] },
      message: { id: '14', flags: null, components: [{ type: 1, components: null }], edited_timestamp: null },
    };
    const { data, message } = filled(written);
    const options = [{ name: 'log', type: 1 }];
    assert.deepEqual(data, { options, resolved: {}, components: [], values: ['a', 0, ''] });
    assert.deepEqual(message, { id: '14', components: [{ type: 1 }] });
    assert.ok(!Object.hasOwn(filled({ message: null }), 'message'));
  });

  test('a channel that is only named', () => {
    assert.deepEqual(filled({ channel_id: '9' })['channel'], { id: '9' });
    assert.deepEqual(filled({ channel_id: '9', channel: {} })['channel'], { id: '9' });
  });

  test('a member whose rights are not told has none', () => {
    const user = { id: '11' };
    assert.deepEqual(filled({ member: { user } })['member'], { user, roles: [], permissions: '0' });
    const senseless = { user, roles: null, permissions: 'all' };
    assert.deepEqual(filled({ member: senseless })['member'], { user, roles: [], permissions: '0' });
    assert.deepEqual(filled({ member: { user, roles: [], permissions: 32 } })['member'], {
      user,
      roles: [],
      permissions: '32',
    });
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
