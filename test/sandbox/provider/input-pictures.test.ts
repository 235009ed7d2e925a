import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import sharp from 'sharp';
import { errorOf, halfMask, plain, post, startProvider } from './start-provider.ts';

type File = { readonly field?: string; readonly bytes: Buffer; readonly type?: string; readonly name?: string };

function formOf(files: readonly File[]): FormData {
  const body = new FormData();
  body.append('model', 'gpt-image-2');
  body.append('prompt', 'a fox');
  body.append('quality', 'low');
  for (const { field = 'image', bytes, type = 'image/png', name = 'a.png' } of files) {
    body.append(field, new Blob([new Uint8Array(bytes)], { type }), name);
  }
  return body;
}

/** A JPEG with the application segment by which phones announce further pictures in the file. */
async function multiPictureJpeg(): Promise<Buffer> {
  const jpeg = await plain(64, 64).jpeg().toBuffer();
  const index = Buffer.concat([Buffer.from('MPF\0MM\0*', 'latin1'), Buffer.alloc(24)]);
  const segment = Buffer.alloc(4);
  segment.writeUInt16BE(0xffe2, 0);
  segment.writeUInt16BE(index.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), segment, index, jpeg.subarray(2)]);
}

/** Random pixels, which no encoder makes small. */
async function heavyPng(side: number, channels: 3 | 4): Promise<Buffer> {
  const pixels = randomFillSync(Buffer.alloc(side * side * channels));
  return sharp(pixels, { raw: { width: side, height: side, channels } })
    .png({ compressionLevel: 0 })
    .toBuffer();
}

test('pictures that the API cannot read are refused, whatever they are called', async (t) => {
  const { provider } = await startProvider(t);
  const jpeg = await plain(64, 64).jpeg().toBuffer();
  const unreadable: readonly [string, File][] = [
    ['CMYK', { bytes: await plain(64, 64).toColourspace('cmyk').jpeg().toBuffer(), type: 'image/jpeg' }],
    ['multi-picture JPEG', { bytes: await multiPictureJpeg(), type: 'image/jpeg' }],
    ['a GIF called PNG', { bytes: await plain(64, 64).gif().toBuffer() }],
    ['half a JPEG', { bytes: jpeg.subarray(0, jpeg.length / 2), type: 'image/jpeg' }],
    ['text', { bytes: Buffer.from('not an image') }],
    ['nothing', { bytes: Buffer.alloc(0) }],
  ];
  for (const [label, file] of unreadable) {
    const response = await post(provider, '/images/edits', formOf([file]));
    const error = await errorOf(response);
    assert.deepEqual([response.status, error.code], [400, 'invalid_image_file'], label);
  }
  const second = formOf([
    { field: 'image[]', bytes: jpeg, type: 'image/jpeg' },
    { field: 'image[]', bytes: Buffer.from('x') },
  ]);
  assert.match((await errorOf(await post(provider, '/images/edits', second))).message, /for image 2/);
  assert.equal(provider.bills.length, 0);
});

test('files need a name and an image type', async (t) => {
  const { provider } = await startProvider(t);
  const bytes = await plain(64, 64).png().toBuffer();
  for (const type of ['application/octet-stream', 'image/gif', 'image/heic', '']) {
    const response = await post(provider, '/images/edits', formOf([{ bytes, type }]));
    const error = await errorOf(response);
    assert.deepEqual([response.status, error.code], [400, 'unsupported_file_mimetype'], type);
  }
  const nameless = formOf([]);
  nameless.append('image', 'just text');
  assert.equal((await errorOf(await post(provider, '/images/edits', nameless))).code, 'invalid_type');
});

test('one to sixteen pictures, and several only as image[]', async (t) => {
  const { provider } = await startProvider(t);
  const bytes = await plain(64, 64).webp().toBuffer();
  const file = { field: 'image[]', bytes, type: 'image/webp' };
  const send = (files: readonly File[]): Promise<Response> => post(provider, '/images/edits', formOf(files));
  assert.equal((await send(Array.from({ length: 16 }, () => file))).status, 200);
  assert.equal((await errorOf(await send(Array.from({ length: 17 }, () => file)))).code, 'array_above_max_length');
  assert.equal((await errorOf(await send([]))).code, 'missing_required_parameter');
  const plainName = { ...file, field: 'image' };
  assert.equal((await errorOf(await send([plainName, plainName]))).code, 'duplicate_parameter');
  assert.equal(provider.bills[0]?.usage.input_tokens_details.image_tokens, 16 * 4);
});

test('a picture of 50 MB is too large', async (t) => {
  const { provider } = await startProvider(t);
  const bytes = Buffer.alloc(50 * 1024 * 1024);
  assert.equal((await errorOf(await post(provider, '/images/edits', formOf([{ bytes }])))).code, 'file_too_large');
});

test('a mask is a PNG with alpha, of the size of the first picture, below 4 MB', async (t) => {
  const { provider } = await startProvider(t);
  const picture = { bytes: await plain(96, 64).png().toBuffer() };
  const masks: readonly [string, File, string][] = [
    ['no alpha', { bytes: await plain(96, 64).png().toBuffer() }, 'invalid_mask_image_format'],
    ['other size', { bytes: await halfMask(64, 96) }, 'invalid_mask_image_format'],
    [
      'webp',
      { bytes: await plain(96, 64).ensureAlpha().webp().toBuffer(), type: 'image/webp' },
      'invalid_mask_image_format',
    ],
    ['too heavy', { bytes: await heavyPng(1050, 4) }, 'file_too_large'],
  ];
  for (const [label, mask, code] of masks) {
    const response = await post(provider, '/images/edits', formOf([picture, { ...mask, field: 'mask' }]));
    const error = await errorOf(response);
    assert.deepEqual([response.status, error.code, error.param], [400, code, 'mask'], label);
  }
  const good = formOf([picture, { field: 'mask', bytes: await halfMask(96, 64) }]);
  assert.equal((await post(provider, '/images/edits', good)).status, 200);
});

test('the size of a rotated photo is the size that a viewer sees', async (t) => {
  const { provider } = await startProvider(t);
  const quarterTurn = 6;
  const bytes = await plain(96, 64).withMetadata({ orientation: quarterTurn }).jpeg().toBuffer();
  const body = formOf([
    { bytes, type: 'image/jpeg' },
    { field: 'mask', bytes: await halfMask(64, 96) },
  ]);
  assert.equal((await post(provider, '/images/edits', body)).status, 200);
});

test('uploads are noted, and kept where that is asked for', async (t) => {
  const { provider } = await startProvider(t, { keepUploads: true });
  const bytes = await plain(64, 64).png().toBuffer();
  await post(provider, '/images/edits', formOf([{ bytes, name: 'tx-0.png' }]));
  const [file] = provider.calls[0]?.files ?? [];
  assert.deepEqual(file?.bytes, bytes);
  assert.deepEqual(
    [file?.field, file?.filename, file?.contentType, file?.sizeBytes],
    ['image', 'tx-0.png', 'image/png', bytes.length],
  );
});
