import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Taken } from '../../../src/services/providers/incoming-body.ts';
import { explainFailures, IncomingBody } from '../../../src/services/providers/incoming-body.ts';
import { createIntakeGate } from '../../../src/services/providers/intake-gate.ts';

/** A body whose connection is played by the test. */
function createBody({
  gate = createIntakeGate({ concurrency: 1, pauseMsMax: 10 }, () => 0),
  lengthBytes = undefined as number | undefined,
} = {}) {
  const body = new IncomingBody(gate);
  const connection = { isPaused: false, abortedWith: undefined as unknown };
  body.begin(
    {
      pause: () => void (connection.isPaused = true),
      resume: () => void (connection.isPaused = false),
      abort(reason) {
        connection.abortedWith = reason;
        body.fail(reason);
      },
    },
    lengthBytes,
  );
  return { body, connection, gate };
}

/** Somebody who takes a piece only when the test lets it. */
function createSlowTaker() {
  const taken: string[] = [];
  const waiting: ((answer: Taken) => void)[] = [];
  return {
    taken,
    take: async (bytes: Buffer): Promise<Taken> => {
      taken.push(bytes.toString());
      return new Promise((resolve) => waiting.push(resolve));
    },
    goOn: async (answer: Taken = 'more'): Promise<void> => {
      waiting.shift()?.(answer);
      await turn();
    },
  };
}

describe('the body of an answer', () => {
  it('waits until it is read, and comes whole and in order then', async () => {
    const { body, connection } = createBody();
    assert.equal(connection.isPaused, true);
    body.push(Buffer.from('a'));
    const taken: string[] = [];
    const reading = body.read((bytes) => {
      taken.push(bytes.toString());
      return 'more';
    });
    assert.equal(connection.isPaused, false);
    body.push(Buffer.from('b'));
    body.finish();
    await reading;
    assert.deepEqual(taken, ['a', 'b']);
  });

  it('is held back while a piece is dealt with, and loses nothing of what comes all the same', async () => {
    const { body, connection } = createBody();
    const { take, taken, goOn } = createSlowTaker();
    const reading = body.read(take);
    body.push(Buffer.from('a'));
    assert.equal(connection.isPaused, true);
    body.push(Buffer.from('b'));
    body.finish();
    assert.deepEqual(taken, ['a']);
    await goOn();
    assert.deepEqual(taken, ['a', 'b']);
    await goOn();
    await reading;
  });

  it('goes on only when everything that is there has been taken', async () => {
    const { body, connection } = createBody();
    const { take, goOn } = createSlowTaker();
    void body.read(take);
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    await goOn();
    assert.equal(connection.isPaused, true);
    await goOn();
    assert.equal(connection.isPaused, false);
  });

  it('does not take empty pieces, of which one comes with every resumption', async () => {
    const { body } = createBody();
    const { take, taken, goOn } = createSlowTaker();
    const reading = body.read(take);
    body.push(Buffer.alloc(0));
    body.push(Buffer.from('a'));
    body.push(Buffer.alloc(0));
    body.finish();
    await goOn();
    await reading;
    assert.deepEqual(taken, ['a']);
  });

  it('tells of a broken connection after all that came before', async () => {
    const { body } = createBody();
    const { take, taken, goOn } = createSlowTaker();
    const failing = assert.rejects(body.read(take), { message: 'reset' });
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    body.fail(new Error('reset'));
    await goOn();
    await goOn();
    await failing;
    assert.deepEqual(taken, ['a', 'b']);
  });

  it('is closed over what nobody wants', async () => {
    const { body, connection } = createBody();
    const reading = body.read(() => 'enough');
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    await reading;
    await turn();
    assert.ok(connection.abortedWith instanceof Error);
  });

  it('that ends with what was enough leaves its connection to end by itself', async () => {
    const { body, connection } = createBody();
    const { take, goOn } = createSlowTaker();
    const reading = body.read(take);
    body.push(Buffer.from('a'));
    assert.equal(connection.isPaused, true);
    await goOn('enough');
    await reading;
    assert.equal(connection.isPaused, false);
    body.finish();
    await turn();
    assert.equal(connection.abortedWith, undefined);
  });

  it('of which every byte has come is whole, whatever becomes of its connection', async () => {
    for (const [lengthBytes, isWhole] of [
      [2, true],
      [3, false],
      [undefined, false],
    ] as const) {
      const { body } = createBody({ lengthBytes });
      const { take, taken, goOn } = createSlowTaker();
      const reading = body.read(take).then(
        () => 'whole',
        () => 'broken',
      );
      body.push(Buffer.from('a'));
      body.push(Buffer.from('b'));
      body.fail(new Error('other side closed'));
      await goOn();
      await goOn();
      assert.equal(await reading, isWhole ? 'whole' : 'broken');
      assert.deepEqual(taken, ['a', 'b']);
    }
  });

  it('that was complete when it broke is complete', async () => {
    const { body } = createBody();
    const { take, goOn } = createSlowTaker();
    const reading = body.read(take);
    body.push(Buffer.from('a'));
    body.fail(new Error('reset'));
    await goOn('enough');
    await reading;
  });

  it('is closed by what its taker throws, at once or later', async () => {
    for (const take of [
      () => {
        throw new Error('full');
      },
      async () => Promise.reject(new Error('full')),
    ]) {
      const { body, connection } = createBody();
      const failing = assert.rejects(body.read(take), { message: 'full' });
      body.push(Buffer.from('a'));
      await failing;
      assert.ok(connection.abortedWith instanceof Error);
    }
  });

  it('waits for its place at the gate, and gives it back when it ends', async () => {
    const first = createBody();
    const second = createBody({ gate: first.gate });
    const taken: string[] = [];
    const taker = (name: string) => (): Taken => {
      taken.push(name);
      return 'more';
    };
    const reading = [first.body.read(taker('first')), second.body.read(taker('second'))];
    first.body.push(Buffer.from('a'));
    second.body.push(Buffer.from('b'));
    await turn();
    assert.deepEqual(taken, ['first']);
    first.body.finish();
    second.body.finish();
    await Promise.all(reading);
    assert.deepEqual(taken, ['first', 'second']);
  });
});

const explain = (cause: unknown): Error => new Error('explained', { cause });

describe('failures', () => {
  it('of the connection are explained, and those of the taker go on as they are', async () => {
    const broken = createBody();
    const reading = explainFailures(async (take) => broken.body.read(take), explain)(() => 'more');
    broken.body.fail(new Error('reset'));
    await assert.rejects(reading, { message: 'explained' });
    for (const take of [
      () => {
        throw new Error('full');
      },
      async () => Promise.reject(new Error('full')),
    ]) {
      const { body } = createBody();
      const failing = explainFailures(async (taker) => body.read(taker), explain)(take);
      body.push(Buffer.from('a'));
      await assert.rejects(failing, { message: 'full' });
    }
  });
});
