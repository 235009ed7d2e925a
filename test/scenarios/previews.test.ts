import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { COMPONENT } from '../../sandbox/discord/component-schema.ts';
import { walkComponents } from '../../sandbox/discord/component-tree.ts';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { photograph } from '../fixtures/pictures.ts';
import { pressAndFillIn } from './conversation.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD, judge, postsOf } from './judgement.ts';
import type { Answered } from './requests.ts';
import {
  accountOf,
  answered,
  ask,
  askSettings,
  billsFor,
  courseOf,
  decide,
  endReasonOf,
  entriesOf,
  isFor,
  picturesOf,
  shownUsd,
  theBillFor,
} from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

/** Long enough that news of it is shown, which is never within the first two seconds. */
const SLOW_MS = 4_500;
/** What a preview costs with gpt-image-2: 100 image output tokens at $30 per million. */
const PREVIEW_NANO_USD = 3_000_000;

const PREVIEW_WAIT_MS_MAX = 20_000;

describe('Previews', { concurrency: 3 }, () => {
  const openApiPath = process.env['OPENAI_OPENAPI'];
  const shared = shareStage({
    provider: {
      latencyMs: ({ prompt }) => (prompt?.startsWith('slowly') ? SLOW_MS : 0),
      ...(openApiPath ? { openApiPath } : {}),
    },
    environment: { IMAGE_MODELS: 'gpt-image-2,gpt-image-2.5-flare' },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });

  it('are off until an administrator switches them on, who reads what they cost first', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    assert.match((await show(stage, server)).text, priceLine('off'));
    const plain = await ask(stage, server, 'imagine', { prompt: 'without previews', quality: 'low' });
    assert.equal(streamedOf(stage, 'without previews'), 'undefined undefined');
    assert.match((await switchPreviews(stage, server, true)).text, priceLine('on'));
    assert.match((await show(stage, server)).text, priceLine('on'));

    const shown = await ask(stage, server, 'imagine', { prompt: 'with previews', quality: 'low' });
    assert.equal(streamedOf(stage, 'with previews'), 'true 2');
    assert.match((await switchPreviews(stage, server, false)).text, priceLine('off'));
    await ask(stage, server, 'imagine', { prompt: 'without again', quality: 'low' });
    assert.equal(streamedOf(stage, 'without again'), 'undefined undefined');

    const [before, after] = [plain, shown].map(({ interaction }) => entriesOf(stage, interaction)[0]?.held ?? 0);
    assert.equal(
      (after ?? 0) - (before ?? 0),
      2 * PREVIEW_NANO_USD + (Buffer.byteLength('with previews') - Buffer.byteLength('without previews')) * 8_000,
      'what was held covers the previews',
    );
  });

  it('are shown before the result, and are in its cost', async () => {
    const { stage } = shared();
    const server = await addPreviewing(stage);
    const asked = await ask(stage, server, 'imagine', { prompt: 'slowly, a red fox', quality: 'low' });

    const bill = theBillFor(stage, 'slowly, a red fox');
    assert.equal(bill.usage.output_tokens, 196 + 2 * 100);
    assertPaid(stage, server, asked, bill.costNanoUsd);
    const versions = asked.interaction.history.filter(({ attachments }) => attachments.length > 0);
    const [first, ...later] = versions;
    assert.ok(first && later.length > 0, 'there was a preview before the result');
    assert.ok(!first.attachments[0]?.bytes.equals(picturesOf(asked)[0].bytes), 'it was not finished yet');
    assert.match(first.attachments[0]?.filename ?? '', /^preview/);
    assert.deepEqual(
      picturesOf(asked).map(({ filename }) => filename),
      [`${asked.interaction.id}-1.png`],
      'the result is shown without its previews',
    );
    await assertTidy(stage, asked);
  });

  it('are of an edit as well, in any format', async () => {
    const { stage } = shared();
    const server = await addPreviewing(stage);
    const bytes = await photograph({ width: 256, height: 256 }).png().toBuffer();
    const image = stage.discord.uploadAttachment({ bytes, filename: 'photo.png' });
    for (const [command, prompt, options] of [
      ['edit', 'slowly, as a sketch', { image }],
      ['imagine', 'slowly, as a photo', { format: 'jpeg' }],
    ] as const) {
      const asked = await ask(stage, server, command, { prompt, quality: 'low', size: '1024x1024', ...options });
      assert.equal(streamedOf(stage, prompt), 'true 2');
      assertPaid(stage, server, asked, theBillFor(stage, prompt).costNanoUsd, 'among others');
      const names = asked.interaction.history.flatMap(({ attachments }) => attachments.map(({ filename }) => filename));
      assert.ok(names.includes(command === 'edit' ? 'preview.png' : 'preview.jpg'), names.join(' '));
    }
  });

  it('are as covered as the result will be, in an edit of a covered picture as well', async () => {
    const { stage } = shared();
    const server = await addPreviewing(stage);
    const options = { prompt: 'slowly, a hidden fox', quality: 'low', spoiler: true };
    const asked = await ask(stage, server, 'imagine', options);
    const edited = await pressAndFillIn(stage, asked.message, 'Edit', {
      member: server.member,
      answers: { prompt: 'slowly, the fox with a hat' },
    });
    for (const { interaction } of [asked, edited]) {
      const shown = shownIn(interaction);
      assert.ok(
        shown.some(({ media }) => media.url.includes('preview')),
        'there was a preview',
      );
      assert.ok(
        shown.some(({ media }) => media.url.includes(interaction.id)),
        'there is a result',
      );
      assert.ok(
        shown.every(({ spoiler }) => spoiler === true),
        'something stood there uncovered',
      );
    }
  });

  it('are not of several images', async () => {
    const { stage } = shared();
    const server = await addPreviewing(stage);
    const prompt = 'slowly, two boats';
    const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low', count: 2 });
    assert.equal(streamedOf(stage, prompt), 'undefined undefined');
    assert.equal(picturesOf(asked).length, 2);
    assertPaid(stage, server, asked, theBillFor(stage, prompt).costNanoUsd);
    assert.equal(asked.interaction.history.filter(({ attachments }) => attachments.length > 0).length, 1);
  });

  it('are done without where a relay ignores them', async () => {
    const { stage } = shared();
    const server = await addPreviewing(stage);
    const prompt = 'ignored by a relay';
    stage.provider.faults.add({ kind: 'shape', shape: { streaming: 'ignored' }, when: isFor(prompt) });
    const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });
    const bill = theBillFor(stage, prompt);
    assert.equal(bill.usage.output_tokens, 196);
    assertPaid(stage, server, asked, bill.costNanoUsd);
  });

  it('are done without where a relay refuses them, and it is not asked again', async () => {
    const { stage } = shared();
    const server = await addPreviewing(stage);
    const [prompts, model] = [['refused by a relay', 'refused no more'], 'gpt-image-2.5-flare'];
    stage.provider.faults.add({
      kind: 'refuse',
      refusal: 'unknown_parameter_stream',
      when: ({ parameters, ...call }) => parameters['stream'] === true && call.model === model,
    });
    for (const prompt of prompts) {
      const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low', model });
      assertPaid(stage, server, asked, theBillFor(stage, prompt).costNanoUsd, 'among others');
    }
    assert.deepEqual(
      prompts.map((prompt) => callsFor(stage, prompt).map(({ parameters }) => parameters['stream'])),
      [[true, undefined], [undefined]],
    );
  });

  const broken = [
    {
      name: 'is cut after a preview',
      fault: { kind: 'bill-then-cut', afterPartialImages: 1 },
      ends: 'connection-lost',
    },
    { name: 'is cut in its image', fault: { kind: 'bill-then-cut' }, ends: 'connection-lost' },
    { name: 'ends without its image', fault: { kind: 'bill-then-stop-stream' }, ends: 'unusable-answer' },
    {
      name: 'fails after a preview',
      fault: { kind: 'server-error', status: 500, midStream: true },
      ends: 'server-error',
    },
    {
      name: 'is declined after a preview',
      fault: { kind: 'refuse', refusal: 'moderation_blocked_output', midStream: true },
      ends: 'moderation',
      billCount: 0,
    },
  ] as const;
  for (const { name, fault, ends, ...rest } of broken) {
    it(`may have been paid for where the stream ${name}, and the call is not made again`, async () => {
      const { stage } = shared();
      const server = await addPreviewing(stage);
      const prompt = `a stream that ${name}`;
      stage.provider.faults.add({ ...fault, when: isFor(prompt) });
      const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });

      assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch unknown');
      assert.equal(endReasonOf(stage, asked.interaction), ends);
      assert.equal(callsFor(stage, prompt).length, 1);
      assert.equal(billsFor(stage, prompt).length, 'billCount' in rest ? rest.billCount : 1);
      assert.equal(asked.message.shownAttachments.length, 0, asked.text);
      assert.match(asked.text, /It is not known whether this was charged/);
      const audience = ends === 'moderation' ? server.member.user.id : 'everyone';
      assert.equal(asked.message.visibleTo, audience, asked.text);
      const { exposure } = accountOf(stage, server);
      assert.equal(exposure, entriesOf(stage, asked.interaction)[0]?.held);
      await assertTidy(stage, asked);
    });
  }

  it('take nothing from an image that is whole before its stream breaks off', async () => {
    const { stage } = shared();
    const server = await addPreviewing(stage);
    const prompt = 'a stream that is cut in what it says of its cost';
    stage.provider.faults.add({ kind: 'bill-then-cut', afterShare: 0.999, when: isFor(prompt) });
    const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });

    await sharp(picturesOf(asked)[0].bytes).raw().toBuffer();
    assert.equal(callsFor(stage, prompt).length, 1);
    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch unknown');
    assert.equal(endReasonOf(stage, asked.interaction), 'cut-off');
    const { settled, exposure } = accountOf(stage, server);
    assert.equal(settled, 0);
    assert.ok(exposure >= theBillFor(stage, prompt).costNanoUsd);
    assert.match(asked.text, /cost not reported by the provider/);
  });

  it('cost nothing where the request is declined before anything was shown', async () => {
    const { stage } = shared();
    const server = await addPreviewing(stage);
    const prompt = 'something forbidden';
    const asked = await ask(stage, server, 'imagine', { prompt, quality: 'low' });
    assert.equal(streamedOf(stage, prompt), 'true 2');
    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch void');
    assert.match(asked.text, /You were not charged/);
  });
});

