import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Locale } from 'discord.js';
import { addressOf, readAddress } from '../../src/discord/reply-address.ts';

const interaction = {
  applicationId: '1100000000000000001',
  token: 'a token',
  channelId: '1300000000000000001',
  user: { id: '1400000000000000001' },
  attachmentSizeLimit: 10_485_760,
  locale: Locale.German,
  guildLocale: null,
};

test('an address is as readable when it is used as when it was written down', () => {
  const address = addressOf(interaction);
  assert.deepEqual(readAddress(JSON.parse(JSON.stringify(address))), address);
  assert.deepEqual([address.locale, address.guildLocale], ['de', 'de']);
});

test('an address is readable with the message that the reply is, and without', () => {
  const address = { ...addressOf(interaction), replyId: '1500000000000000001' };
  assert.equal(readAddress(JSON.parse(JSON.stringify(address))).replyId, address.replyId);
  assert.ok(!('replyId' in readAddress(addressOf(interaction))));
});

test('an address that leads nowhere is refused at once, and not when the result is there', () => {
  for (const fault of [
    { token: '' },
    { applicationId: '' },
    { attachmentSizeLimit: 0 },
    { attachmentSizeLimit: NaN },
  ]) {
    assert.throws(() => addressOf({ ...interaction, ...fault }), JSON.stringify(fault));
  }
});
