import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import type { OptionValues } from '../../sandbox/discord/option-values.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { Rectangle, Size } from '../fixtures/pictures.ts';
import { alphaMask, decode, photograph, plane, storedAs, whiteOnBlack, withOrientation } from '../fixtures/pictures.ts';
import { assertChangedInside, assertKeptOutside, edit, fileOf, onlyPicture, viewed } from './edits.ts';
import { callsFor, DEFAULT_BUDGET_NANO_USD, onlyPost } from './judgement.ts';
import { ask, assertNothingTouched, theBillFor } from './requests.ts';
import type { SharedStage } from './shared-stage.ts';
import { addServer, compatibleProvider, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

/** A size that the model makes itself. */
const size: Size = { width: 960, height: 720 };
const middle: Rectangle = { left: 300, top: 240, width: 240, height: 180 };
/** The same for all tests, because it takes a while to encode. */
const PHOTO = await photograph(size).png().toBuffer();
/** 240 × 180 of 960 × 720. */
const MIDDLE_SHARE = '6%';
const WAIT_MS_MAX = 30_000;

function blackOnWhite(hole: Rectangle): Promise<Buffer> {
  return whiteOnBlack(size, hole).negate().png().toBuffer();
}

/** What of the picture the provider was allowed to change: 0 there, and 255 elsewhere; undefined without a mask. */
async function sentAlpha({ stage }: SharedStage, prompt: string): Promise<Buffer | undefined> {
  const files = callsFor(stage, prompt)[0]?.files;
  if (!files?.some(({ field }) => field === 'mask')) return undefined;
  return sharp(fileOf(files, 'mask').bytes).extractChannel('alpha').raw().toBuffer();
}

describe('/edit and what may change', { concurrency: 2 }, () => {
  const shared = shareStage({
    provider: { ...compatibleProvider, keepUploads: true },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });

  /** Asks for an edit, and holds what was sent and what came back to the rectangle, or to what is around it. */
  async function assertOnly(
    hole: Rectangle,
    asked: { prompt: string; photo: Buffer; mask?: Buffer; options?: OptionValues },
    isAround = false,
  ): Promise<string> {
    const answer = await edit(shared(), asked);
    const wanted = isAround ? plane(size, 0, hole, 255) : plane(size, 255, hole, 0);
    assert.ok((await sentAlpha(shared(), asked.prompt))?.equals(wanted), `another part was sent: ${answer.text}`);
    if (!isAround) {
      const [result, original] = [await onlyPicture(answer), await viewed(asked.photo)];
      assertKeptOutside(result, original, hole);
      assertChangedInside(result, original, hole);
    }
    return answer.text;
  }

  describe('a mask in black and white', () => {
    it('means what was drawn, white on black or black on white, and the result says which', async () => {
      const white = await whiteOnBlack(size, middle).png().toBuffer();
      const told = [
        await assertOnly(middle, { prompt: 'a lamp, in white', photo: PHOTO, mask: white }),
        await assertOnly(middle, { prompt: 'a lamp, in black', photo: PHOTO, mask: await blackOnWhite(middle) }),
      ];
      assert.match(told[0] ?? '', new RegExp(`white part of the mask could change: ${MIDDLE_SHARE}`));
      assert.match(told[1] ?? '', new RegExp(`black part of the mask could change: ${MIDDLE_SHARE}`));
    });

    it('is asked about where it could be meant either way, and the answer decides', async () => {
      const left: Rectangle = { left: 0, top: 0, width: 480, height: 720 };
      const mask = await whiteOnBlack(size, left).png().toBuffer();
      const prompt = 'never made from half and half';
      const refused = await edit(shared(), { prompt, photo: PHOTO, mask });
      assert.match(refused.text, /meant either way: 50% of it is white.*`mask_marks`/);
      assertNothingTouched(shared().stage, refused, prompt);

      const right: Rectangle = { ...left, left: 480 };
      await assertOnly(left, { prompt: 'the left half', photo: PHOTO, mask, options: { mask_marks: 'white' } });
      await assertOnly(right, { prompt: 'the right half', photo: PHOTO, mask, options: { mask_marks: 'black' } });
    });

    it('is taken at its owner’s word, whatever it looks like', async () => {
      const mask = await blackOnWhite(middle);
      const options = { mask_marks: 'white' };
      await assertOnly(middle, { prompt: 'a frame of ivy', photo: PHOTO, mask, options }, true);
    });
  });

  describe('a region', () => {
    const regions = {
      left: { left: 0, top: 0, width: 480, height: 720 },
      right: { left: 480, top: 0, width: 480, height: 720 },
      top: { left: 0, top: 0, width: 960, height: 360 },
      bottom: { left: 0, top: 360, width: 960, height: 360 },
      centre: { left: 240, top: 180, width: 480, height: 360 },
      surroundings: { left: 240, top: 180, width: 480, height: 360 },
    };
    for (const [region, hole] of Object.entries(regions)) {
      it(`named ${region} stands for a mask`, async () => {
        const isAround = region === 'surroundings';
        const text = await assertOnly(
          hole,
          { prompt: `roses, ${region}`, photo: PHOTO, options: { region } },
          isAround,
        );
        const share = { centre: '25%', surroundings: '75%' }[region] ?? '50%';
        assert.match(text, new RegExp(`chosen region could change: ${share}`));
      });
    }
  });

  describe('a picture that is transparent in places', () => {
    it('may change there and nowhere else, and the result says so', async () => {
      const photo = await alphaMask(size, middle);
      const text = await assertOnly(middle, { prompt: 'what was erased', photo });
      assert.match(text, new RegExp(`transparent in the picture itself could change: ${MIDDLE_SHARE}`));
    });

    it('is whole again where it was erased with a soft brush', async () => {
      const photo = await sharp(await alphaMask(size, middle))
        .blur(8)
        .png()
        .toBuffer();
      const asked = await edit(shared(), { prompt: 'what was erased softly', photo });
      const found = await onlyPicture(asked);
      for (let at = 3; at < found.data.length; at += 4) assert.equal(found.data[at], 255, `at ${at}`);
    });

    it('may change as a whole where the member says so', async () => {
      const photo = await alphaMask(size, middle);
      const prompt = 'all of it in blue';
      const asked = await edit(shared(), { prompt, photo, options: { region: 'whole' } });
      assertChangedInside(await onlyPicture(asked), await viewed(photo), { left: 0, top: 0, ...size });
      assert.equal(await sentAlpha(shared(), prompt), undefined);
      assert.doesNotMatch(asked.text, /could change/);
    });

    it('goes by a mask or a region rather than by itself', async () => {
      const photo = await alphaMask(size, middle);
      const elsewhere: Rectangle = { left: 40, top: 40, width: 160, height: 120 };
      const mask = await whiteOnBlack(size, elsewhere).png().toBuffer();
      const byMask = await edit(shared(), { prompt: 'something elsewhere', photo, mask });
      assert.match(byMask.text, /white part of the mask/);
      assert.ok((await sentAlpha(shared(), 'something elsewhere'))?.equals(plane(size, 255, elsewhere, 0)));
    });

    it('is not a mask where it is only borrowed from', async () => {
      const { stage } = shared();
      const prompt = 'a poster of this logo';
      const reference = stage.discord.uploadAttachment({ bytes: await alphaMask(size, middle), filename: 'logo.png' });
      const options = { prompt, reference, model: 'gpt-image-2', quality: 'low' };
      await onlyPicture(await ask(stage, addServer(stage), 'imagine', options));
      assert.equal(await sentAlpha(shared(), prompt), undefined);
    });
  });

  it('turns a mask that was drawn on the stored pixels of a photo as the photo is turned', async () => {
    const lying = await storedAs(photograph(size), 8);
    const photo = await withOrientation(lying, 8);
    const mask = await storedAs(whiteOnBlack(size, middle), 8);
    await assertOnly(middle, { prompt: 'a door in the wall', photo, mask });
  });

  it('says what was masked also after a crash', async (t) => {
    const stage = await setStage(t, { provider: compatibleProvider });
    const { discord, member, channel } = stage;
    const bot = await stage.startBot();
    const fault = discord.faults.add({ kind: 'hang', route: 'PATCH original', times: Infinity });
    const image = discord.uploadAttachment({ bytes: PHOTO, filename: 'a.png' });
    const options = { prompt: 'worth the wait', image, region: 'top', model: 'gpt-image-2', quality: 'low' };
    const interaction = discord.invoke({ command: 'edit', member, channel, options });
    await discord.waitFor(() => fault.spoiled() > 0, WAIT_MS_MAX);
    await bot.kill();
    discord.faults.clear();

    await stage.startBot();
    assert.match(renderMessage(await onlyPost(stage, interaction, member)), /chosen region could change: 50%/);
  });
});

describe('/edit and what does not go together', { concurrency: 2 }, () => {
  const shared = shareStage({ auditedBudget: DEFAULT_BUDGET_NANO_USD });
  const small: Size = { width: 160, height: 120 };
  const hole: Rectangle = { left: 40, top: 30, width: 60, height: 40 };

  for (const region of ['left', 'whole']) {
    it(`refuses a mask and the region ${region}`, async () => {
      const prompt = `never made with a mask and ${region}`;
      const photo = await photograph(small).png().toBuffer();
      const mask = await alphaMask(small, hole);
      const asked = await edit(shared(), { prompt, photo, mask, options: { region } });
      assert.match(asked.text, /a mask or a region, not both.*`mask`.*`region`/);
      assertNothingTouched(shared().stage, asked, prompt);
    });
  }

  it('refuses to be told the colour of a mask that is not there', async () => {
    const prompt = 'never made without the mask';
    const photo = await photograph(small).png().toBuffer();
    const asked = await edit(shared(), { prompt, photo, options: { mask_marks: 'black', region: 'left' } });
    assert.match(asked.text, /`mask_marks` says.*there is no mask.*Attach it/);
    assertNothingTouched(shared().stage, asked, prompt);
  });
});

describe('/edit of several images', { concurrency: 2 }, () => {
  const shared = shareStage({
    provider: { ...compatibleProvider, keepUploads: true },
    auditedBudget: DEFAULT_BUDGET_NANO_USD,
  });
  const others: readonly Size[] = [
    { width: 300, height: 200 },
    { width: 200, height: 300 },
    { width: 256, height: 256 },
  ];

  it('sends them in their order, with the mask on the first, and pays for each', async () => {
    const { stage } = shared();
    const mask = await alphaMask(size, middle);
    const further = await Promise.all(others.map(async (other) => photograph(other, 2).jpeg().toBuffer()));
    const names = ['image2', 'image3', 'image4'];
    const uploads = further.map((bytes) => stage.discord.uploadAttachment({ bytes, filename: 'more.jpg' }));
    const options = Object.fromEntries(names.map((name, index) => [name, uploads[index]]));
    const prompts = { one: 'the lamp from one', four: 'the lamp from four' };
    await edit(shared(), { prompt: prompts.one, photo: PHOTO, mask });
    const asked = await edit(shared(), { prompt: prompts.four, photo: PHOTO, mask, options });

    const files = callsFor(stage, prompts.four)[0]?.files ?? [];
    const images = files.filter(({ field }) => field === 'image[]');
    const sizes = await Promise.all(images.map(async ({ bytes }) => sizeOf(bytes)));
    assert.deepEqual(sizes, [size, ...others]);
    assert.deepEqual(await sizeOf(fileOf(files, 'mask').bytes), size);
    assertKeptOutside(await onlyPicture(asked), await decode(PHOTO), middle);
    const [one, four] = [theBillFor(stage, prompts.one), theBillFor(stage, prompts.four)];
    assert.ok(four.usage.input_tokens > one.usage.input_tokens);
  });

  it('takes them also where one is left out in between', async () => {
    const { stage } = shared();
    const fourth = await photograph(size, 3).png().toBuffer();
    const prompt = 'the first in the style of the fourth';
    const image4 = stage.discord.uploadAttachment({ bytes: fourth, filename: 'style.png' });
    await edit(shared(), { prompt, photo: PHOTO, options: { image4 } });
    const files = callsFor(stage, prompt)[0]?.files ?? [];
    assert.equal(files.length, 2);
    assert.deepEqual((await decode(files[1]?.bytes ?? Buffer.alloc(0))).data, (await decode(fourth)).data);
  });

  it('names the one that cannot be used', async () => {
    const { stage } = shared();
    const prompt = 'never made from a letter';
    const image3 = stage.discord.uploadAttachment({ bytes: Buffer.from('Dear Easel'), filename: 'a.png' });
    const asked = await edit(shared(), { prompt, photo: PHOTO, options: { image3 } });
    assert.match(asked.text, /The file for `image3` is not an image/);
    assertNothingTouched(stage, asked, prompt);
  });
});

async function sizeOf(bytes: Buffer | undefined): Promise<Size> {
  const { width, height } = await sharp(bytes).metadata();
  return { width, height };
}