describe('A preview that is seen', { concurrency: 2 }, () => {
  for (const { name, fault } of [
    { name: 'fails', fault: { kind: 'bill-then-cut', afterPartialImages: 1 } },
    { name: 'is declined', fault: { kind: 'refuse', refusal: 'moderation_blocked_output', midStream: true } },
  ] as const) {
    it(`is gone when the request ${name} after all`, async (t) => {
      const stage = await setStage(t);
      await stage.startBot();
      await switchPreviews(stage, stage, true);
      stage.provider.faults.add({ kind: 'delay', at: 'after-partial-image', delayMs: SLOW_MS });
      stage.provider.faults.add(fault);
      const { interaction, member } = await seePreview(stage);
      const asked = await answered(interaction);
      assert.match(asked.text, /It is not known whether this was charged/);
      const left = interaction.messages().flatMap(({ attachments }) => attachments);
      assert.deepEqual(left, [], 'the reply still has the preview');
      assert.equal(postsOf(stage, interaction, member).length, 0);
      await assertTidy(stage, asked);
      assert.equal(judge(stage).unknown, 1);
    });
  }

  it('is gone after a crash, and nobody guesses what became of the image', async (t) => {
    const stage = await setStage(t);
    const bot = await stage.startBot();
    await switchPreviews(stage, stage, true);
    const gate = stage.provider.faults.add({ kind: 'delay', at: 'after-partial-image', delayMs: 60_000 });
    const { interaction } = await seePreview(stage);
    await bot.kill();
    gate.remove();

    await stage.startBot();
    const asked = await answered(interaction);
    assert.match(asked.text, /its answer is lost.*Easel did not ask twice/);
    assert.equal(asked.message.attachments.length, 0);
    await assertTidy(stage, asked);
    assert.equal(stage.provider.calls.filter(({ endpoint }) => endpoint === 'generations').length, 1);
    const { posted, unknown } = judge(stage);
    assert.deepEqual({ posted, unknown }, { posted: 0, unknown: 1 });
  });
});

