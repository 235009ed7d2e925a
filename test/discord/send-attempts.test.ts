import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DiscordAPIError, HTTPError, RateLimitError } from 'discord.js';
import { sendUntilSettled } from '../../src/discord/send-attempts.ts';

const URL = 'https://discord.test/api/v10/webhooks/1/token/messages/@original';

function refusal(status: number, code: number): DiscordAPIError {
  return new DiscordAPIError({ code, message: 'no' }, code, status, 'PATCH', URL, {});
}

function httpError(status: number): HTTPError {
  return new HTTPError(status, String(status), 'PATCH', URL, {});
}

function rateLimit(retryAfterMs: number): RateLimitError {
  return new RateLimitError({
    timeToReset: retryAfterMs,
    limit: 5,
    method: 'PATCH',
    hash: 'hash',
    url: URL,
    route: '/webhooks/:id/:token',
    majorParameter: '1',
    global: false,
    retryAfter: retryAfterMs,
    sublimitTimeout: 0,
    scope: 'user',
  });
}

/** Sends into a Discord that fails in these ways, one after another, and is well after that. */
async function sendAgainst(...failures: readonly Error[]) {
  const pausesMs: number[] = [];
  const reported: unknown[] = [];
  let attempts = 0;
  const result = await sendUntilSettled(
    async () => {
      attempts += 1;
      const failure = failures[attempts - 1];
      if (failure) throw failure;
    },
    { sleep: async (ms) => pausesMs.push(ms), onFailure: (error) => reported.push(error) },
  );
  assert.deepEqual(reported, failures.slice(0, attempts), 'every failure is told of');
  return { result, attempts, pausesMs };
}

const DEAD_TOKEN = 50_027;
const UNKNOWN_MESSAGE = 10_008;
const FILE_TOO_LARGE = 40_005;
const OPENING_DIRECT_MESSAGES_TOO_FAST = 40_003;
const CLOUDFLARE_BLOCK = 40_333;

describe('sendUntilSettled', () => {
  it('sends once what is taken at once', async () => {
    assert.deepEqual(await sendAgainst(), { result: 'sent', attempts: 1, pausesMs: [] });
  });

  it('tries again after whatever may pass, with growing pauses', async () => {
    const failures = [httpError(502), new TypeError('fetch failed'), httpError(500)];
    assert.deepEqual(await sendAgainst(...failures), { result: 'sent', attempts: 4, pausesMs: [500, 1_000, 2_000] });
  });

  it('leaves it for later when nothing helps', async () => {
    const failures = Array.from({ length: 6 }, () => httpError(503));
    assert.deepEqual(await sendAgainst(...failures), {
      result: 'later',
      attempts: 6,
      pausesMs: [500, 1_000, 2_000, 4_000, 8_000],
    });
  });

  it('does not repeat what Discord has refused', async () => {
    for (const error of [refusal(401, DEAD_TOKEN), refusal(404, UNKNOWN_MESSAGE), refusal(403, 50_013)]) {
      assert.deepEqual(await sendAgainst(error), { result: 'closed', attempts: 1, pausesMs: [] }, String(error.code));
    }
  });

  it('tries again what Discord does not do now, and may do later', async () => {
    const passing = [refusal(403, CLOUDFLARE_BLOCK), refusal(400, OPENING_DIRECT_MESSAGES_TOO_FAST)];
    assert.deepEqual(await sendAgainst(...passing), { result: 'sent', attempts: 3, pausesMs: [500, 1_000] });
  });

  it('knows a file that is too large, whoever says so', async () => {
    for (const error of [httpError(413), refusal(413, 0), refusal(400, FILE_TOO_LARGE)]) {
      assert.deepEqual(await sendAgainst(error), { result: 'too-large', attempts: 1, pausesMs: [] });
    }
  });

  it('waits as long as a rate limit asks for, and leaves it for later where that is too long', async () => {
    const patient = await sendAgainst(rateLimit(7_300), rateLimit(30_000));
    assert.deepEqual(patient, { result: 'sent', attempts: 3, pausesMs: [7_300, 30_000] });
    assert.deepEqual(await sendAgainst(rateLimit(30_001)), { result: 'later', attempts: 1, pausesMs: [] });
  });

  it('waits as ever where a rate limit says less than that, or nothing that is a number', async () => {
    const unsaid = await sendAgainst(rateLimit(0), rateLimit(Number.NaN), rateLimit(-1), rateLimit(50));
    assert.deepEqual(unsaid, { result: 'sent', attempts: 5, pausesMs: [500, 1_000, 2_000, 4_000] });
  });
});
