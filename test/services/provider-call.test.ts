import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createFairQueue } from '../../src/services/queue/fair-queue.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { callDurationMsMax, createProviderCaller, lastStartOf } from '../../src/services/provider-call.ts';
import type {
  ImageCall,
  ImageProvider,
  ImageResult,
  ProviderFailureKind,
} from '../../src/services/providers/image-provider.ts';
import { PROVIDER_FAILURE_KINDS, ProviderFailure } from '../../src/services/providers/image-provider.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import {
  createDirectory,
  createPlan,
  createProgressLog,
  createCancellation,
  createRequest,
  silentLog,
} from './job-fixture.ts';

const made: ImageResult = { imageCount: 1, madeCount: 1, usage: { output_tokens: 7 }, requestId: 'req_1' };

function failure(kind: ProviderFailureKind, charged: 'no' | 'unknown', retryAfterMs?: number): ProviderFailure {
  return new ProviderFailure(kind, charged, { message: kind, requestId: 'req_1', retryAfterMs });
}

/** A caller on a clock that moves only while it sleeps, and a provider that does as it is told, call after call. */
async function openCaller(context: TestContext, ...answers: readonly (ImageResult | Error)[]) {
  const spool = await openSpool(await createDirectory(context));
  const folder = await spool.create('job.mine');
  const job: OpenJob = {
    request: createRequest(),
    address: {},
    beganAt: 0,
    plan: createPlan(),
    isCancelled: false,
    keptUntil: undefined,
    originals: undefined,
    folder,
  };
  const calls: ImageCall[] = [];
  const pausesMs: number[] = [];
  let clock = 0;
  const provider: ImageProvider = {
    async makeImages(call) {
      const answer = answers[Math.min(calls.length, answers.length - 1)];
      calls.push(call);
      if (answer === undefined || answer instanceof Error) throw answer;
      return answer;
    },
    listModels: async () => undefined,
  };
  const limits = { concurrency: 1, lengthMax: 1, waitMsMax: 1, imagesPerMinute: undefined };
  const progress = createProgressLog();
  const linePausesMs: number[] = [];
  const closing = new AbortController();
  /** Whether the process begins to stop, and the clock stands still, in the first pause. */
  const stop = { isInPause: false };
  const luck = { next: 0 };
  const caller = createProviderCaller({
    provider,
    queue: { ...createFairQueue(limits, () => clock), pause: (durationMs) => void linePausesMs.push(durationMs) },
    safetyIdentifierOf: (member) => `hash of ${member}`,
    closing: closing.signal,
    now: () => clock,
    random: () => luck.next,
    sleep: async (ms) => {
      pausesMs.push(ms);
      clock += ms;
      if (stop.isInPause) closing.abort();
      if (closing.signal.aborted) await new Promise(() => undefined);
    },
    log: silentLog,
  });
  const cancellation = createCancellation();
  const lastStartAt = lastStartOf(0);
  const call = async () => caller.call(job, progress, cancellation, lastStartAt);
  return { call, calls, pausesMs, linePausesMs, progress, cancellation, closing, stop, luck };
}

describe('a call that went well', () => {
  it('is made once, and its receipt tells everything that the provider said', async (context) => {
    const { call, calls } = await openCaller(context, made);
    assert.deepEqual(await call(), { outcome: 'made', ...made });
    const [{ prompt, safetyIdentifier, size } = assert.fail(), ...others] = calls;
    assert.deepEqual(others, []);
    assert.deepEqual(
      { prompt, safetyIdentifier, size },
      { prompt: 'a red fox in snow', safetyIdentifier: 'hash of mira', size: { width: 1024, height: 1024 } },
    );
  });
});

describe('a call whose answer was cut off behind whole images', () => {
  it('is not made again, and its receipt says that nobody knows how many were made', async (context) => {
    const cutOffBy = failure('connection-lost', 'unknown');
    const { call, calls } = await openCaller(context, { ...made, madeCount: undefined, usage: undefined, cutOffBy });
    assert.deepEqual(await call(), {
      outcome: 'made',
      imageCount: 1,
      isCutOff: true,
      usage: undefined,
      requestId: 'req_1',
    });
    assert.equal(calls.length, 1);
  });
});

describe('a call that may have been charged', () => {
  it('is never made again, whatever its failure is called', async (context) => {
    for (const kind of PROVIDER_FAILURE_KINDS) {
      const { call, calls } = await openCaller(context, failure(kind, 'unknown'), made);
      assert.deepEqual(await call(), { outcome: 'failed', kind, charged: 'unknown', requestId: 'req_1' });
      assert.equal(calls.length, 1, kind);
    }
  });

  it('keeps what its answer told of its price, where no image came of it', async (context) => {
    const toldPrice = { madeCount: 1, usage: { output_tokens: 7 } };
    const details = { message: 'no image', toldPrice };
    const { call } = await openCaller(context, new ProviderFailure('unusable-answer', 'unknown', details));
    assert.deepEqual(await call(), { outcome: 'failed', kind: 'unusable-answer', charged: 'unknown', toldPrice });
  });

  it('is one whose result could not be kept, too', async (context) => {
    const { call, calls } = await openCaller(context, new Error('no space left on device'), made);
    assert.deepEqual(await call(), { outcome: 'failed', kind: 'unusable-answer', charged: 'unknown' });
    assert.equal(calls.length, 1);
  });
});

