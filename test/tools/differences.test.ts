import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { differences } from '../../src/tools/differences.ts';

describe('the differences between what is stored and what should be', () => {
  it('are none where only the order of fields differs, or what JSON does not know', () => {
    assert.deepEqual(differences({ a: 1, b: { c: [2] }, d: undefined }, { b: { c: [2] }, a: 1 }), []);
  });

  it('are each named by the fields that lead to it, whatever those are called', () => {
    const stored = { settled: 12, open: { '123': { 'is held': 1 } }, 'is ready': true };
    const expected = { settled: 11, open: { '123': { 'is held': 2 } } };
    assert.deepEqual(differences(stored, expected), [
      'settled is 12, not 11',
      'open.123.is held is 1, not 2',
      'is ready is true, not nothing',
    ]);
  });

  it('are one where it is not an object at all', () => {
    assert.deepEqual(differences('x'.repeat(200), {}), [`is "${'x'.repeat(99)}…, not {}`]);
  });
});
