import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { walkComponents } from '../../sandbox/discord/component-tree.ts';
import { COMPONENT } from '../../sandbox/discord/component-schema.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { MESSAGE_FLAG } from '../../sandbox/discord/message-schema.ts';
import type { EmulatedMember } from '../../sandbox/discord/world.ts';
import type { Bill } from '../../sandbox/provider/billing-log.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { photograph } from '../fixtures/pictures.ts';
import { spoilSettings } from './conversation.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import {
  accountOf,
  ask,
  assertNothingTouched,
  billsFor,
  courseOf,
  decide,
  entriesOf,
  picturesOf,
  shownUsd,
  theBillFor,
} from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, compatibleProvider, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const NANO_USD_PER_USD = 1e9;
const KEY_BYTES = 32;

describe('/imagine', { concurrency: 3 }, () => {
  const shared = shareStage({ provider: compatibleProvider, auditedBudget: DEFAULT_BUDGET_NANO_USD });

  it('turns words into a picture, and says what the provider billed, to a hundredth of a cent', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'a red fox in snow';
    const asked = await ask(stage, server, 'imagine', { prompt });

    const bill = theBillFor(stage, prompt);
    assert.equal(bill.model, 'gpt-image-1');
    assert.ok(asked.text.includes(shownUsd(bill.costNanoUsd)), asked.text);
    assert.ok(asked.text.includes(`${bill.usage.output_tokens.toLocaleString('en-US')} image tokens`), asked.text);
    assert.ok(asked.text.includes(`${bill.usage.input_tokens.toLocaleString('en-US')} input tokens`), asked.text);
    assert.match(asked.text, /gpt-image-1 · 1024x1024 · medium/);
    assert.ok(asked.text.includes(`<@${server.member.user.id}>`), asked.text);
    assert.equal(asked.message.visibleTo, 'everyone');
    assert.equal(asked.message.pings.users.length, 0, 'the message notifies nobody');

    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post');
    const { settled, held, exposure } = accountOf(stage, server);
    assert.deepEqual({ settled, held, exposure }, { settled: bill.costNanoUsd, held: 0, exposure: 0 });
  });

  it('posts a gallery with alt text, and files under names of its own', async () => {
    const { stage } = shared();
    const prompt = 'a boat at sunset';
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low', count: 2 });

    const items = galleryOf(asked.message);
    assert.deepEqual(
      items.map(({ description }) => description),
      [prompt, prompt],
    );
    const pictures = picturesOf(asked);
    assert.deepEqual(
      pictures.map(({ filename }) => filename),
      [1, 2].map((number) => `${asked.interaction.id}-${number}.png`),
    );
    assert.deepEqual(
      pictures.map(({ description }) => description),
      [prompt, prompt],
    );
    for (const { bytes } of pictures) {
      const { format, width, height } = await sharp(bytes).metadata();
      assert.deepEqual({ format, width, height }, { format: 'png', width: 1024, height: 1024 });
      await sharp(bytes).raw().toBuffer();
    }
    assert.ok(!pictures[0].bytes.equals(pictures[1]?.bytes ?? Buffer.alloc(0)), 'the two pictures differ');
  });

  for (const count of [1, 2, 3, 4]) {
    it(`makes ${count} in one call, and pays for each`, async () => {
      const { stage } = shared();
      const prompt = `a balloon, ${count} times`;
      const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low', count });

      assert.equal(picturesOf(asked).length, count);
      const calls = callsFor(stage, prompt);
      assert.deepEqual(
        calls.map(({ imageCount }) => imageCount),
        [count],
      );
      const bill = theBillFor(stage, prompt);
      assert.equal(bill.n, count);
      assert.ok(asked.text.includes(shownUsd(bill.costNanoUsd)), asked.text);
      const [reservation] = entriesOf(stage, asked.interaction);
      assert.ok((reservation?.held ?? 0) >= bill.costNanoUsd, 'what was held covered what was billed');
    });
  }

  it('has every size, quality, background and format that the model has', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const cases = [
      { size: '1536x1024', quality: 'low', format: 'jpeg', background: 'opaque' },
      { size: '1024x1536', quality: 'low', format: 'webp', background: 'transparent' },
      { size: '1280x720', quality: 'xhigh', format: 'png', model: 'gpt-image-2.5-flare' },
      { size: '1024x1024', quality: 'max', format: 'jpeg', model: 'gpt-image-2.6-sunburst' },
    ];
    for (const options of cases) {
      const prompt = `a house, ${options.size} ${options.quality} ${options.format}`;
      const asked = await ask(stage, server, 'imagine', { prompt, ...options });

      const bill = theBillFor(stage, prompt);
      assert.deepEqual(
        { model: bill.model, size: bill.size, quality: bill.quality },
        { model: options.model ?? 'gpt-image-1', size: options.size, quality: options.quality },
      );
      const [picture] = picturesOf(asked);
      const { format, width, height, hasAlpha } = await sharp(picture.bytes).metadata();
      assert.equal(format, options.format);
      assert.equal(`${width}x${height}`, options.size);
      assert.ok(picture.filename.endsWith(options.format === 'jpeg' ? '.jpg' : `.${options.format}`), picture.filename);
      if (options.background === 'transparent') {
        assert.ok(hasAlpha && !(await sharp(picture.bytes).stats()).isOpaque, 'the background is transparent');
      }
      assert.ok(asked.text.includes(shownUsd(bill.costNanoUsd)), asked.text);
    }
  });

  it('sends a reference as a picture of an edit', async () => {
    const { stage } = shared();
    const prompt = 'the same, as a robot';
    const bytes = await photograph({ width: 640, height: 480 }).png().toBuffer();
    const reference = stage.discord.uploadAttachment({ bytes, filename: 'reference.png' });
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt, quality: 'low', reference });

    const [call] = callsFor(stage, prompt);
    assert.equal(call?.endpoint, 'edits');
    assert.deepEqual(
      call.files.map(({ field, contentType }) => ({ field, contentType })),
      [{ field: 'image', contentType: 'image/png' }],
    );
    const bill = theBillFor(stage, prompt);
    assert.ok(bill.usage.input_tokens_details.image_tokens > 0);
    assert.ok(asked.text.includes(shownUsd(bill.costNanoUsd)), asked.text);
    assert.equal(picturesOf(asked).length, 1);
  });

  it('shows a private picture to its member alone', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const asked = await ask(stage, server, 'imagine', { prompt: 'a secret heart', quality: 'low', private: true });

    assert.equal(asked.message.visibleTo, server.member.user.id);
    assert.ok((asked.message.flags & MESSAGE_FLAG.ephemeral) !== 0);
    assert.equal(picturesOf(asked).length, 1);
    const seenByAll = stage.discord.channelMessages(server.channel).filter(({ visibleTo }) => visibleTo === 'everyone');
    assert.deepEqual(seenByAll, []);
  });

  it('names the member to the provider by a pseudonym, always the same, and another one for everybody else', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const { id } = server.member.user;
    const mine = await pseudonymFor(stage, server, 'by me');
    assert.match(mine, /^[0-9a-f]{64}$/);
    assert.ok(!mine.includes(id), 'it names nobody');
    assert.equal(await pseudonymFor(stage, server, 'by me again'), mine);
    assert.notEqual(await pseudonymFor(stage, server, 'by somebody else', server.administrator), mine);
  });

  it('makes nothing of a prompt in which there is nothing to read', async () => {
    const { stage } = shared();
    const prompt = ' \u2003\n ';
    const asked = await ask(stage, addServer(stage), 'imagine', { prompt });
    assert.match(
      asked.text,
      /^There is nothing to read in what you asked for\. Say in words what the image should show\./,
    );
    assertNothingTouched(stage, asked, prompt);
  });

  it('suggests the models that can be used, and the sizes that the chosen one makes', async () => {
    const { stage } = shared();
    const { member, channel } = addServer(stage);
    const suggest = async (name: string, text: string, options = {}): Promise<readonly (string | number)[]> => {
      const focused = { name, text };
      const choices = await stage.discord.autocomplete({ command: 'imagine', member, channel, options, focused });
      return choices.map(({ value }) => value);
    };
    const models = await suggest('model', '');
    assert.equal(models[0], 'gpt-image-1');
    assert.ok(models.includes('gpt-image-2.5-sunburst'));
    assert.deepEqual(await suggest('model', 'FLARE'), ['gpt-image-2.5-flare', 'gpt-image-2.6-flare']);
    assert.deepEqual(await suggest('size', '', { model: 'gpt-image-1' }), [
      'auto',
      '1024x1024',
      '1536x1024',
      '1024x1536',
    ]);
    assert.ok((await suggest('size', '3840', { model: 'gpt-image-2' })).includes('3840x2160'));
  });

  it('suggests by what the server has decided, as far as that can be read', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const role = stage.discord.world.addRole(server.guild);
    const painter = stage.discord.world.addMember(server.guild, { roles: [role] });
    const suggest = async (name: string, member = server.member, options = {}, command = 'imagine') => {
      const choices = await stage.discord.autocomplete({ command, member, options, focused: { name, text: '' } });
      return choices.map(({ value }) => String(value));
    };
    const all = await suggest('model');
    const smallSizes = await suggest('size');
    assert.deepEqual([all[0], smallSizes.includes('3840x2160')], ['gpt-image-1', false]);

    await decide(stage, server, 'defaults', { model: 'gpt-image-2' });
    const others = all.filter((model) => model !== 'gpt-image-2');
    assert.deepEqual(await suggest('model'), ['gpt-image-2', ...others], 'the first is the one that is used');
    assert.ok((await suggest('size')).includes('3840x2160'));
    assert.deepEqual(await suggest('size', server.member, { model: 'gpt-image-1' }), smallSizes);

    await decide(stage, server, 'access', { role, models: 'gpt-image-1,gpt-image-2' });
    assert.deepEqual(await suggest('model', painter), ['gpt-image-2', 'gpt-image-1']);
    assert.deepEqual(await suggest('model'), ['gpt-image-2', ...others]);
    const everyone = server.guild.roles.get(server.guild.id) ?? assert.fail('there is no @everyone');
    await decide(stage, server, 'access', { role: everyone, models: 'gpt-image-2' });
    assert.deepEqual(await suggest('model'), ['gpt-image-2']);
    const toDecide = await suggest('model', server.administrator, {}, 'settings defaults');
    assert.deepEqual(toDecide, ['gpt-image-2', ...others], 'whoever decides it is told of every model');

    spoilSettings(stage, server.guild.id);
    assert.deepEqual([await suggest('model', painter), await suggest('size')], [all, smallSizes]);
  });

  const refused = [
    { options: { quality: 'xhigh' }, says: /`gpt-image-1` does not support quality `xhigh`.*gpt-image-2\.5-sunburst/ },
    { options: { size: '2048x2048' }, says: /`gpt-image-1` does not support size `2048x2048`.*gpt-image-2\.5-flare/ },
    { options: { size: '1000x1000', model: 'gpt-image-2' }, says: /size `1000x1000`.*No model/ },
    { options: { size: 'huge' }, says: /size `huge`/ },
    { options: { format: 'jpeg', background: 'transparent' }, says: /JPEG.*cannot be transparent/ },
    { options: { model: 'dall-e-3' }, says: /`dall-e-3` is not available here\. Available: `gpt-image-1`/ },
  ];
  for (const [index, { options, says }] of refused.entries()) {
    it(`refuses ${JSON.stringify(options)} by name, before anything is held`, async () => {
      const { stage } = shared();
      const prompt = `never made, ${index}`;
      const asked = await ask(stage, addServer(stage), 'imagine', { prompt, ...options });

      assert.match(asked.text, says);
      assertNothingTouched(stage, asked, prompt);
      assert.deepEqual(billsFor(stage, prompt), []);
    });
  }
});

