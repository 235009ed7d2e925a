import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import type { AnswerShape } from '../../sandbox/provider/faults.ts';
import type { Entry } from '../../src/billing/guild-account.ts';
import { callsFor } from './judgement.ts';
import type { Answered } from './requests.ts';
import { accountOf, ask, courseOf, entriesOf, isFor, picturesOf, shownUsd, theBillFor } from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

/** Nano-dollars a token of gpt-image-2.5, as published. */
const IMAGE_IN_NANO_USD = 8_000;
const IMAGE_OUT_NANO_USD = 30_000;

/** Fields that no description of the API has yet. */
const usageExtras = {
  service_tier: 'priority',
  energy: { joules: 12.5, sources: ['wind', null, { share: 0.25 }] },
  'naïve key': false,
};

describe('An answer in a form of its own', { concurrency: 4 }, () => {
  const shared = shareStage({ provider: { usageExtras } });

  /** Asks for a picture whose answer comes in this shape. */
  async function askForShape(shape: AnswerShape, prompt: string, server: Server): Promise<Answered> {
    const { stage } = shared();
    stage.provider.faults.add({ kind: 'shape', shape, when: isFor(prompt) });
    return ask(stage, server, 'imagine', { prompt, quality: 'low' });
  }

  const readable: readonly { readonly name: string; readonly shape: AnswerShape }[] = [
    { name: 'as OpenAI sends it', shape: {} },
    { name: 'a data: URL', shape: { images: 'data-url' } },
    { name: 'an address at its own origin', shape: { images: 'url' } },
    { name: 'compressed where that is accepted', shape: { gzip: true } },
    { name: 'spread over many lines', shape: { layout: 'pretty' } },
    { name: 'with the usage ahead of the picture', shape: { usagePosition: 'first' } },
    { name: 'without the details of the output', shape: { usage: 'without-output-details' } },
    { name: 'without a request id', shape: { withoutRequestId: true } },
  ];
  for (const { name, shape } of readable) {
    it(`${name}: is posted, booked at its price, and its usage kept whole`, async () => {
      const { stage } = shared();
      const prompt = `an answer ${name}`;
      const server = addServer(stage);
      const asked = await askForShape(shape, prompt, server);

      await sharp(picturesOf(asked)[0].bytes).raw().toBuffer();
      const bill = theBillFor(stage, prompt);
      assert.ok(asked.text.includes(shownUsd(bill.costNanoUsd)), asked.text);
      const charge = chargeOf(entriesOf(stage, asked.interaction));
      assert.equal(charge.cost, bill.costNanoUsd);
      assert.equal(charge.rule, 'tokens');
      const { output_tokens_details: outputDetails, ...rest } = bill.usage;
      const sent = shape.usage === 'without-output-details' ? rest : { ...rest, output_tokens_details: outputDetails };
      assert.deepEqual(charge.usage, sent);
      assert.deepEqual(pickKeys(charge.usage, Object.keys(usageExtras)), usageExtras);
    });
  }

  for (const usage of ['omitted', 'false', 'null'] as const) {
    it(`usage ${usage}: is posted all the same, and its estimate counts until somebody knows more`, async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const prompt = `an answer with usage ${usage}`;
      const asked = await askForShape({ usage }, prompt, server);

      assert.equal(picturesOf(asked).length, 1);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch unknown');
      const last = entriesOf(stage, asked.interaction).at(-1);
      assert.ok(last?.type === 'unknown' && last.estimated === true, 'it is flagged as an estimate');
      const { settled, held, exposure } = accountOf(stage, server);
      assert.deepEqual({ settled, held, exposure }, { settled: 0, held: 0, exposure: last.held });
      assert.ok(exposure >= theBillFor(stage, prompt).costNanoUsd, 'the estimate covers the truth');
      assert.ok(asked.text.includes(`cost not reported by the provider; ${shownUsd(exposure)} counts`), asked.text);
    });
  }

  it('usage without a split of its input: is billed at the dearer rate, and flagged', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'an answer with an input in one piece';
    const asked = await askForShape({ usage: 'without-input-details' }, prompt, server);

    const { usage } = theBillFor(stage, prompt);
    const cost = usage.input_tokens * IMAGE_IN_NANO_USD + usage.output_tokens * IMAGE_OUT_NANO_USD;
    const charge = chargeOf(entriesOf(stage, asked.interaction));
    assert.deepEqual({ cost: charge.cost, rule: charge.rule }, { cost, rule: 'flat-input' });
    assert.equal(accountOf(stage, server).settled, cost);
    assert.ok(asked.text.includes(shownUsd(cost)), asked.text);
  });

  it('fewer pictures than asked for: posts them, says so, and books what was billed', async () => {
    const { stage } = shared();
    const prompt = 'three boats, if possible';
    stage.provider.faults.add({ kind: 'fewer-images', imageCount: 2, when: isFor(prompt) });
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low', count: 3 });

    assert.equal(picturesOf(asked).length, 2);
    assert.match(asked.text, /The provider made 2 of 3 images\./);
    const bill = theBillFor(stage, prompt);
    assert.equal(bill.n, 2);
    assert.equal(chargeOf(entriesOf(stage, asked.interaction)).cost, bill.costNanoUsd);
    assert.ok(asked.text.includes(shownUsd(bill.costNanoUsd)), asked.text);
  });

  const brokenFiles = [
    { name: 'one that is a page', count: 3, files: ['whole', 'html', 'whole'], format: 'png', left: [1, 3] },
    { name: 'a PNG that is cut short', count: 2, files: ['cut-short'], format: 'png', left: [2] },
    { name: 'a JPEG that is cut short', count: 2, files: ['whole', 'cut-short'], format: 'jpeg', left: [1] },
    { name: 'a WebP that is cut short', count: 2, files: ['cut-short'], format: 'webp', left: [2] },
    { name: 'nothing else', count: 2, files: ['html', 'cut-short'], format: 'png', left: [] },
  ] as const;
  for (const { name, count, files, format, left } of brokenFiles) {
    it(`no picture, ${name}: is left out and told of, and the others are posted`, async () => {
      const { stage, bot } = shared();
      const server = addServer(stage);
      const prompt = `a file that is no picture: ${name}`;
      stage.provider.faults.add({ kind: 'shape', shape: { files }, when: isFor(prompt) });
      const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low', count, format });

      const pictures = asked.message.shownAttachments;
      const numbers = pictures.map(({ filename }) => Number(/-(\d)\./.exec(filename)?.[1]));
      assert.deepEqual(numbers, left);
      for (const { bytes } of pictures) await sharp(bytes).raw().toBuffer();
      assert.equal(/\[Edit\]/.test(asked.text), left.length > 0, asked.text);
      const brokenCount = count - left.length;
      assert.match(asked.text, brokenCount === 1 ? /A file that the provider sent/ : /2 files that the provider sent/);
      const { requestId, costNanoUsd } = theBillFor(stage, prompt);
      assert.equal(chargeOf(entriesOf(stage, asked.interaction)).cost, costNanoUsd);
      assert.ok(asked.text.includes(shownUsd(costNanoUsd)), asked.text);
      const told = bot.logLines.filter(({ level, job }) => level === 50 && job === asked.interaction.id);
      assert.deepEqual(new Set(told.map((line) => line['requestId'])), new Set([requestId]));
      assert.equal(told.length, brokenCount);
    });
  }

  for (const images of ['none', 'undecodable'] as const) {
    it(`images ${images}: is booked as the provider says, and told of with what it cost`, async () => {
      const { stage, bot } = shared();
      const server = addServer(stage);
      const prompt = `an answer with images ${images}`;
      const asked = await askForShape({ images }, prompt, server);

      const { requestId, costNanoUsd, usage } = theBillFor(stage, prompt);
      assert.equal(callsFor(stage, prompt).length, 1);
      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
      const charge = chargeOf(entriesOf(stage, asked.interaction));
      assert.equal(charge.cost, costNanoUsd);
      assert.deepEqual(charge.usage, usage);
      const { settled, held, exposure } = accountOf(stage, server);
      assert.deepEqual({ settled, held, exposure }, { settled: costNanoUsd, held: 0, exposure: 0 });
      assert.equal(asked.message.attachments.length, 0);
      assert.ok(asked.text.includes(shownUsd(costNanoUsd)), asked.text);
      assert.match(asked.text, /charged for this, but no picture could be had from its answer/);
      assert.doesNotMatch(asked.text, /not known|\[Edit\]/);
      const told = bot.logLines.filter(({ level, job }) => level === 50 && job === asked.interaction.id);
      assert.deepEqual(
        told.map((line) => line['requestId']),
        [requestId],
      );
    });
  }

  it('an address anywhere else: is not visited, what it cost is booked, and the operator hears how to mend it', async () => {
    const { stage, bot } = shared();
    const server = addServer(stage);
    const otherOrigin = await stage.provider.openOtherOrigin();
    const prompt = 'an answer far away';
    const asked = await askForShape({ images: 'url', urlOrigin: otherOrigin }, prompt, server);

    assert.deepEqual(
      stage.provider.fileRequests.filter(({ origin }) => origin === otherOrigin),
      [],
    );
    assert.equal(callsFor(stage, prompt).length, 1);
    assert.equal(asked.message.attachments.length, 0);
    assert.match(asked.text, /charged for this, but.* not your fault; the operator has been told/);
    assert.doesNotMatch(asked.text, /not known/);
    const told = bot.logLines.filter(({ level, kind }) => level === 50 && kind === 'untrusted-result');
    assert.match(told.map(({ msg }) => String(msg)).join('\n'), /^[^\n]*RESULT_ORIGINS$/);
    const lines = bot.logLines.filter(({ job }) => job === asked.interaction.id);
    assert.ok(JSON.stringify(lines).includes(otherOrigin), 'it is said which origin that is');
    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
    const { costNanoUsd } = theBillFor(stage, prompt);
    const { settled, exposure } = accountOf(stage, server);
    assert.deepEqual({ settled, exposure }, { settled: costNanoUsd, exposure: 0 });
    assert.ok(asked.text.includes(shownUsd(costNanoUsd)), asked.text);
  });

  it('an address anywhere else, and no usage: leaves open what it cost', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const otherOrigin = await stage.provider.openOtherOrigin();
    const prompt = 'an answer far away that says nothing of its price';
    const asked = await askForShape({ images: 'url', urlOrigin: otherOrigin, usage: 'omitted' }, prompt, server);

    assert.match(asked.text, /not your fault; the operator has been told.*It is not known whether this was charged/);
    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch unknown');
    assert.ok(accountOf(stage, server).exposure >= theBillFor(stage, prompt).costNanoUsd);
  });
});

