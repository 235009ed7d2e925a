import { isDeepStrictEqual } from 'node:util';
import type { Store } from './store.ts';
import { StoreFailure } from './store.ts';

/**
 * Has a store do everything that the ledger relies on, once, with keys that nobody else uses. A store that answers
 * "done" and does otherwise would otherwise be found out by the bill.
 * @param id makes the keys of this test its own
 * @throws {StoreFailure} when the store cannot do it, or does not do what it says.
 */
export async function testStore(store: Store, id: string): Promise<void> {
  const guardKey = `self-test:{${id}}:guard`;
  const rowKey = `self-test:{${id}}:row`;
  const write = async (expected: string | undefined, text: string): Promise<string | undefined> =>
    store.commit({ guard: { key: guardKey, expected, next: { text } }, writes: [{ key: rowKey, value: { text } }] });

  /** Demands that both keys hold this text, or nothing, however they are read. */
  const expectText = async (text: string | undefined, after: string): Promise<string | undefined> => {
    const guard = await store.read(guardKey);
    const together = await store.readTogether<unknown, unknown, unknown>([guardKey, rowKey, guardKey]);
    const told = [guard?.value, ...together.map((read) => read?.value), ...(await store.readMany([rowKey, guardKey]))];
    const expected = text === undefined ? undefined : { text };
    if (!told.every((value) => isDeepStrictEqual(value, expected))) throw liar(`reads something else after ${after}`);
    return guard?.version;
  };

  await expectText(undefined, 'nothing was written');
  const told = await write(undefined, 'first');
  if (told === undefined) throw liar('takes a value for changed that was never written');
  const version = await expectText('first', 'a first write');
  if (version !== told) throw liar('holds something else than it was given');
  if (await write(undefined, 'lost')) throw liar('takes a value for missing that is there');
  await expectText('first', 'a write that had to be turned away');
  if (!(await write(version, 'second'))) throw liar('takes a value for changed that nobody changed');
  if (await write(version, 'late')) throw liar('replaces a value that somebody else has changed in the meantime');
  await expectText('second', 'a write that came too late');
  await store.remove([rowKey, guardKey]);
  await expectText(undefined, 'both were removed');
}

function liar(deed: string): StoreFailure {
  return new StoreFailure(
    `the store that STORE_URL names cannot be trusted with money: it ${deed}. Check that it is what it seems to be, ` +
      'that nothing between here and there keeps copies, and that it is no replica; or choose another store',
  );
}
