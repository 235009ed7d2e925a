import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changeValue } from '../../src/storage/change-value.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';

const pass = async (): Promise<void> => undefined;

function open() {
  const database = createMemoryDatabase();
  const parts = { store: database.connect(), random: () => 0, sleep: async () => undefined };
  const add = async (name: string) =>
    changeValue(parts, 'names', (names: readonly string[] = []) => ({ next: [...names, name], answer: names.length }));
  return { database, parts, add };
}

describe('changing a value', () => {
  it('loses nothing of what others write at the same time', async () => {
    const { parts, add } = open();
    const answers = await Promise.all(['mira', 'juno', 'pax'].map(add));
    assert.deepEqual(new Set(answers), new Set([0, 1, 2]));
    const stored = await parts.store.read<readonly string[]>('names');
    assert.deepEqual([...(stored?.value ?? [])].toSorted(), ['juno', 'mira', 'pax']);
  });

  it('writes nothing where the edit has nothing to write', async () => {
    const { database, parts, add } = open();
    await add('mira');
    const before = database.rows();
    assert.equal(await changeValue(parts, 'names', () => ({ answer: 'as it was' })), 'as it was');
    assert.deepEqual(database.rows(), before);
  });

  it('writes other values in the same breath, and only if the edit gets through', async () => {
    const { database, parts, add } = open();
    let count = 0;
    // Somebody else is faster, once.
    const overtaken = async (): Promise<void> => void (count === 1 && (await add('juno')));
    const store = database.connect({ send: pass, receive: pass, passCommitPoint: overtaken });
    await changeValue({ ...parts, store }, 'names', (names: readonly string[] = []) => {
      count += 1;
      return { next: [...names, 'mira'], writes: [{ key: `attempt-${count}`, value: names }], answer: undefined };
    });
    const stored = database.rows().map(([key, text]) => [key, JSON.parse(text).value]);
    assert.deepEqual(stored, [
      ['attempt-2', ['juno']],
      ['names', ['juno', 'mira']],
    ]);
  });
});
