import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { readBooks } from '../audit.ts';
import { atRest, callsFor, judge, onlyPost, postsOf, textOf } from './judgement.ts';
import { lockStore } from './conversation.ts';
import { answered, imagine } from './requests.ts';
import { addServer } from './shared-stage.ts';
import { setStage } from './support.ts';

/** Recovery every second instead of every minute. */
const HASTY_RECOVERY = { RECOVERY_SECONDS: '1' };
const WAIT_MS_MAX = 30_000;
const CHECK_INTERVAL_MS = 50;
/** Lines of it need a person's attention. */
const ERROR_LEVEL = 50;
const HTTP_UNAVAILABLE = 503;
const MEBIBYTE = 1024 * 1024;
const run = promisify(execFile);

/** Whether the exact call is written down, which is the last thing before its money is held. */
function isPlanned({ dataDirectory }: Stage, { id }: InteractionHandle): boolean {
  const spool = join(dataDirectory, 'spool');
  const folder = readdirSync(spool).find((name) => name.startsWith(id));
  const record = folder === undefined ? undefined : join(spool, folder, 'job.json');
  return record !== undefined && existsSync(record) && readFileSync(record, 'utf8').includes('"plan"');
}

/** Whether a result is booked. On a slow machine the first edit of a reply is news of the job, and nothing is paid yet. */
function isPaid({ dataDirectory }: Stage): boolean {
  return [...readBooks(dataDirectory).transfers.values()].some(({ type }) => type === 'post');
}

/** Waits until so many folders are there in which a request was at work, and nobody is any more. */
async function untilLeft({ dataDirectory }: Stage, { id }: InteractionHandle, count: number): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const left = readdirSync(join(dataDirectory, 'spool')).filter((folder) => folder.startsWith(`idle-${id}.`));
    if (left.length === count) return;
    assert.ok(Date.now() < deadline, `not ${count} folders: ${left.join(', ')}`);
    await sleep(CHECK_INTERVAL_MS);
  }
}

