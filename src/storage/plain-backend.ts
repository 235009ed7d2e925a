import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Keyv } from 'keyv';
import * as z from 'zod';
import type { AtomicChange, Backend, Row } from './backend.ts';
import { requireText } from './backend.ts';
import { withinDeadline } from './deadline.ts';
import { takeFileLock } from './file-lock.ts';
import { PRIVATE_FOLDER_MODE } from './private-modes.ts';
import { StoreFailure } from './store.ts';

const INTENT_KEY = 'intent';

const intentSchema = z.object({ value: z.array(z.object({ key: z.string(), value: z.string() })) });

/**
 * Any Keyv at all, used by one process at a time. Keyv cannot write two keys at once, so a commit first writes down
 * what it intends. If it is cut short after that, whoever comes next carries it out before doing anything else; if it
 * is cut short before, it never was.
 * @param waitMsMax for an operation and everything that waits before it
 */
export async function openPlainBackend(keyv: Keyv, lockPath: string, waitMsMax: number): Promise<Backend> {
  await mkdir(dirname(lockPath), { recursive: true, mode: PRIVATE_FOLDER_MODE });
  const lock = takeFileLock(lockPath);
  if (!lock) {
    throw new StoreFailure(
      'another process uses this store, which only one process can use at a time: stop the other one, or set ' +
        'STORE_URL to SQLite, PostgreSQL or Redis',
    );
  }
  // Failures reach whoever asked; without anybody listening, the event as well would end the process.
  keyv.on('error', () => undefined);
  const { store: adapter } = keyv;
  const inTurn = createTurns(waitMsMax);
  let mayBeCutShort = true;

  const readText = async (key: string): Promise<string | undefined> => requireText(key, await adapter.get(key));

  async function remove(key: string): Promise<void> {
    const wasThere = await adapter.delete(key);
    if (!wasThere && (await adapter.has(key))) throw new StoreFailure(`${key} could not be removed`);
  }

  async function carryOut(rows: readonly Row[]): Promise<void> {
    for (const { key, value } of rows) await writeText(key, value);
    await remove(INTENT_KEY);
    mayBeCutShort = false;
  }

  async function writeText(key: string, value: string): Promise<void> {
    if (!(await adapter.set(key, value))) throw new StoreFailure(`${key} could not be written`);
  }

  /** Ends what an earlier commit has left behind, of this process or of the one before. */
  async function finishIntent(): Promise<void> {
    if (!mayBeCutShort) return;
    const intent = await readText(INTENT_KEY);
    await carryOut(intent === undefined ? [] : intentSchema.parse(JSON.parse(intent)).value);
  }

  async function commit({ guardKey, expected, rows }: AtomicChange): Promise<boolean> {
    if ((await readText(guardKey)) !== expected) return false;
    mayBeCutShort = true;
    await writeText(INTENT_KEY, JSON.stringify({ value: rows }));
    await carryOut(rows);
    return true;
  }

  const afterIntent = async <Result>(work: () => Promise<Result>): Promise<Result> =>
    inTurn(async () => {
      await finishIntent();
      return work();
    });

  return {
    readText: async (key) => afterIntent(async () => readText(key)),
    readTexts: async (keys) =>
      afterIntent(async () => {
        const answers = await adapter.getMany([...keys]);
        return keys.map((key, index) => requireText(key, answers[index]));
      }),
    commitTexts: async (change) => afterIntent(async () => commit(change)),
    remove: async (key) => afterIntent(async () => remove(key)),
    weaknesses: async () => [],
    async close() {
      try {
        await withinDeadline(waitMsMax, async () => adapter.disconnect?.());
      } finally {
        lock.release();
      }
    },
  };
}

/** Does one thing after the other. Nobody waits too long, and what nobody waits for any more is never begun. */
function createTurns(waitMsMax: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return async (work) => {
    let isAwaited = true;
    const result = last.then(async () => {
      if (!isAwaited) throw new StoreFailure('its turn came too late');
      return work();
    });
    last = result.catch(() => undefined);
    return withinDeadline(
      waitMsMax,
      async () => result,
      () => {
        isAwaited = false;
      },
    );
  };
}