it('has other pseudonyms under another key, for without one everybody could try all members out', async (t) => {
  const stage = await setStage(t);
  const server = addServer(stage);
  const keys = [1, 2].map((fill) => Buffer.alloc(KEY_BYTES, fill).toString('base64'));
  const pseudonyms: string[] = [];
  for (const MASTER_KEY of keys) {
    const bot = await stage.startBot({ environment: { MASTER_KEY } });
    pseudonyms.push(await pseudonymFor(stage, server, `under ${MASTER_KEY}`));
    await bot.stop();
  }
  assert.equal(new Set(pseudonyms).size, keys.length);
});

it('counts for whoever watches it what it has made, and what the provider billed for it', async (t) => {
  const stage = await setStage(t, { provider: compatibleProvider });
  const bot = await stage.startBot();
  const server = addServer(stage);
  for (const options of [{ count: 2 }, { model: 'gpt-image-2' }, {}]) {
    await ask(stage, server, 'imagine', { prompt: 'a fox that counts', quality: 'low', ...options });
  }
  await atRest(stage);
  const scraped = await (await fetch(`http://127.0.0.1:${bot.httpPort}/metrics`)).text();
  const countOf = (sample: string): number => {
    const line = scraped.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
    return Number(line?.slice(sample.length));
  };
  const { bills } = stage.provider;
  assert.equal(bills.length, 3);
  assert.equal(countOf('easel_jobs_total{outcome="finished"}'), bills.length);
  for (const [model, ofModel = []] of Map.groupBy(bills, (bill) => bill.model)) {
    const sumOf = (read: (bill: Bill) => number): number => ofModel.reduce((sum, bill) => sum + read(bill), 0);
    const images = countOf(`easel_images_total{model="${model}"}`);
    assert.equal(
      images,
      sumOf(({ n }) => n),
      model,
    );
    const costUsd = countOf(`easel_cost_usd_total{model="${model}"}`);
    assert.equal(
      Math.round(costUsd * NANO_USD_PER_USD),
      sumOf(({ costNanoUsd }) => costNanoUsd),
      model,
    );
  }
});

/** Asks for a picture, and reads by which name the provider hears of who asked. */
async function pseudonymFor(
  stage: Stage,
  server: Server,
  prompt: string,
  member: EmulatedMember = server.member,
): Promise<string> {
  await ask(stage, server, 'imagine', { prompt, quality: 'low' }, member);
  const [call] = callsFor(stage, prompt);
  return String(call?.parameters['safety_identifier']);
}

/** What the message's gallery shows. */
function galleryOf(message: EmulatedMessage) {
  const galleries = walkComponents(message.components).flatMap(({ component }) =>
    component.type === COMPONENT.mediaGallery ? [component] : [],
  );
  assert.equal(galleries.length, 1, 'there is one gallery');
  return galleries.flatMap(({ items }) => items);
}
