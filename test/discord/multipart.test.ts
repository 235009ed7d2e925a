import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { MultipartBody } from '../../src/discord/multipart.ts';
import { createMultipart, uploadFromBytes, uploadFromFile } from '../../src/discord/multipart.ts';
import { createDirectory } from '../services/job-fixture.ts';

/** Reads a body as a server does: in form, and by its length. */
async function receive({ headers, body }: MultipartBody) {
  const bytes = new Uint8Array(await buffer(body));
  assert.equal(headers['content-length'], String(bytes.length));
  const form = await new Response(bytes, { headers }).formData();
  return Promise.all(
    [...form].map(async ([field, value]) =>
      typeof value === 'string'
        ? { field, text: value }
        : { field, name: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) },
    ),
  );
}

describe('createMultipart', () => {
  it('is read by any server as the message and its files, in order', async (context) => {
    const path = join(await createDirectory(context), 'image-0');
    const picture = Buffer.from([0, 13, 10, 45, 45, 255]);
    const table = Buffer.from('a,b');
    await writeFile(path, picture);
    const payload = { content: 'fö\r\n--x', attachments: [{ id: 0 }, { id: 1 }] };
    const uploads = [
      uploadFromFile(path, { name: '1-0.png', contentType: 'image/png', sizeBytes: picture.length }),
      uploadFromBytes('usage.csv', 'text/csv', table),
    ];
    assert.deepEqual(await receive(createMultipart(payload, uploads)), [
      { field: 'payload_json', text: JSON.stringify(payload) },
      { field: 'files[0]', name: '1-0.png', type: 'image/png', bytes: picture },
      { field: 'files[1]', name: 'usage.csv', type: 'text/csv', bytes: table },
    ]);
  });

  it('reads a file from its beginning each time it is sent', async (context) => {
    const path = join(await createDirectory(context), 'image-0');
    const picture = Buffer.alloc(700_000, 'pixels');
    await writeFile(path, picture);
    const upload = uploadFromFile(path, { name: '1-0.png', contentType: 'image/png', sizeBytes: picture.length });
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const [, file] = await receive(createMultipart({}, [upload]));
      assert.deepEqual(file, { field: 'files[0]', name: '1-0.png', type: 'image/png', bytes: picture });
    }
  });

  it('hands a large file over in pieces', async (context) => {
    const path = join(await createDirectory(context), 'image-0');
    await writeFile(path, Buffer.alloc(2_000_000));
    const upload = uploadFromFile(path, { name: '1-0.png', contentType: 'image/png', sizeBytes: 2_000_000 });
    let largestBytes = 0;
    for await (const piece of createMultipart({}, [upload]).body) largestBytes = Math.max(largestBytes, piece.length);
    assert.ok(largestBytes <= 256 * 1024, `a piece has ${largestBytes} bytes`);
  });
});
