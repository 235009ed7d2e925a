import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { createPriceBook } from '../../src/billing/prices.ts';
import type { GuildSettings } from '../../src/services/guild-settings.ts';
import type { CallPlan } from '../../src/services/call-plan.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import type { Receipt } from '../../src/services/receipt.ts';
import { createModelSuccession } from '../../src/services/model-succession.ts';
import { createModelCatalogue } from '../../src/services/providers/models.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { createDirectory, createPlan, createRequest } from './job-fixture.ts';
import { createSettings } from './settings-fixture.ts';

const GONE = 'gpt-image-2';
const NEXT = 'gpt-image-2.5-sunburst';
const DEAR_ENOUGH = 1_000_000_000;
const LAST_START = 180_000;
const modelIsGone: Receipt = { outcome: 'failed', charged: 'no', kind: 'model-not-found' };

/** The plan of the job that takes the place of one whose model is gone; undefined where none does. */
async function succeed(
  context: TestContext,
  options: {
    readonly request?: Parameters<typeof createRequest>[0];
    readonly settings?: Partial<GuildSettings> | StoreFailure;
    readonly estimate?: number;
    readonly pictures?: Partial<CallPlan>;
    readonly receipt?: Receipt;
    /** How late it is found out that the model is gone. */
    readonly lateMs?: number;
  } = {},
): Promise<CallPlan | undefined> {
  const { settings = {}, estimate = DEAR_ENOUGH } = options;
  const catalogue = createModelCatalogue();
  let models = [GONE, NEXT].map((id) => catalogue.find(id) ?? assert.fail(`there is no ${id}`));
  const succession = createModelSuccession({
    roster: {
      get models() {
        return models;
      },
      refresh: async () => undefined,
      retire: (model) => {
        models = models.filter(({ id }) => id !== model);
      },
    },
    journal: { writePlan: async (job, plan) => ({ ...job, plan }) },
    prices: createPriceBook([], openAiPrices),
    settings: {
      async read() {
        if (settings instanceof StoreFailure) throw settings;
        return createSettings(settings);
      },
    },
    now: () => LAST_START + (options.lateMs ?? 0),
  });
  const spool = await openSpool(await createDirectory(context));
  const job: OpenJob = {
    request: createRequest(options.request),
    plan: createPlan({ model: GONE, estimate, ...options.pictures }),
    address: {},
    beganAt: 0,
    isCancelled: false,
    keptUntil: undefined,
    originals: undefined,
    folder: spool.folder('job'),
  };
  const next = await succession.successor(job, options.receipt ?? modelIsGone, LAST_START);
  return next?.plan;
}

describe('the successor of a model that is gone', () => {
  it('makes what was asked for, on what is held', async (context) => {
    const plan = await succeed(context);
    assert.deepEqual(
      [plan?.model, plan?.replacedModel, plan?.quality, plan?.format, plan?.estimate],
      [NEXT, GONE, 'medium', 'png', DEAR_ENOUGH],
    );
  });

  it('is given the same pictures, and what is known of them', async (context) => {
    const picture = { file: 'input-0', contentType: 'image/png', width: 1024, height: 1024 } as const;
    const pictures: Partial<CallPlan> = {
      images: [picture],
      mask: { ...picture, file: 'mask' },
      masked: { by: 'black', coveredShare: 0.25 },
      keptFrom: 'original',
      firstFrameOnly: true,
    };
    const plan = await succeed(context, { pictures });
    assert.equal(plan?.model, NEXT);
    assert.deepEqual({ ...plan, ...pictures }, plan);
  });

  it("keeps the server's defaults, as the one that is gone did", async (context) => {
    const plan = await succeed(context, {
      settings: { defaults: { quality: 'low', format: 'webp', size: '1536x1024' } },
    });
    assert.deepEqual([plan?.quality, plan?.format, plan?.width, plan?.height], ['low', 'webp', 1536, 1024]);
  });

  it('is not one that the member may not use', async (context) => {
    assert.equal(await succeed(context, { settings: { access: { guild: { models: [GONE] } } } }), undefined);
    const allowed = await succeed(context, { settings: { access: { guild: { models: [GONE, NEXT] } } } });
    assert.equal(allowed?.model, NEXT);
  });

  it('is not one that costs more than what is held, or that somebody did not leave to us', async (context) => {
    assert.equal(await succeed(context, { estimate: 1 }), undefined);
    assert.equal(await succeed(context, { request: { model: GONE } }), undefined);
  });

  it('does not come when it is too late for another call on what is held', async (context) => {
    assert.equal(await succeed(context, { lateMs: 1 }), undefined);
  });

  it('does not come where something else is wrong, or where nobody can tell what is allowed', async (context) => {
    assert.equal(
      await succeed(context, { receipt: { outcome: 'failed', charged: 'no', kind: 'moderation' } }),
      undefined,
    );
    assert.equal(await succeed(context, { settings: new StoreFailure('gone') }), undefined);
  });
});
