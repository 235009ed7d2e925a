import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { TurnOrder } from '../../../src/services/queue/turn-order.ts';
import { createTurnOrder } from '../../../src/services/queue/turn-order.ts';

type Item = { readonly guild: string; readonly member: string; readonly number: number };

/** Somebody comes, somebody leaves (the n-th of those in line, as far as there is one), or somebody has a turn. */
type Step = { readonly come: { guild: string; member: string } } | { readonly leave: number } | 'turn';

const GUILDS = ['a', 'b', 'c'];
const MEMBERS = ['x', 'y', 'z'];
const UNLIMITED = 10_000;

const come = fc.record({
  come: fc.record({ guild: fc.constantFrom(...GUILDS), member: fc.constantFrom(...MEMBERS) }),
});
const leave = fc.record({ leave: fc.nat({ max: 5 }) });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: come },
    { weight: 5, arbitrary: fc.constant('turn' as const) },
    { weight: 1, arbitrary: leave },
  ),
  { maxLength: 80 },
);

/** Takes steps, and tells of every one what was taken and who waited before it. */
function walk(line: TurnOrder<Item>, all: readonly Step[]) {
  const waiting = new Set<Item>();
  const events: { readonly served: Item | undefined; readonly waitedBefore: readonly Item[] }[] = [];
  for (const [number, step] of all.entries()) {
    const waitedBefore = [...waiting];
    let served: Item | undefined;
    if (step === 'turn') {
      const next = line.peek();
      served = line.take();
      assert.equal(served, next);
      if (served) waiting.delete(served);
    } else if ('come' in step) {
      const item = { ...step.come, number };
      line.add(item, item);
      waiting.add(item);
    } else {
      const item = [...waiting][step.leave];
      if (item) {
        line.remove(item, item);
        waiting.delete(item);
      }
    }
    assert.equal(line.size, waiting.size);
    events.push({ served, waitedBefore });
  }
  return { events, waiting };
}

/** Between two turns of somebody, whoever waited all the time has had one. `nameOf` says who is the same. */
function assertFair(events: ReturnType<typeof walk>['events'], nameOf: (item: Item) => string): void {
  for (const [first, { served }] of events.entries()) {
    if (!served) continue;
    const isAgain = (item: Item | undefined): boolean => item !== undefined && nameOf(item) === nameOf(served);
    const gap = events.slice(first + 1).findIndex((event) => isAgain(event.served));
    if (gap === -1) continue;
    const between = events.slice(first + 1, first + 1 + gap);
    const again = events[first + 1 + gap];
    const alwaysThere = new Set(again?.waitedBefore.map(nameOf));
    for (const event of between.slice(1)) {
      const there = new Set(event.waitedBefore.map(nameOf));
      for (const name of alwaysThere) if (!there.has(name)) alwaysThere.delete(name);
    }
    const [beforeAll] = between;
    const atFirst = new Set((beforeAll ?? again)?.waitedBefore.map(nameOf));
    const had = new Set(between.flatMap((event) => (event.served ? [nameOf(event.served)] : [])));
    for (const name of alwaysThere) {
      assert.ok(
        name === nameOf(served) || !atFirst.has(name) || had.has(name),
        `${nameOf(served)} had two turns, and ${name} none`,
      );
    }
  }
}

describe('turns in rounds', () => {
  it('never come twice for one guild while another one waits for its first', () => {
    fc.assert(
      fc.property(steps, (all) => {
        assertFair(walk(createTurnOrder<Item>(UNLIMITED), all).events, ({ guild }) => guild);
      }),
      { numRuns: 500 },
    );
  });

  it('never come twice for one member while another one of the guild waits for their first', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const ofOneGuild = all.map((step) =>
          step !== 'turn' && 'come' in step ? { come: { ...step.come, guild: 'a' } } : step,
        );
        assertFair(walk(createTurnOrder<Item>(UNLIMITED), ofOneGuild).events, ({ member }) => member);
      }),
      { numRuns: 500 },
    );
  });

  it('come in the order that is told beforehand, if nobody else comes', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), (all, roundTurnsMax) => {
        const line = createTurnOrder<Item>(roundTurnsMax);
        const { waiting } = walk(line, all);
        const told = [...line.list()];
        assert.equal(told.length, waiting.size);
        assert.deepEqual(
          told.map(() => line.take()),
          told,
        );
        assert.equal(line.take(), undefined);
      }),
      { numRuns: 500 },
    );
  });

  it('come first for those who have had none, and not for somebody who always has just one request in line', () => {
    const line = createTurnOrder<Item>(UNLIMITED);
    const add = (guild: string, member: string, number: number): void =>
      line.add({ guild, member }, { guild, member, number });
    const take = (): string => {
      const { guild, member, number } = line.take() ?? assert.fail();
      return `${guild}/${member} ${number}`;
    };
    add('a', 'sly', 1);
    add('b', 'y', 1);
    add('b', 'y', 2);
    assert.equal(take(), 'a/sly 1');
    add('a', 'sly', 2);
    assert.equal(take(), 'b/y 1');
    add('c', 'new', 1);
    add('a', 'other', 1);
    assert.deepEqual([take(), take(), take(), take()], ['c/new 1', 'a/other 1', 'b/y 2', 'a/sly 2']);
  });

  it('come in the end also for somebody who has had one, however many others come for their first', () => {
    const roundTurnsMax = 8;
    const line = createTurnOrder<Item>(roundTurnsMax);
    line.add({ guild: 'a', member: 'x' }, { guild: 'a', member: 'x', number: 1 });
    line.add({ guild: 'a', member: 'x' }, { guild: 'a', member: 'x', number: 2 });
    let turns = 0;
    for (let served: Item | undefined; served?.number !== 2 && turns <= 2 * roundTurnsMax; turns += 1) {
      line.add({ guild: `new ${turns}`, member: 'y' }, { guild: `new ${turns}`, member: 'y', number: 0 });
      served = line.take();
    }
    assert.ok(turns <= 2 * roundTurnsMax, `it took ${turns} turns`);
  });
});
