import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { takeProcessLease } from '../../src/services/process-lease.ts';
import { createDirectory } from './job-fixture.ts';

/** Starts another process that has taken its lease when this resolves. */
async function startHolder(context: TestContext, directory: string, owner: string): Promise<ChildProcess> {
  const holder = fork(join(import.meta.dirname, 'lease-holder.ts'), [directory, owner]);
  context.after(() => holder.kill('SIGKILL'));
  await once(holder, 'message');
  return holder;
}

describe('takeProcessLease', () => {
  it('tells the living from the dead, from the moment of their death', async (context) => {
    const directory = await createDirectory(context);
    const lease = await takeProcessLease(directory, 'mine');
    const holder = await startHolder(context, directory, 'theirs');
    assert.equal(lease.isAlive('theirs'), true);
    assert.equal(lease.isAlive('theirs'), true, 'asking does not end it');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    assert.equal(lease.isAlive('theirs'), false);
    lease.release();
  });

  it('tells of itself and of who never was', async (context) => {
    const lease = await takeProcessLease(await createDirectory(context), 'mine');
    assert.equal(lease.isAlive('mine'), true);
    assert.equal(lease.isAlive('nobody'), false);
    lease.release();
  });

  it('gives a name to one process at a time', async (context) => {
    const directory = await createDirectory(context);
    await startHolder(context, directory, 'theirs');
    await assert.rejects(async () => takeProcessLease(directory, 'theirs'), /already runs/);
  });

  it('is over when it is released', async (context) => {
    const directory = await createDirectory(context);
    const [mine, other] = [await takeProcessLease(directory, 'mine'), await takeProcessLease(directory, 'other')];
    other.release();
    assert.equal(mine.isAlive('other'), false);
    mine.release();
  });

  it('cleans up behind the dead, and takes nothing from the living', async (context) => {
    const directory = await createDirectory(context);
    const lease = await takeProcessLease(directory, 'mine');
    const dead = await startHolder(context, directory, 'dead');
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    await startHolder(context, directory, 'living');
    await lease.clean();
    const locks = (await readdir(directory)).filter((file) => file.endsWith('.lock'));
    assert.deepEqual(locks.toSorted(), ['living.lock', 'mine.lock']);
    assert.equal(lease.isAlive('living'), true);
    lease.release();
  });
});
