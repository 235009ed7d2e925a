import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createIdleFolders } from '../../src/services/idle-folders.ts';
import { openSpool } from '../../src/services/spool.ts';
import { createDirectory } from './job-fixture.ts';

const SECRET = 'nobody else shall read this';

function makeFolder(directory: string, name: string): string {
  const folder = join(directory, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'job.json'), `\n{"prompt":"${SECRET}"}\n`);
  writeFileSync(join(folder, 'image-0'), SECRET);
  return folder;
}

describe('idle folders', () => {
  it('are given to the next job, and nothing of the one before is left in them', async (context) => {
    const directory = await createDirectory(context);
    const folders = createIdleFolders(directory);
    const inode = statSync(makeFolder(directory, '1.mine')).ino;
    assert.equal(await folders.keep('1.mine', new Set(['image-0', 'job.json'])), true);
    const [name = ''] = readdirSync(directory);
    assert.equal(folders.has(name), true);
    for (const file of readdirSync(join(directory, name))) {
      assert.equal(readFileSync(join(directory, name, file), 'utf8').trim(), '', file);
    }
    assert.deepEqual(folders.take('2.mine'), new Set(['image-0', 'job.json']));
    assert.deepEqual(readdirSync(directory), ['2.mine']);
    assert.equal(statSync(join(directory, '2.mine')).ino, inode);
    assert.equal(folders.take('3.mine'), undefined);
  });

  it('are no more than there is use for', async (context) => {
    const directory = await createDirectory(context);
    const folders = createIdleFolders(directory, 1);
    for (const name of ['1.mine', '2.mine']) makeFolder(directory, name);
    assert.equal(await folders.keep('1.mine', new Set()), true);
    assert.equal(await folders.keep('2.mine', new Set()), false);
    assert.equal(readFileSync(join(directory, '2.mine', 'image-0'), 'utf8'), SECRET);
  });

  it('never take the place of a job, and are not missed', async (context) => {
    const directory = await createDirectory(context);
    const folders = createIdleFolders(directory);
    for (const name of ['1.mine', '2.mine']) makeFolder(directory, name);
    await folders.keep('1.mine', new Set());
    assert.throws(() => folders.take('2.mine'), { code: 'ENOTEMPTY' });
    assert.equal(readFileSync(join(directory, '2.mine', 'image-0'), 'utf8'), SECRET);
    makeFolder(directory, '3.mine');
    await folders.keep('3.mine', new Set());
    rmSync(join(directory, 'idle-3.mine'), { recursive: true });
    assert.equal(folders.take('4.mine'), undefined);
  });

  it('keep the files that are sure to be there, and no others', async (context) => {
    const directory = await createDirectory(context);
    const folders = createIdleFolders(directory);
    writeFileSync(join(makeFolder(directory, '1.mine'), 'fitted-1.webp'), SECRET);
    await folders.keep('1.mine', new Set(['image-0', 'job.json']));
    assert.deepEqual(readdirSync(join(directory, 'idle-1.mine')).toSorted(), ['image-0', 'job.json']);
  });

  it('are those of jobs that nobody else has heard of', async (context) => {
    const spool = await openSpool(await createDirectory(context));
    const [own, known] = [await spool.create('1.mine'), await spool.create('2.mine')];
    for (const folder of [own, known]) {
      await folder.writeFile('image-0', Buffer.from('of one job'));
      await folder.writePaidRecord('receipt.json', {});
    }
    const inode = statSync(own.path('image-0')).ino;
    await spool.folder('2.mine').remove();
    assert.equal((await spool.create('3.mine')).name, '3.mine');
    assert.deepEqual(readdirSync(spool.folder('3.mine').path('')), [], 'what was taken over is not used again');
    await own.remove();
    const next = await spool.create('4.mine');
    assert.equal(statSync(next.path('image-0')).ino, inode);
    assert.equal(next.readRecord('receipt.json'), undefined);
  });

  it('have nothing in them of records that were written more than once', async (context) => {
    const directory = await createDirectory(context);
    const spool = await openSpool(directory);
    const folder = await spool.create('1.mine');
    for (const prompt of [SECRET, `${SECRET}, nor this`]) await folder.writePaidRecord('job.json', { prompt });
    await folder.remove();
    const [idle = ''] = readdirSync(directory);
    assert.equal(readFileSync(join(directory, idle, 'job.json'), 'utf8').trim(), '');
  });
});
