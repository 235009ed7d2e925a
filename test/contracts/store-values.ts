import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Promises } from './store-under-test.ts';
import { create, requireValue } from './store-under-test.ts';

/** Everything that a provider's usage object can hold; whatever JSON does not have is not among it. */
const jsonValues = fc.jsonValue({ stringUnit: 'binary' }).map((value): unknown => JSON.parse(JSON.stringify(value)));

/** What becomes of values and keys in a store, whatever is in them. */
export const values: Promises = {
  async 'gives back every value as it was'({ connect }) {
    const store = await connect();
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(jsonValues, { minLength: 10, maxLength: 10 }), async (written) => {
        round += 1;
        const writes = written.map((value, index) => ({ key: `${round}:${index}`, value: [value] }));
        await store.commit({ guard: { key: `${round}`, expected: undefined, next: 0 }, writes });
        assert.deepEqual(
          await store.readMany(writes.map(({ key }) => key)),
          written.map((value) => [value]),
        );
      }),
      { numRuns: 30 },
    );
  },

  async 'gives back fields with odd names, and texts that look like its own marks'({ connect }) {
    const store = await connect();
    const usage: unknown = JSON.parse(
      '{"10":1,"9":2,"01":3,"":4,"__proto__":{"a":5},"constructor":6,"text":":base64:AAAA","colon":":","nul":"\\u0000"}',
    );
    await create(store, 'entry', usage);
    const { value } = await requireValue(store, 'entry');
    assert.deepEqual(value, usage);
    assert.equal(JSON.stringify(value), JSON.stringify(usage), 'a hash over the value is still the same');
  },

  async 'keeps a value of several megabytes'({ connect }) {
    const store = await connect();
    const large = { text: 'ü"\\\n'.repeat(1_000_000) };
    await create(store, 'large', large);
    assert.deepEqual((await requireValue(store, 'large')).value, large);
  },

  async 'tells keys apart, whatever they are made of'({ connect }) {
    const store = await connect();
    const keys = [
      'a_b',
      'a%b',
      'aXb',
      'a_',
      '%',
      '_',
      "a'b",
      'a"b',
      'a\\b',
      'ab ',
      'ab',
      'AB',
      'ä',
      'a:b',
      '{a}:b',
      '?1',
    ];
    for (const key of keys) await create(store, key, `the value of ${key}`);
    const { version } = await requireValue(store, 'a_b');
    assert.ok(await store.commit({ guard: { key: 'a_b', expected: version, next: 'changed' }, writes: [] }));
    assert.deepEqual(
      await store.readMany(keys),
      keys.map((key) => (key === 'a_b' ? 'changed' : `the value of ${key}`)),
    );
  },

  async 'keeps namespaces apart'({ connect, namespace }) {
    const [ledger, other] = await Promise.all([connect(), connect(`${namespace}-other`)]);
    await create(ledger, 'head', 'of the ledger');
    assert.equal(await other.read('head'), undefined);
    await create(other, 'head', 'of the other');
    assert.equal((await requireValue(ledger, 'head')).value, 'of the ledger');
  },

  async 'can be read by any Keyv'({ connect, plainKeyv }) {
    const store = await connect();
    const head = { seq: 1, usage: { text: ':colon', nested: [null, 1.5] } };
    const writes = [{ key: 'entry:{guild}:202611:00000001', value: ['an entry'] }];
    await store.commit({ guard: { key: 'head:{guild}:202611', expected: undefined, next: head }, writes });
    const keyv = plainKeyv();
    assert.deepEqual(await keyv.get('head:{guild}:202611'), head);
    assert.deepEqual(await keyv.get('entry:{guild}:202611:00000001'), ['an entry']);
  },
};
