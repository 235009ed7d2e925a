import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runBotToItsEnd } from '../../sandbox/bot-process.ts';
import type { Entry } from '../../src/billing/guild-account.ts';
import { createDirectory } from '../services/job-fixture.ts';
import { DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import { accountOf, ask, courseOf, entriesOf, isFor, picturesOf, shownUsd, theBillFor } from './requests.ts';
import { addServer, compatibleProvider, plainPictures, shareStage } from './shared-stage.ts';

const EXIT_BAD_CONFIGURATION = 78;
/** What a relay is known to charge for an image of gpt-image-1. */
const NANO_USD_PER_IMAGE = 34_000_000;

const PRICES_PATH = fileURLToPath(new URL('../fixtures/prices.yaml', import.meta.url));

describe("The operator's own prices", () => {
  const shared = shareStage({
    provider: {
      ...compatibleProvider,
      ...plainPictures,
      modelList: 'absent',
      ownModels: { 'studio-image-2': 'gpt-image-2' },
      nanoUsdPerImage: { 'gpt-image-1': NANO_USD_PER_IMAGE },
    },
    environment: { PRICES_FILE: PRICES_PATH },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });

  it('book images by the piece where the provider tells nothing of tokens', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'two by the piece';
    stage.provider.faults.add({ kind: 'shape', shape: { usage: 'omitted' }, when: isFor(prompt) });
    const asked = await ask(stage, server, 'imagine', { prompt, model: 'gpt-image-1', quality: 'high', count: 2 });

    const cost = 2 * NANO_USD_PER_IMAGE;
    assert.equal(picturesOf(asked).length, 2);
    assert.match(asked.text, /gpt-image-1 · 1024x1024 · high · \$0\.0680$/m);
    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
    const post = postOf(entriesOf(stage, asked.interaction));
    const { requestId } = theBillFor(stage, prompt);
    assert.deepEqual(post.charge, {
      cost,
      priceVersion: 'relay-2026-11',
      rule: 'per-image',
      usage: null,
      requestId,
    });
    assert.equal(post.held, cost, 'what was held was what it cost');
    const { settled, held, exposure } = accountOf(stage, server);
    assert.deepEqual({ settled, held, exposure }, { settled: cost, held: 0, exposure: 0 });

    const { text } = await ask(stage, server, 'usage', {}, server.administrator);
    assert.ok(text.includes(`**${shownUsd(cost)}** of $10.00 spent · 2 images`), text);
    assert.ok(text.includes(`\`gpt-image-1\`: ${shownUsd(cost)}`), text);
    assert.doesNotMatch(text, /\d (text in|image in|image out)/, 'no tokens were told, so none are shown');
  });

  it('book the same by the piece where tokens are told, and keep what was told', async () => {
    const { stage } = shared();
    const prompt = 'one by the piece, with its tokens';
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt, model: 'gpt-image-1', quality: 'low' });

    const { charge } = postOf(entriesOf(stage, asked.interaction));
    const { usage } = theBillFor(stage, prompt);
    assert.deepEqual([charge.cost, charge.rule, charge.usage], [NANO_USD_PER_IMAGE, 'per-image', usage]);
    assert.match(asked.text, /\$0\.0340 · 272 image tokens/);
  });

  it('offer, plan and price a model that only the file knows', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'by a model of the studio';
    const typing = { command: 'imagine', member: server.member, channel: server.channel };
    const suggestions = await stage.discord.autocomplete({ ...typing, focused: { name: 'model', text: 'studio' } });
    assert.deepEqual(
      suggestions.map(({ value }) => value),
      ['studio-image-2'],
    );

    const options = { prompt, model: 'studio-image-2', size: '1536x864', quality: 'low' };
    const asked = await ask(stage, server, 'imagine', options);
    const bill = theBillFor(stage, prompt);
    const { charge } = postOf(entriesOf(stage, asked.interaction));
    assert.deepEqual([bill.model, bill.size], ['studio-image-2', '1536x864']);
    assert.deepEqual([charge.cost, charge.priceVersion, charge.rule], [bill.costNanoUsd, 'studio-2026-11', 'tokens']);

    const finer = await ask(stage, server, 'imagine', { prompt, model: 'studio-image-2', quality: 'max' });
    assert.match(finer.text, /`studio-image-2`/);
    assert.equal(courseOf(stage, finer.interaction), '', 'what gpt-image-2 does not have, it does not have');
  });

  it('leave the built-in price where the file says nothing', async () => {
    const { stage } = shared();
    const prompt = 'by a model that needs no file';
    const asked = await ask(stage, addServer(stage), 'imagine', {
      prompt,
      model: 'gpt-image-2.5-flare',
      quality: 'low',
    });

    const { charge } = postOf(entriesOf(stage, asked.interaction));
    assert.deepEqual([charge.cost, charge.priceVersion], [theBillFor(stage, prompt).costNanoUsd, 'openai-2026-11-04']);
  });

  it('are refused at the start where they are wrong, line by line and together with everything else', async (context) => {
    const wrong = join(await createDirectory(context), 'prices.yaml');
    const right = await readFile(PRICES_PATH, 'utf8');
    await writeFile(wrong, right.replace('0.034', '0,034').replace('like: gpt-image-2', 'like: canary'));
    const environment = { DISCORD_TOKEN: 'a token', HTTP_PORT: 'canary', PRICES_FILE: wrong };
    const { exitCode, output } = await runBotToItsEnd({ environment });

    assert.equal(exitCode, EXIT_BAD_CONFIGURATION);
    assert.match(output, /^ {2}OPENAI_API_KEY: /m);
    assert.match(output, /^ {2}HTTP_PORT: set /m);
    assert.match(output, /^ {2}PRICES_FILE: set right in this file:\n {4}line 4: like: .*\n {4}line 9: usdPerImage: /m);
    assert.doesNotMatch(output, /canary|0,034/);
  });

  it('are missed at the start where there is no such file', async () => {
    const environment = {
      DISCORD_TOKEN: 'a token',
      OPENAI_API_KEY: 'a key',
      PRICES_FILE: '/nowhere/prices.yaml',
    };
    const { exitCode, output } = await runBotToItsEnd({ environment });
    assert.equal(exitCode, EXIT_BAD_CONFIGURATION);
    assert.match(output, /^ {2}PRICES_FILE: set the path of a YAML or JSON file/m);
  });
});

function postOf(entries: readonly Entry[]): Extract<Entry, { type: 'post' }> {
  const posts = entries.flatMap((entry) => (entry.type === 'post' ? [entry] : []));
  assert.equal(posts.length, 1, 'it was posted once');
  return posts[0] ?? assert.fail('there is no charge');
}
