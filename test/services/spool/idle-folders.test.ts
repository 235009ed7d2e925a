import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createIdleFolders } from '../../../src/services/spool/idle-folders.ts';
import { openSpool } from '../../../src/services/spool/spool.ts';
import { until } from '../../until.ts';
import { createDirectory } from '../job-fixture.ts';

const SECRET = 'nobody else shall read this';

function makeFolder(directory: string, name: string): string {
  const folder = join(directory, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'job.json'), `\n{"prompt":"${SECRET}"}\n`);
  writeFileSync(join(folder, 'image-0'), SECRET);
  return folder;
}

describe('idle folders', () => {
  it('are given to the next job, and nothing is left in them of what the records said', async (context) => {
    const directory = await createDirectory(context);
    const folders = createIdleFolders(directory);
    const inode = statSync(makeFolder(directory, '1.mine')).ino;
    assert.equal(await folders.keep('1.mine', new Set(['image-0', 'job.json'])), true);
    const [name = ''] = readdirSync(directory);
    assert.equal(folders.has(name), true);
    assert.equal(readFileSync(join(directory, name, 'job.json'), 'utf8').trim(), '');
    assert.deepEqual(folders.take('2.mine'), new Set(['image-0', 'job.json']));
    assert.deepEqual(readdirSync(directory), ['2.mine']);
    assert.equal(statSync(join(directory, '2.mine')).ino, inode);
    assert.equal(folders.take('3.mine'), undefined);
  });

  it('are no more than there is use for', async (context) => {
    const directory = await createDirectory(context);
    const folders = createIdleFolders(directory, { foldersMax: 1 });
    for (const name of ['1.mine', '2.mine']) makeFolder(directory, name);
    assert.equal(await folders.keep('1.mine', new Set()), true);
    assert.equal(await folders.keep('2.mine', new Set()), false);
    assert.equal(readFileSync(join(directory, '2.mine', 'image-0'), 'utf8'), SECRET);
  });

  it('keep pictures only in those that came last', async (context) => {
    const directory = await createDirectory(context);
    const folders = createIdleFolders(directory, { picturedMax: 2 });
    const names = ['1.mine', '2.mine', '3.mine', '4.mine'];
    for (const name of names) {
      makeFolder(directory, name);
      await folders.keep(name, new Set(['image-0', 'job.json']));
    }
    const pictures = names.map((name) => readFileSync(join(directory, `idle-${name}`, 'image-0'), 'utf8'));
    assert.deepEqual(pictures, ['', '', SECRET, SECRET]);
    for (const name of names) assert.ok(folders.take(name), 'an emptied folder is given away as well');
    assert.equal(folders.take('5.mine'), undefined);
  });

  it('keep pictures only for a while, or until they are told to empty them', async (context) => {
    const directory = await createDirectory(context);
    const patient = createIdleFolders(directory, { picturesKeptMs: 60_000 });
    makeFolder(directory, '1.mine');
    await patient.keep('1.mine', new Set(['image-0', 'job.json']));
    await patient.emptyAll();
    assert.equal(readFileSync(join(directory, 'idle-1.mine', 'image-0'), 'utf8'), '');
    const impatient = createIdleFolders(directory, { picturesKeptMs: 1 });
    const path = join(directory, 'idle-2.mine', 'image-0');
    makeFolder(directory, '2.mine');
    await impatient.keep('2.mine', new Set(['image-0', 'job.json']));
    await until(() => statSync(path).size === 0);
    await until(() => impatient.take('3.mine') !== undefined);
    assert.deepEqual(readdirSync(join(directory, '3.mine')).toSorted(), ['image-0', 'job.json']);
  });

  it('are forgotten where somebody has tidied up before their pictures were emptied', async (context) => {
    const directory = await createDirectory(context);
    const folders = createIdleFolders(directory);
    makeFolder(directory, '1.mine');
    await folders.keep('1.mine', new Set(['image-0', 'job.json']));
    rmSync(join(directory, 'idle-1.mine'), { recursive: true });
    await folders.emptyAll();
    assert.equal(folders.has('idle-1.mine'), false);
    assert.equal(folders.take('2.mine'), undefined);
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

  it('have nothing of the picture before in one that is written over it', async (context) => {
    const spool = await openSpool(await createDirectory(context));
    const [longest, shorter, shortest] = [SECRET, 'a shorter one', 'the last'];
    const folder = await spool.create('1.mine');
    for (const name of ['image-0', 'input-0']) await folder.writeFile(name, Buffer.from(longest));
    await folder.writePaidRecord('receipt.json', {});
    await folder.remove();
    const next = await spool.create('2.mine');
    assert.equal(await next.sizeBytes('image-0'), longest.length, 'the picture before is still there');
    await next.writeFile('input-0', Buffer.from(shorter));
    for (const text of [shorter, shortest]) {
      const sink = next.openByteSink('image-0');
      await sink.write(Buffer.from(text));
      await sink.close();
    }
    next.letGo();
    assert.equal(readFileSync(next.path('input-0'), 'utf8'), shorter);
    assert.equal(readFileSync(next.path('image-0'), 'utf8'), shortest);
  });

  it('have nothing left in them of other jobs where a result is kept in one', async (context) => {
    const spool = await openSpool(await createDirectory(context));
    const folder = await spool.create('1.mine');
    for (const name of ['image-0', 'image-1', 'mask']) await folder.writeFile(name, Buffer.from(SECRET));
    await folder.writePaidRecord('receipt.json', {});
    await folder.remove();
    const next = await spool.create('2.mine');
    await next.writeRecord('job.json', { step: 'planned' });
    await next.writeFile('image-0', Buffer.from('of this job'));
    await next.writePaidRecord('receipt.json', {});
    await next.removeLeftovers();
    assert.deepEqual(readdirSync(next.path('')).toSorted(), ['image-0', 'job.json', 'receipt.json']);
    await spool.folder('2.mine').removeLeftovers();
    assert.equal(readdirSync(next.path('')).length, 3, 'what is in a folder that was taken over may all be needed');
  });

  it('have nothing left in them of other jobs either where a picture of the kept result broke off', async (context) => {
    const spool = await openSpool(await createDirectory(context));
    const folder = await spool.create('1.mine');
    for (const name of ['image-0', 'image-1']) await folder.writeFile(name, Buffer.from(SECRET));
    await folder.writePaidRecord('receipt.json', {});
    await folder.remove();
    const next = await spool.create('2.mine');
    const brokenOff = next.openByteSink('image-1');
    await brokenOff.write(Buffer.from('of this'));
    await brokenOff.discard();
    await next.writeFile('image-0', Buffer.from('of this job'));
    await next.writePaidRecord('receipt.json', {});
    await next.removeLeftovers();
    assert.deepEqual(readdirSync(next.path('')).toSorted(), ['image-0', 'receipt.json']);
  });

  it('are emptied of their pictures with the spool', async (context) => {
    const directory = await createDirectory(context);
    const spool = await openSpool(directory);
    const folder = await spool.create('1.mine');
    await folder.writeFile('image-0', Buffer.from(SECRET));
    await folder.writePaidRecord('receipt.json', {});
    await folder.remove();
    await spool.close();
    assert.equal(statSync(join(directory, 'idle-1.mine', 'image-0')).size, 0);
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
