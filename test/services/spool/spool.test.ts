import assert from 'node:assert/strict';
import fs from 'node:fs';
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { openSpool } from '../../../src/services/spool/spool.ts';
import { createDirectory } from '../job-fixture.ts';

const PERMISSION_BITS = 0o777;

async function openTestSpool(context: TestContext) {
  const directory = join(await createDirectory(context), 'spool');
  return { directory, spool: await openSpool(directory) };
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & PERMISSION_BITS;
}

describe('folders', () => {
  it('are created, listed, renamed and removed, files and all', async (context) => {
    const { spool, directory } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    await folder.writeFile('image-0', Buffer.from('pixels'));
    await writeFile(join(directory, 'no-folder'), '');
    assert.deepEqual(await spool.list(), ['job.one']);
    assert.equal(await spool.rename('job.one', 'job.two'), true);
    assert.equal(await readFile(spool.folder('job.two').path('image-0'), 'utf8'), 'pixels');
    await spool.folder('job.two').remove();
    await spool.folder('job.two').remove();
    assert.deepEqual(await spool.list(), []);
  });

  it('are taken over by one of several only', async (context) => {
    const { spool } = await openTestSpool(context);
    await spool.create('job.dead');
    const heirs = ['job.a', 'job.b', 'job.c'].map(async (name) => spool.rename('job.dead', name));
    assert.equal((await Promise.all(heirs)).filter(Boolean).length, 1);
    assert.equal((await spool.list()).length, 1);
  });

  it('are cleared away where ours was for the same request, and is kept already', async (context) => {
    const { spool, directory } = await openTestSpool(context);
    const ours = await spool.create('job.ours');
    await ours.writePaidRecord('receipt.json', {});
    await ours.remove();
    await mkdir(join(directory, 'idle-job.dead'));
    await writeFile(join(directory, 'idle-job.dead', 'image-0'), 'pixels');
    assert.deepEqual(await spool.list(), ['idle-job.dead']);
    assert.equal(await spool.rename('idle-job.dead', 'idle-job.ours'), false);
    assert.deepEqual(await spool.list(), []);
    assert.ok(!(await readdir(directory)).includes('idle-job.dead'));
  });

  it('are not created twice', async (context) => {
    const { spool } = await openTestSpool(context);
    await spool.create('job.one');
    await assert.rejects(async () => spool.create('job.one'), { code: 'EEXIST' });
  });

  it('and what is in them are for nobody else on the machine', async (context) => {
    const { spool, directory } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    await folder.writeRecord('durable.json', {});
    await folder.writeRecordQuickly('quick.json', {});
    await folder.writeFile('image-0', Buffer.from('pixels'));
    const sink = folder.openByteSink('image-1');
    await sink.close();
    assert.equal(await modeOf(directory), 0o700);
    assert.equal(await modeOf(folder.path('')), 0o700);
    for (const file of await readdir(folder.path(''))) assert.equal(await modeOf(folder.path(file)), 0o600, file);
  });
});

describe('records', () => {
  it('are read back as they were written last, and leave nothing else behind', async (context) => {
    const { spool } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    assert.equal(await folder.readRecord('job.json'), undefined);
    await folder.writeRecordQuickly('job.json', { step: 'begun' });
    assert.deepEqual(await folder.readRecord('job.json'), { step: 'begun' });
    await folder.writeRecord('job.json', { step: 'planned', prompt: 'fö\n' });
    assert.deepEqual(await folder.readRecord('job.json'), { step: 'planned', prompt: 'fö\n' });
    assert.deepEqual(await readdir(folder.path('')), ['job.json']);
  });

  it('stay as they were when the next one was not written to its end', async (context) => {
    const { spool } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    await appendFile(folder.path('job.json'), '\n{"step":"beg');
    assert.equal(await folder.readRecord('job.json'), undefined);
    await folder.writeRecord('job.json', { step: 'begun' });
    await appendFile(folder.path('job.json'), '\n{"step":"pla');
    assert.deepEqual(await folder.readRecord('job.json'), { step: 'begun' });
    await folder.writeRecord('job.json', { step: 'planned' });
    assert.deepEqual(await folder.readRecord('job.json'), { step: 'planned' });
  });

  it('of earlier versions are read, and written on', async (context) => {
    const { spool } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    await writeFile(folder.path('job.json'), '{"step":"begun"}');
    assert.deepEqual(await folder.readRecord('job.json'), { step: 'begun' });
    await folder.writeRecord('job.json', { step: 'planned' });
    assert.deepEqual(await folder.readRecord('job.json'), { step: 'planned' });
  });

  it('are none where a loss of power left nothing but their name', async (context) => {
    const { spool } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    await writeFile(folder.path('job.json'), '');
    assert.equal(await folder.readRecord('job.json'), undefined);
  });

  it('fail loudly where they cannot be understood', async (context) => {
    const { spool } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    await writeFile(folder.path('job.json'), '{"step":"pla');
    await assert.rejects(async () => folder.readRecord('job.json'), SyntaxError);
  });
});

