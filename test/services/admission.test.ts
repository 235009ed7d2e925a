import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { Admission } from '../../src/services/admission.ts';
import { createAdmission } from '../../src/services/admission.ts';
import type { GuildSettings } from '../../src/services/guild-settings.ts';
import type { ImageRequest } from '../../src/services/image-request.ts';
import { createModelCatalogue } from '../../src/services/providers/models.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { createDirectory, createRequest, silentLog } from './job-fixture.ts';
import { createSettings } from './settings-fixture.ts';

const MINUTE_MS = 60_000;
const model = createModelCatalogue().find('gpt-image-2') ?? assert.fail();

async function openAdmission(
  context: TestContext,
  options: {
    readonly perMinute?: number;
    readonly freeBytesMin?: number;
    readonly settings?: Partial<GuildSettings> | StoreFailure;
  } = {},
): Promise<Admission> {
  return createAdmission({
    roster: { models: [model], refresh: async () => undefined, retire: () => undefined },
    spool: await openSpool(await createDirectory(context), options.freeBytesMin ?? 1),
    settings: {
      async read() {
        if (options.settings instanceof StoreFailure) throw options.settings;
        return createSettings(options.settings);
      },
    },
    memberRequestsPerMinute: options.perMinute ?? 0,
    log: silentLog,
  });
}

async function reasonOf(admission: Admission, changes: Partial<ImageRequest> = {}): Promise<string> {
  const admitted = await admission.admit(createRequest(changes));
  return 'reason' in admitted ? admitted.reason : `admitted with ${admitted.model.id}`;
}

describe('admit', () => {
  it('lets a sound request in, with its model', async (context) => {
    assert.equal(await reasonOf(await openAdmission(context)), 'admitted with gpt-image-2');
  });

  it('refuses what cannot be made', async (context) => {
    const admission = await openAdmission(context);
    assert.equal(await reasonOf(admission, { model: 'gpt-image-9' }), 'model-unavailable');
    assert.equal(await reasonOf(admission, { quality: 'max' }), 'option-unsupported');
    assert.equal(await reasonOf(admission, { background: 'transparent', format: 'jpeg' }), 'transparency-lost');
  });

  it('refuses a prompt in which there is nothing to read', async (context) => {
    const admission = await openAdmission(context, { perMinute: 1 });
    for (const prompt of ['', ' ', '\n\t\u3000', '\u200b\u2060', '\u3164', '\u2800 ']) {
      assert.equal(await reasonOf(admission, { prompt }), 'prompt-blank', JSON.stringify(prompt));
    }
    assert.equal(await reasonOf(admission, { prompt: ' \u200b🦊' }), 'admitted with gpt-image-2');
  });

  it('counts a request once that is admitted twice', async (context) => {
    const admission = await openAdmission(context, { perMinute: 1 });
    const admit = async (isCounted: boolean) => 'model' in (await admission.admit(createRequest(), isCounted));
    assert.deepEqual([await admit(false), await admit(true), await admit(true)], [true, true, true]);
    assert.equal(await admit(false), false);
  });

  it("puts the server's defaults in, and hands on what was decided", async (context) => {
    const settings = { defaults: { quality: 'low' }, budget: 5 };
    const admitted = await (await openAdmission(context, { settings })).admit(createRequest());
    assert.ok('request' in admitted);
    assert.equal(admitted.request.quality, 'low');
    assert.equal(admitted.settings.budget, 5);
  });

  it('refuses what the roles of a member do not allow, and gives them what they do where they name nothing', async (context) => {
    const access = { guild: { qualities: ['low'] } };
    const admission = await openAdmission(context, { settings: { access } });
    assert.equal(await reasonOf(admission, { quality: 'medium' }), 'not-allowed');
    const admitted = await admission.admit(createRequest());
    assert.equal('reason' in admitted ? admitted.reason : admitted.request.quality, 'low');
  });

  it('lets nobody in where nobody can tell what was decided', async (context) => {
    assert.equal(
      await reasonOf(await openAdmission(context, { settings: new StoreFailure('gone') })),
      'store-unavailable',
    );
  });

  it('lets each member in so many times a minute', async (context) => {
    context.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.UTC(2026, 10, 20) });
    const admission = await openAdmission(context, { perMinute: 2 });
    await reasonOf(admission);
    await reasonOf(admission);
    context.mock.timers.tick(15_000);
    const refusal = await admission.admit(createRequest());
    assert.deepEqual(refusal, { reason: 'rate-limited', retryAfterMs: 45_000 });
    assert.equal(await reasonOf(admission, { member: 'ada' }), 'admitted with gpt-image-2');
    context.mock.timers.tick(MINUTE_MS);
    assert.equal(await reasonOf(admission), 'admitted with gpt-image-2');
  });

  it('does not count a request that could not have been made', async (context) => {
    const admission = await openAdmission(context, { perMinute: 1 });
    await reasonOf(admission, { model: 'gpt-image-9' });
    assert.equal(await reasonOf(admission), 'admitted with gpt-image-2');
  });

  it('counts nothing where there is no such limit', async (context) => {
    const admission = await openAdmission(context, { perMinute: 0 });
    for (let count = 0; count < 50; count += 1) assert.match(await reasonOf(admission), /^admitted/);
  });

  it('lets nobody in when the disk runs full', async (context) => {
    assert.equal(await reasonOf(await openAdmission(context, { freeBytesMin: Number.MAX_SAFE_INTEGER })), 'disk-full');
  });

  it('lets nobody in once it is closed', async (context) => {
    const admission = await openAdmission(context);
    admission.close();
    assert.equal(await reasonOf(admission), 'stopping');
  });
});
