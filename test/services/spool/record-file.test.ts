import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createRecordFile } from '../../../src/services/spool/record-file.ts';
import { createDirectory } from '../job-fixture.ts';

const BEGUN = { step: 'begun', prompt: 'fö\n   ' };
const PLANNED = { step: 'planned', prompt: 'fö\n   ', price: 1 };
const ENDED = { step: 'ended' };

async function pathFor(context: TestContext): Promise<string> {
  return join(await createDirectory(context), 'job.json');
}

/** What is on disk when a crash lets only some of the bytes of a change come to be, each time with one byte more. */
function* crashesBetween(before: Buffer, after: Buffer): Generator<Buffer> {
  for (let length = 0; length < after.byteLength; length += 1) {
    yield Buffer.concat([after.subarray(0, length), before.subarray(length)]);
  }
}

describe('a record', () => {
  it('is the one that was written last, for whoever wrote it and for everybody else', async (context) => {
    const path = await pathFor(context);
    const file = createRecordFile(path, true);
    assert.equal(file.read(), undefined);
    for (const record of [BEGUN, PLANNED, ENDED]) {
      await file.write(record, record === PLANNED);
      assert.deepEqual(file.read(), record);
      assert.deepEqual(createRecordFile(path, false).read(), record);
    }
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('stays as it was until the next one is there whole, and can be written on from there', async (context) => {
    const path = await pathFor(context);
    const file = createRecordFile(path, true);
    await file.write(BEGUN, true);
    const before = readFileSync(path);
    await file.write(PLANNED, true);
    for (const crashed of crashesBetween(before, readFileSync(path))) {
      writeFileSync(path, crashed);
      assert.deepEqual(createRecordFile(path, false).read(), BEGUN);
      const heir = createRecordFile(path, false);
      await heir.write(ENDED, false);
      assert.deepEqual(createRecordFile(path, false).read(), ENDED);
    }
  });

  it('is none as long as the first one is not there whole', async (context) => {
    const path = await pathFor(context);
    await createRecordFile(path, true).write(BEGUN, true);
    for (const crashed of crashesBetween(Buffer.alloc(0), readFileSync(path))) {
      writeFileSync(path, crashed);
      assert.equal(createRecordFile(path, false).read(), undefined);
    }
  });

  it('that is cleared leaves nothing of what it said, and room for a shorter one', async (context) => {
    const path = await pathFor(context);
    const file = createRecordFile(path, true);
    await file.write(BEGUN, true);
    await file.write(PLANNED, true);
    file.clear();
    assert.equal(file.read(), undefined);
    assert.equal(readFileSync(path, 'utf8').trim(), '');
    await file.write(ENDED, true);
    assert.deepEqual(createRecordFile(path, false).read(), ENDED);
    await createRecordFile(path, false).write(PLANNED, true);
    assert.deepEqual(createRecordFile(path, false).read(), PLANNED);
  });

  it('that is cleared only in part is none, and can be cleared or written by others', async (context) => {
    const path = await pathFor(context);
    const file = createRecordFile(path, true);
    await file.write(BEGUN, true);
    await file.write(PLANNED, true);
    const before = readFileSync(path);
    file.clear();
    for (const crashed of [...crashesBetween(before, readFileSync(path))].slice(1)) {
      writeFileSync(path, crashed);
      assert.equal(createRecordFile(path, false).read(), undefined);
      createRecordFile(path, false).clear();
      assert.equal(readFileSync(path, 'utf8').trim(), '');
      writeFileSync(path, crashed);
      await createRecordFile(path, false).write(ENDED, false);
      assert.deepEqual(createRecordFile(path, false).read(), ENDED);
    }
  });

  it('of an earlier version, which was a file of its own, is read and written on', async (context) => {
    const path = await pathFor(context);
    writeFileSync(path, JSON.stringify(BEGUN));
    const file = createRecordFile(path, false);
    assert.deepEqual(file.read(), BEGUN);
    await file.write(PLANNED, false);
    assert.deepEqual(createRecordFile(path, false).read(), PLANNED);
  });

  it('fails loudly where it is there and cannot be understood', async (context) => {
    const path = await pathFor(context);
    writeFileSync(path, '\n{"step":"pla\n');
    assert.throws(() => createRecordFile(path, false).read(), SyntaxError);
  });

  it('need not be there to be cleared', async (context) => {
    const path = await pathFor(context);
    createRecordFile(path, false).clear();
    assert.equal(createRecordFile(path, false).read(), undefined);
  });
});