describe('files', () => {
  it('take bytes piece by piece, from a buffer that is used again', async (context) => {
    const { spool } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    const sink = folder.openByteSink('image-0');
    const lent = Buffer.alloc(4);
    for (const piece of ['abcd', 'efgh', 'ij']) {
      const length = lent.write(piece);
      await sink.write(lent.subarray(0, length));
    }
    lent.fill(0);
    await sink.close();
    assert.equal(await readFile(folder.path('image-0'), 'utf8'), 'abcdefghij');
  });

  it('begin afresh when they are opened again', async (context) => {
    const { spool } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    await folder.writeFile('image-0', Buffer.from('a long first attempt'));
    await folder.writeFile('image-0', Buffer.from('second'));
    assert.equal(await readFile(folder.path('image-0'), 'utf8'), 'second');
  });

  it('tell their first bytes and their size', async (context) => {
    const { spool } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    await folder.writeFile('image-0', Buffer.from('abcdefghij'));
    assert.deepEqual(await folder.inspect('image-0', 4), {
      head: Buffer.from('abcd'),
      tail: Buffer.from('ghij'),
      sizeBytes: 10,
    });
    const whole = Buffer.from('abcdefghij');
    assert.deepEqual(await folder.inspect('image-0', 64), { head: whole, tail: whole, sizeBytes: 10 });
  });
});

/** The directories whose names are made durable from now on, without the path to the spool. */
function watchSyncs(context: TestContext, spoolDirectory: string): string[] {
  return watch(context, spoolDirectory, 'fsync');
}

/** The same with the files whose bytes are. */
function watchFlushes(context: TestContext, spoolDirectory: string): string[] {
  return watch(context, spoolDirectory, 'fdatasync');
}

function watch(context: TestContext, spoolDirectory: string, method: 'fsync' | 'fdatasync'): string[] {
  const synced: string[] = [];
  const places = new Map<number, string>();
  const { openSync, [method]: sync } = fs;
  context.mock.method(fs, 'openSync', (...args: Parameters<typeof openSync>) => {
    const file = openSync(...args);
    places.set(file, relative(spoolDirectory, String(args[0])));
    return file;
  });
  context.mock.method(fs, method, (file: number, callback: fs.NoParamCallback) => {
    synced.push(places.get(file) ?? '');
    sync(file, callback);
  });
  syncBuiltinESMExports();
  context.after(() => {
    context.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return synced;
}

describe('a paid record', () => {
  it('makes every name on the way to it durable, once for a folder that is used again', async (context) => {
    const { spool, directory } = await openTestSpool(context);
    const synced = watchSyncs(context, directory);
    const first = await spool.create('job.one');
    await first.writeRecord('job.json', { step: 'planned' });
    assert.deepEqual(synced, []);
    await first.writePaidRecord('receipt.json', { paid: 1 });
    assert.deepEqual(synced.splice(0), ['job.one', '']);
    await first.writePaidRecord('receipt.json', { paid: 2 });
    await first.remove();
    const second = await spool.create('job.two');
    await second.writeRecord('job.json', { step: 'planned' });
    await second.writePaidRecord('receipt.json', { paid: 1 });
    assert.deepEqual(synced, []);
  });

  it('takes no name for durable of a picture that broke off before there was a file', async (context) => {
    const { spool, directory } = await openTestSpool(context);
    const first = await spool.create('job.one');
    const brokenOff = first.openByteSink('image-0');
    await brokenOff.write(Buffer.from('pix'));
    await brokenOff.discard();
    await first.writePaidRecord('receipt.json', { paid: 1 });
    await first.remove();
    const second = await spool.create('job.two');
    const whole = second.openByteSink('image-0');
    await whole.write(Buffer.from('pixels'));
    await whole.close();
    const synced = watchSyncs(context, directory);
    await second.writePaidRecord('receipt.json', { paid: 1 });
    assert.deepEqual(synced, ['job.two']);
  });

  it('makes the name of a folder durable of which no job before needed it', async (context) => {
    const { spool, directory } = await openTestSpool(context);
    await (await spool.create('job.one')).remove();
    const synced = watchSyncs(context, directory);
    await (await spool.create('job.two')).writePaidRecord('receipt.json', { paid: 1 });
    assert.deepEqual(synced, ['job.two', '']);
  });
});

describe('the bytes of a record', () => {
  it('are durable when its writing is reported, unless it was to be quick', async (context) => {
    const { spool, directory } = await openTestSpool(context);
    const folder = await spool.create('job.one');
    const flushed = watchFlushes(context, directory);
    await folder.writeRecordQuickly('job.json', { step: 'begun' });
    assert.deepEqual(flushed, []);
    await folder.writeRecord('job.json', { step: 'planned' });
    assert.deepEqual(flushed.splice(0), ['job.one/job.json']);
    await folder.writePaidRecord('receipt.json', { paid: 1 });
    assert.deepEqual(flushed, ['job.one/receipt.json']);
  });
});

describe('the pictures of a folder that is used again', () => {
  it('are not changed before it is durable whose they are', async (context) => {
    const { spool, directory } = await openTestSpool(context);
    const first = await spool.create('job.one');
    await first.writePaidRecord('receipt.json', { paid: 1 });
    const steps = watchFlushes(context, directory);
    await first.writeFile('input-0', Buffer.from("of a folder that was nobody else's"));
    assert.deepEqual(steps.splice(0), ['job.one/input-0']);
    await first.remove();
    const second = await spool.create('job.two');
    await second.writeRecordQuickly('job.json', { step: 'begun' });
    await Promise.all(['input-0', 'mask'].map(async (name) => second.writeFile(name, Buffer.from('pixels'))));
    const [owner, ...pictures] = steps;
    assert.equal(owner, 'job.two/job.json');
    assert.deepEqual(pictures.toSorted(), ['job.two/input-0', 'job.two/mask']);
  });
});

describe('room', () => {
  it('is there as long as the disk has what is asked for', async (context) => {
    const directory = await createDirectory(context);
    assert.equal((await openSpool(directory, 1)).hasRoom(), true);
    assert.equal((await openSpool(directory, Number.MAX_SAFE_INTEGER)).hasRoom(), false);
  });
});