/** Asks for an image, and waits until its reply shows a preview of it. */
async function seePreview({ discord, member, channel }: Stage) {
  const options = { prompt: 'half a picture', quality: 'low' };
  const interaction = discord.invoke({ command: 'imagine', member, channel, options });
  const isShown = (): boolean => (interaction.original()?.shownAttachments.length ?? 0) > 0;
  await discord.waitFor(isShown, PREVIEW_WAIT_MS_MAX);
  return { interaction, member };
}

async function switchPreviews(stage: Stage, server: Server, on: boolean): Promise<Answered> {
  return decide(stage, server, 'previews', { on });
}

async function show(stage: Stage, server: Server): Promise<Answered> {
  return askSettings(stage, server, 'show');
}

/** A server that has switched previews on. */
async function addPreviewing(stage: Stage): Promise<Server> {
  const server = addServer(stage);
  await switchPreviews(stage, server, true);
  return server;
}

function priceLine(state: 'on' | 'off'): RegExp {
  return new RegExp(`^Previews of .+: ${state} · about \\$0\\.0030 each with gpt-image-2, two per image$`, 'm');
}

/** Every picture that a reply has shown, one after the other. */
function shownIn({ history }: InteractionHandle) {
  return history
    .flatMap(({ components }) => walkComponents(components))
    .flatMap(({ component }) => (component.type === COMPONENT.mediaGallery ? component.items : []));
}

/** What the one call for a prompt said of streams. */
function streamedOf(stage: Stage, prompt: string): string {
  const [call, ...others] = callsFor(stage, prompt);
  assert.deepEqual(others, []);
  return `${String(call?.parameters['stream'])} ${String(call?.parameters['partial_images'])}`;
}

/** The request ended with its picture, and the ledger has booked what the provider billed. */
function assertPaid(stage: Stage, server: Server, asked: Answered, billed: number, others?: 'among others'): void {
  assert.ok(asked.text.includes(shownUsd(billed)), asked.text);
  assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
  const [reservation] = entriesOf(stage, asked.interaction);
  assert.ok((reservation?.held ?? 0) >= billed, 'what was held covers what was billed');
  const { settled, held, exposure } = accountOf(stage, server);
  assert.deepEqual([held, exposure], [0, 0]);
  if (others === undefined) assert.equal(settled, billed);
  else assert.ok(settled >= billed);
}

/** Nothing of the request's folder is left behind, its previews included. */
async function assertTidy(stage: Stage, { interaction }: Answered): Promise<void> {
  await atRest(stage, { interaction });
  const folders = await readdir(join(stage.dataDirectory, 'spool'));
  assert.deepEqual(
    folders.filter((folder) => folder.startsWith(interaction.id)),
    [],
  );
}