it('An answer at another origin is fetched where the operator trusts it', async (context) => {
  const stage = await setStage(context, { provider: { answerShape: { images: 'url' } } });
  const otherOrigin = await stage.provider.openOtherOrigin();
  stage.provider.faults.add({ kind: 'shape', shape: { urlOrigin: otherOrigin } });
  await stage.startBot({ environment: { RESULT_ORIGINS: otherOrigin } });
  const prompt = 'an answer far away, and welcome';
  const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low', count: 2 });

  assert.equal(picturesOf(asked).length, 2);
  assert.deepEqual(
    stage.provider.fileRequests.map(({ origin, status }) => ({ origin, status })),
    [1, 2].map(() => ({ origin: otherOrigin, status: 200 })),
  );
  assert.equal(chargeOf(entriesOf(stage, asked.interaction)).cost, theBillFor(stage, prompt).costNanoUsd);
});

function chargeOf(entries: readonly Entry[]): Extract<Entry, { type: 'post' }>['charge'] {
  const posts = entries.flatMap((entry) => (entry.type === 'post' ? [entry] : []));
  assert.equal(posts.length, 1, 'it was posted once');
  return posts[0]?.charge ?? assert.fail('there is no charge');
}

function pickKeys(value: unknown, keys: readonly string[]): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null);
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}