describe('a call that provably made nothing', () => {
  it('is made again where waiting can help, and only there', async (context) => {
    for (const kind of PROVIDER_FAILURE_KINDS) {
      const { call, calls } = await openCaller(context, failure(kind, 'no'), made);
      const { outcome } = await call();
      const helps = kind === 'rate-limited' || kind === 'unreachable';
      assert.deepEqual([outcome, calls.length], helps ? ['made', 2] : ['failed', 1], kind);
    }
  });

  it('waits as long as the provider asked, and says so', async (context) => {
    const { call, pausesMs, progress } = await openCaller(context, failure('rate-limited', 'no', 12_000), made);
    await call();
    assert.deepEqual(pausesMs, [12_000]);
    assert.deepEqual(progress.states, [
      { phase: 'generating', since: 0 },
      { phase: 'provider-busy', retryInMs: 12_000 },
      { phase: 'generating', since: 12_000 },
    ]);
  });

  it('waits longer each time where the provider does not say, and gives up in the end', async (context) => {
    const { call, calls, pausesMs } = await openCaller(context, failure('unreachable', 'no'));
    assert.deepEqual(await call(), { outcome: 'failed', kind: 'unreachable', charged: 'no', requestId: 'req_1' });
    assert.deepEqual(pausesMs, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
    assert.equal(calls.length, 7);
  });

  it('waits no less where the provider says so little that every attempt would be over at once', async (context) => {
    for (const toldMs of [0, 50]) {
      const { call, calls, pausesMs, linePausesMs } = await openCaller(context, failure('rate-limited', 'no', toldMs));
      await call();
      assert.deepEqual(pausesMs, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
      assert.deepEqual(linePausesMs.slice(0, 6), pausesMs, 'nor does the line');
      assert.equal(calls.length, 7);
    }
  });

  it('waits a little longer by chance, so that not all come back in the same moment', async (context) => {
    const { call, pausesMs, linePausesMs, luck } = await openCaller(
      context,
      failure('rate-limited', 'no', 12_000),
      made,
    );
    luck.next = 0.5;
    await call();
    assert.deepEqual([pausesMs, linePausesMs], [[12_600], [12_000]]);
  });

  it('is not waited for beyond three minutes', async (context) => {
    const { call, calls } = await openCaller(context, failure('rate-limited', 'no', 100_000));
    await call();
    assert.equal(calls.length, 2);
  });

  it('stops the line for as long as the provider asked, also where this call does not wait for that', async (context) => {
    for (const retryAfterMs of [170_000, 200_000]) {
      const { call, calls, linePausesMs } = await openCaller(context, failure('rate-limited', 'no', retryAfterMs));
      await call();
      assert.deepEqual(
        linePausesMs,
        calls.map(() => retryAfterMs),
      );
    }
    const patient = await openCaller(context, failure('rate-limited', 'no', 1_000));
    await patient.call();
    assert.equal(patient.linePausesMs.length, 7, 'also at the last attempt');
    const unreachable = await openCaller(context, failure('unreachable', 'no'));
    await unreachable.call();
    assert.deepEqual(unreachable.linePausesMs, []);
  });

  it('is waited for no longer where it is the second one of its job', async (context) => {
    const { call, calls } = await openCaller(context, failure('rate-limited', 'no', 100_000));
    await call();
    await call();
    assert.equal(calls.length, 3, 'two within three minutes, and the one that began the second time');
  });

  it('is not even begun for somebody who has cancelled', async (context) => {
    const { call, calls, cancellation, progress } = await openCaller(context, made);
    cancellation.cancel();
    assert.deepEqual(await call(), { outcome: 'failed', kind: 'cancelled', charged: 'no' });
    assert.deepEqual([calls, progress.states], [[], []]);
  });

  it('is not begun any more by a process that might not see its end', async (context) => {
    const { call, calls, closing, progress } = await openCaller(context, made);
    closing.abort();
    assert.deepEqual(await call(), { outcome: 'failed', kind: 'stopping', charged: 'no' });
    assert.deepEqual([calls, progress.states], [[], []]);
  });

  it('is not made again by one either, and does not wait out its pause', async (context) => {
    const { call, calls, stop } = await openCaller(context, failure('rate-limited', 'no'), made);
    stop.isInPause = true;
    assert.deepEqual(await call(), { outcome: 'failed', kind: 'stopping', charged: 'no' });
    assert.equal(calls.length, 1);
  });

  it('keeps at which stage it was declined', async (context) => {
    const details = { message: 'declined', moderationStage: 'output' } as const;
    const { call } = await openCaller(context, new ProviderFailure('moderation', 'no', details));
    assert.deepEqual(await call(), { outcome: 'failed', kind: 'moderation', charged: 'no', stage: 'output' });
  });
});

describe('callDurationMsMax', () => {
  it('has room for a last attempt that begins at the last moment and takes its whole time', () => {
    const timeoutMs = 7 * 60_000;
    assert.equal(callDurationMsMax(timeoutMs), lastStartOf(0) + timeoutMs);
    assert.equal(callDurationMsMax(timeoutMs), 10 * 60_000);
  });
});
