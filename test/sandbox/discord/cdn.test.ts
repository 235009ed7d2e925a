import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Misbehaviour } from '../../../sandbox/discord/cdn.ts';
import { PIXEL_PNG, setScene } from './support.ts';

test('an attachment is served by its extension until its address expires', async (context) => {
  const { discord } = await setScene(context);
  const attachment = discord.uploadAttachment({ bytes: PIXEL_PNG, filename: 'a fox.png' });
  assert.equal(attachment.filename, 'a_fox.png');
  const url = discord.attachmentUrl(attachment);
  const response = await fetch(url);
  assert.equal(response.headers.get('content-type'), 'image/png');
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), PIXEL_PNG);
  discord.clock.advance(23 * 3_600_000);
  assert.equal((await fetch(url)).status, 200);
  discord.clock.advance(2 * 3_600_000);
  assert.equal((await fetch(url)).status, 404);
  assert.equal((await fetch(discord.attachmentUrl(attachment))).status, 200);
});

test('an address that was altered leads nowhere', async (context) => {
  const { discord } = await setScene(context);
  const url = discord.attachmentUrl(discord.uploadAttachment({ bytes: PIXEL_PNG, filename: 'a.png' }));
  const altered = [
    url.replace(/ex=\w+/, 'ex=ffffffff'),
    url.replace(/hm=\w{4}/, 'hm=0000'),
    url.replace('a.png', 'b.png'),
    url.replace(/\?.*/, ''),
  ];
  for (const address of altered) assert.equal((await fetch(address)).status, 404, address);
});

test('an attachment can claim a type that it does not have', async (context) => {
  const { discord } = await setScene(context);
  const attachment = discord.uploadAttachment({ bytes: PIXEL_PNG, filename: 'a.png', contentType: 'image/heic' });
  const response = await fetch(discord.attachmentUrl(attachment));
  assert.equal(response.headers.get('content-type'), 'image/heic');
});

test('the file server misbehaves as told', async (context) => {
  const { discord } = await setScene(context);
  const open = (misbehaviour: Misbehaviour, init?: RequestInit) =>
    fetch(discord.attachmentUrl(discord.uploadAttachment({ bytes: PIXEL_PNG, filename: 'a.png', misbehaviour })), init);

  assert.equal((await open({ kind: 'not found' })).status, 404);

  const redirect = await open({ kind: 'redirect', to: 'http://169.254.169.254/' }, { redirect: 'manual' });
  assert.deepEqual([redirect.status, redirect.headers.get('location')], [302, 'http://169.254.169.254/']);

  const startedAtMs = performance.now();
  const drip = await open({ kind: 'slow drip', bytesPerBeat: PIXEL_PNG.length / 2, beatMs: 40 });
  assert.deepEqual(new Uint8Array(await drip.arrayBuffer()), PIXEL_PNG);
  assert.ok(performance.now() - startedAtMs >= 40);

  const lying = await open({ kind: 'wrong content-length', claimedBytes: 5 });
  assert.equal(lying.headers.get('content-length'), '5');
  await lying.body?.cancel();

  const endless = await open({ kind: 'endless body' });
  let received = 0;
  assert.ok(endless.body);
  for await (const chunk of endless.body) {
    received += chunk.length;
    if (received > 100_000) break;
  }
  assert.ok(received > 100_000);
});
