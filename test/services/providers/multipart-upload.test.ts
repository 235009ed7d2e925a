import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import type { FormField } from '../../../src/services/providers/multipart-upload.ts';
import { openMultipartUpload } from '../../../src/services/providers/multipart-upload.ts';

const MIB = 1024 * 1024;
const folder = await mkdtemp(join(tmpdir(), 'easel-upload-'));
after(async () => rm(folder, { recursive: true }));

async function fileOf(sizeBytes: number): Promise<{ readonly field: FormField; readonly bytes: Buffer }> {
  const bytes = randomBytes(sizeBytes);
  const path = join(folder, `${sizeBytes}`);
  await writeFile(path, bytes);
  return { field: { name: 'image', file: { path, name: 'image.png', contentType: 'image/png' } }, bytes };
}

describe('a form whose files are sent from disk', () => {
  // A head in front of the file lets the first piece end within it; the sizes around a piece move that end.
  for (const sizeBytes of [0, 1, 1_000, MIB - 200, MIB, 2 * MIB + 1, 3 * MIB - 7]) {
    test(`a file of ${sizeBytes} bytes comes whole, in as few pieces as there can be`, async () => {
      const { field, bytes } = await fileOf(sizeBytes);
      const upload = await openMultipartUpload([{ name: 'model', value: 'a' }, field, { name: 'n', value: '1' }]);
      const pieces: Uint8Array[] = [];
      for await (const piece of upload.body) pieces.push(piece);
      await upload.close();
      const sent = Buffer.concat(pieces);
      assert.equal(sent.length, Number(upload.headers['content-length']));
      assert.equal(pieces.length, Math.ceil(sent.length / MIB));

      const form = await new Response(sent, { headers: { ...upload.headers } }).formData();
      assert.equal(form.get('model'), 'a');
      assert.equal(form.get('n'), '1');
      const image = form.get('image');
      assert.ok(image instanceof File);
      assert.ok(Buffer.from(await image.arrayBuffer()).equals(bytes));
    });
  }

  test('a file that shrinks meanwhile is an error, and not a shorter form', async () => {
    const { field } = await fileOf(2 * MIB);
    const upload = await openMultipartUpload([field]);
    await truncate(join(folder, `${2 * MIB}`), MIB);
    await assert.rejects(async () => {
      for await (const piece of upload.body) assert.ok(piece.length > 0);
    }, /became shorter/);
    await upload.close();
  });
});
