import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListedModel } from '../../sandbox/provider/model-list.ts';
import { callsFor } from './judgement.ts';
import {
  accountOf,
  ask,
  assertNothingTouched,
  courseOf,
  endReasonOf,
  picturesOf,
  shownUsd,
  theBillFor,
} from './requests.ts';
import { addServer, compatibleProvider } from './shared-stage.ts';
import { setStage } from './support.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const LEVEL_WARN = 40;
const LEVEL_ERROR = 50;

/** A model as a provider lists it, with the day of its end where it is announced. */
function listed(id: string, shutdownAt?: number): ListedModel {
  const end = shutdownAt === undefined ? null : new Date(shutdownAt).toISOString().slice(0, 10);
  return { id, object: 'model', created: 1_700_000_000, owned_by: 'system', shutdown_date: end };
}

/** A provider that no longer has the first model, and does not say so until it is asked for a picture. */
const withoutTheFirst = {
  provider: { models: ['gpt-image-2'], modelList: 'absent' },
  environment: { IMAGE_MODELS: 'gpt-image-1,gpt-image-2' },
} as const;

describe('Models come and go', { concurrency: 4 }, () => {
  it('takes the first configured model that the provider still offers', async (context) => {
    const stage = await setStage(context);
    await stage.startBot();
    const prompt = 'by whoever is there';
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low' });

    assert.equal(theBillFor(stage, prompt).model, 'gpt-image-2.5-sunburst');
    assert.match(asked.text, /gpt-image-2\.5-sunburst/);

    const gone = 'by gpt-image-1';
    const refused = await ask(stage, addServer(stage), 'imagine', { prompt: gone, model: 'gpt-image-1' });
    assert.match(refused.text, /`gpt-image-1` is not available here\. Available: `gpt-image-2\.5-sunburst`/);
    assertNothingTouched(stage, refused, gone);
  });

  it('believes a provider without a list to have what is configured', async (context) => {
    const stage = await setStage(context, { provider: { ...compatibleProvider, modelList: 'absent' } });
    await stage.startBot();
    const prompt = 'by the first of all';
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low' });

    assert.equal(picturesOf(asked).length, 1);
    assert.equal(theBillFor(stage, prompt).model, 'gpt-image-1');
  });

  it('lets the next model take the place of one that turns out to be gone, and says so', async (context) => {
    const stage = await setStage(context, withoutTheFirst);
    const bot = await stage.startBot();
    const server = addServer(stage);
    const prompt = 'by whichever is left';
    const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });

    assert.match(asked.text, /`gpt-image-1` is no longer offered; its successor was used/);
    const bill = theBillFor(stage, prompt);
    assert.equal(bill.model, 'gpt-image-2');
    assert.ok(asked.text.includes(shownUsd(bill.costNanoUsd)), asked.text);
    assert.deepEqual(
      callsFor(stage, prompt).map(({ model, status }) => ({ model, status })),
      [
        { model: 'gpt-image-1', status: 404 },
        { model: 'gpt-image-2', status: 200 },
      ],
    );
    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
    assert.equal(accountOf(stage, server).settled, bill.costNanoUsd);
    assert.ok(bot.logLines.some(({ level, model }) => level === LEVEL_ERROR && model === 'gpt-image-1'));
  });

  const unreplaced = [
    { name: 'where that would cost more than is held', options: { quality: 'medium' } },
    { name: 'where the member chose it', options: { quality: 'low', model: 'gpt-image-1' } },
  ];
  for (const { name, options } of unreplaced) {
    it(`lets no other model take its place ${name}, and goes on with the next one`, async (context) => {
      const stage = await setStage(context, withoutTheFirst);
      await stage.startBot();
      const server = addServer(stage);
      const lost = await ask(stage, server, 'imagine', { prompt: 'by a lost model', ...options });

      assert.match(lost.text, /no longer offers this model.*You were not charged\.\n-# Reference: `\w+`$/);
      assert.equal(courseOf(stage, lost.interaction), 'reserve dispatch void');
      assert.equal(endReasonOf(stage, lost.interaction), 'model-not-found');
      assert.equal(callsFor(stage, 'by a lost model').length, 1);

      await ask(stage, server, 'imagine', { prompt: 'by its successor', quality: options.quality });
      assert.equal(theBillFor(stage, 'by its successor').model, 'gpt-image-2');
    });
  }

  it('warns the operator of a model that will go soon, and leaves one alone that is gone', async (context) => {
    const modelList = [
      listed('gpt-image-1', Date.now() - 2 * DAY_MS),
      listed('gpt-image-1.5', Date.now() + 10 * DAY_MS),
      listed('gpt-image-2'),
    ];
    const stage = await setStage(context, {
      provider: { ...compatibleProvider, modelList },
      environment: { IMAGE_MODELS: 'gpt-image-1,gpt-image-1.5,gpt-image-2' },
    });
    const bot = await stage.startBot();
    const warnings = bot.logLines.filter(({ level, shutdownAt }) => level === LEVEL_WARN && shutdownAt !== undefined);
    assert.deepEqual(
      warnings.map(({ model, reason }) => ({ model, reason })),
      [
        { model: 'gpt-image-1', reason: 'shut-down' },
        { model: 'gpt-image-1.5', reason: 'shutting-down' },
      ],
    );
    const day = new Date(Date.now() + 10 * DAY_MS).toISOString().slice(0, 10);
    assert.ok(String(warnings[1]?.['shutdownAt']).startsWith(day));

    await ask(stage, addServer(stage), 'imagine', { prompt: 'while it lasts', quality: 'low' });
    assert.equal(theBillFor(stage, 'while it lasts').model, 'gpt-image-1.5');
  });

  it('refuses clearly where the provider offers none of the models', async (context) => {
    const stage = await setStage(context, { provider: { modelList: [listed('gpt-5.6')] } });
    const bot = await stage.startBot();
    const prompt = 'by nobody';
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt });

    assert.match(asked.text, /The provider offers none of this bot's models/);
    assertNothingTouched(stage, asked, prompt);
    assert.ok(bot.logLines.some(({ level, msg }) => level === LEVEL_ERROR && String(msg).includes('IMAGE_MODELS')));
  });
});