// Each test has a stage of its own, and much of its time is spent on waiting.
describe('recovery', { concurrency: true }, () => {
  describe('after a crash', { concurrency: 2 }, () => {
    test('of one of two processes that were asked the same: the other clears away what it has left', async (t) => {
      const stage = await setStage(t, { environment: HASTY_RECOVERY });
      const survivor = await stage.startBot();
      const other = await stage.startBot();
      const { discord, member, channel } = stage;
      const options = { prompt: 'two thrushes' };
      const interaction = discord.invoke({ command: 'imagine', member, channel, options, deliverTo: 'all' });
      await onlyPost(stage, interaction, member);
      await untilLeft(stage, interaction, 2);
      await other.kill();
      await untilLeft(stage, interaction, 1);
      assert.deepEqual(
        survivor.logLines.filter(({ level }) => Number(level) >= ERROR_LEVEL),
        [],
      );
    });

    test('while the provider works: nobody guesses, and what still waited is free', async (t) => {
      const stage = await setStage(t, { environment: { PROVIDER_CONCURRENCY: '1' } });
      const bot = await stage.startBot();
      const gate = stage.provider.holdAnswers();
      const working = imagine(stage, stage, 'at work');
      await gate.arrived(1);
      const waiting = imagine(stage, stage, 'in line');
      await stage.discord.waitFor(() => /In line/.test(textOf(waiting)), WAIT_MS_MAX);
      await bot.kill();
      gate.release();

      await stage.startBot();
      assert.match((await answered(working)).text, /its answer is lost.*Easel did not ask twice/);
      assert.match((await answered(waiting)).text, /ask again.*You were not charged/);
      await atRest(stage);
      const { posted, unknown, voided, exposure } = judge(stage);
      assert.deepEqual({ posted, unknown, voided }, { posted: 0, unknown: 1, voided: 1 });
      assert.ok(exposure > 0, 'what may have been paid for counts against the budget');
      assert.equal(callsFor(stage, 'at work').length, 1);
      assert.equal(callsFor(stage, 'in line').length, 0);
    });

    for (const kind of ['hang', 'accept then hang'] as const) {
      test(`while the paid result goes up (${kind}): it is posted once`, async (t) => {
        const stage = await setStage(t);
        const { discord } = stage;
        const bot = await stage.startBot();
        const fault = discord.faults.add({ kind, route: 'PATCH original', times: Infinity });
        const interaction = imagine(stage, stage, 'paid for');
        await discord.waitFor(() => fault.spoiled() > 0 && isPaid(stage), WAIT_MS_MAX);
        await bot.kill();
        discord.faults.clear();

        await stage.startBot();
        const post = await onlyPost(stage, interaction, stage.member);
        assert.equal(post.id, interaction.original()?.id);
        assert.equal(post.attachments.length, 1);
        assert.equal(callsFor(stage, 'paid for').length, 1);
        assert.equal(judge(stage).posted, 1);
      });
    }

    test('where the reply has died in the meantime, the paid result goes to the channel', async (t) => {
      const stage = await setStage(t);
      const { discord } = stage;
      const bot = await stage.startBot();
      const fault = discord.faults.add({ kind: 'hang', route: 'PATCH original', times: Infinity });
      const interaction = imagine(stage, stage, 'worth the wait');
      await discord.waitFor(() => fault.spoiled() > 0 && isPaid(stage), WAIT_MS_MAX);
      await bot.kill();
      discord.faults.clear();
      discord.clock.advance(60 * 60_000);

      await stage.startBot();
      const post = await onlyPost(stage, interaction, stage.member);
      assert.notEqual(post.id, interaction.original()?.id);
      assert.equal(post.nonce, interaction.id);
      assert.equal(judge(stage).posted, 1);
    });
  });

  describe('when the books cannot be written', { concurrency: 2 }, () => {
    test('for a moment, requests wait', async (t) => {
      const stage = await setStage(t);
      await stage.startBot();
      const unlock = lockStore(stage);
      const interaction = imagine(stage, stage, 'no hurry');
      await stage.discord.waitFor(() => isPlanned(stage, interaction), WAIT_MS_MAX);
      // Another command, from its beginning to its end, is time enough to run into the lock.
      await answered(stage.discord.invoke({ command: 'quota', member: stage.member, channel: stage.channel }));
      assert.deepEqual(callsFor(stage, 'no hurry'), []);
      unlock();
      await onlyPost(stage, interaction, stage.member);
      assert.equal(judge(stage).posted, 1);
    });

    test('for longer, new requests are denied, and what is paid for is booked later', async (t) => {
      const stage = await setStage(t);
      const bot = await stage.startBot({ environment: HASTY_RECOVERY });
      const gate = stage.provider.holdAnswers();
      const paid = imagine(stage, stage, 'already under way');
      await gate.arrived(1);
      const unlock = lockStore(stage);
      const health = fetch(`http://127.0.0.1:${bot.httpPort}/readyz`);
      const { channel, member } = addServer(stage);
      const denied = stage.discord.invoke({ command: 'imagine', member, channel, options: { prompt: 'too late' } });
      gate.release();
      assert.match((await answered(denied)).text, /cannot read its books.*You were not charged/);
      assert.equal((await health).status, HTTP_UNAVAILABLE);
      await stage.discord.waitFor(() => /settlement failed/.test(bot.output), WAIT_MS_MAX);
      unlock();

      await onlyPost(stage, paid, stage.member);
      assert.equal(callsFor(stage, 'too late').length, 0);
      assert.equal(callsFor(stage, 'already under way').length, 1);
      assert.equal(judge(stage).posted, 1);
    });
  });

  describe('when the disk is full', () => {
    test('new requests are denied, and a paid one waits for room', async (t) => {
      const disk = await mountSmallDisk(t);
      if (disk === undefined) return t.skip('mounting a small disk is not permitted here');
      const stage = await setStage(t, { environment: { DATA_DIR: disk } });
      const bot = await stage.startBot({ environment: HASTY_RECOVERY });
      const gate = stage.provider.holdAnswers();
      const paid = imagine(stage, stage, 'paid before the disk was full');
      await gate.arrived(1);
      await writeFile(join(disk, 'first-filler'), Buffer.alloc(200 * MEBIBYTE));
      assert.match((await answered(imagine(stage, stage, 'no room'))).text, /no room.*You were not charged/);
      await fillUp(disk);
      gate.release();
      await stage.discord.waitFor(() => /waits for room/.test(bot.output), WAIT_MS_MAX);
      await rm(join(disk, 'filler'));

      await stage.discord.waitFor(() => postsOf(stage, paid, stage.member).length > 0, WAIT_MS_MAX);
      await atRest(stage, { dataDirectories: [disk] });
      assert.equal(postsOf(stage, paid, stage.member).length, 1);
      assert.equal(bot.exit, undefined);
      assert.equal(callsFor(stage, 'no room').length, 0);
      assert.equal(callsFor(stage, 'paid before the disk was full').length, 1);
      const { posted, unknown } = judge(stage, [disk]);
      assert.deepEqual({ posted, unknown }, { posted: 1, unknown: 0 });
    });
  });
});

/** Enough that a bot with no work begins by saying yes. */
const DISK_SIZE = '300m';

/** A disk of its own for a bot; undefined where this process may not have one. */
async function mountSmallDisk(t: TestContext): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_SIZE}`, 'tmpfs', directory]);
  } catch {
    await rm(directory, { recursive: true });
    return undefined;
  }
  t.after(async () => {
    await run('umount', ['--lazy', directory]);
    await rm(directory, { recursive: true });
  });
  return directory;
}

/** Writes until nothing more fits. */
async function fillUp(disk: string): Promise<void> {
  const everything = Buffer.alloc(300 * MEBIBYTE);
  await assert.rejects(writeFile(join(disk, 'filler'), everything), { code: 'ENOSPC' });
}
