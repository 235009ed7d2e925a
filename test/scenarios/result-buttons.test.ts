import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProviderCall } from '../../sandbox/provider/call-log.ts';
import { wordsFor } from '../../src/discord/words.ts';
import { photograph, whiteOnBlack } from '../fixtures/pictures.ts';
import {
  buttonsOf,
  clearRecord,
  fieldsOf,
  fillIn,
  hasRecord,
  linkTo,
  pixelsOf,
  prefilledPromptOf,
  press,
  pressAndFillIn,
  pressThrough,
  sentPictures,
} from './conversation.ts';
import { callsFor, DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import {
  answered,
  ask,
  assertNothingTouched,
  billsFor,
  courseOf,
  decide,
  picturesOf,
  shownUsd,
  theBillFor,
} from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';

const MANAGE_MESSAGES = 1n << 13n;
const LOW = { quality: 'low' };
/** Any size, so that small pictures stay as they are and are sent byte by byte. */
const ANY_SIZE = { model: 'gpt-image-2', quality: 'low' };

describe('the buttons under a result', { concurrency: 2 }, () => {
  const shared = shareStage({ provider: { keepUploads: true }, auditedBudget: DEFAULT_BUDGET_NANO_USD });

  describe('Edit', { concurrency: 2 }, () => {
    it('opens a form at once, and edits the picture of the message', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'a plain fox', ...LOW });
      const opened = await press(stage, first.message, 'Edit', server.member);
      assert.deepEqual(fieldsOf(opened), ['prompt', 'mask', 'part', 'choices']);
      const edited = await answered(await fillIn(stage, opened, server.member, { prompt: 'a fox with a hat' }));

      const call = theCallFor('a fox with a hat');
      assert.equal(call.endpoint, 'edits');
      assert.equal(call.parameters['quality'], 'low', 'as the picture was made');
      assert.deepEqual(await sentPictures(call), [await pixelsOf(picturesOf(first)[0])]);
      assert.ok(edited.text.includes(`Made from ${linkTo(first.message)}`), edited.text);
      assert.ok(edited.text.includes(shownUsd(theBillFor(stage, 'a fox with a hat').costNanoUsd)), edited.text);
      assert.equal(edited.message.visibleTo, 'everyone');
      assert.equal(courseOf(stage, edited.interaction), 'reserve dispatch post');
      assert.notEqual(edited.interaction.id, first.interaction.id);
    });

    it('makes nothing of a form in which there is nothing to read', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'a fox without words', ...LOW });
      const answers = { prompt: '  \n' };
      const edited = await pressAndFillIn(stage, first.message, 'Edit', { member: server.member, answers });
      assert.match(edited.text, /There is nothing to read in what you asked for/);
      assertNothingTouched(stage, edited, answers.prompt);
    });

    it('asks which of several, and takes that one', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'three foxes', count: 3, ...LOW });
      const opened = await press(stage, first.message, 'Edit', server.member);
      assert.deepEqual(fieldsOf(opened), ['picture', 'prompt', 'mask', 'part', 'choices']);
      await answered(await fillIn(stage, opened, server.member, { prompt: 'the third fox', picture: '2' }));
      assert.deepEqual(await sentPictures(theCallFor('the third fox')), [await pixelsOf(picturesOf(first)[2])]);
    });

    it('belongs to whoever presses it, who may keep it to themselves', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'a public fox', ...LOW });
      const answers = { prompt: 'a secret fox', choices: ['private', 'spoiler'] };
      const { message, text } = await pressAndFillIn(stage, first.message, 'Edit', {
        member: server.administrator,
        answers,
      });
      assert.equal(message.visibleTo, server.administrator.user.id);
      assert.ok(text.includes(`For <@${server.administrator.user.id}>`), text);
      assert.match(text, /\(covered\) \[/);
    });

    it('of a private result is private as well, and links to nothing', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'a shy fox', private: true, ...LOW });
      const { message, text } = await pressAndFillIn(stage, first.message, 'Edit', {
        member: server.member,
        answers: { prompt: 'a shy fox with a hat' },
      });
      assert.equal(message.visibleTo, server.member.user.id);
      assert.doesNotMatch(text, /Made from/);
    });

    it('takes a mask, and a ready-made region', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const size = { width: 1024, height: 1024 };
      const bytes = await whiteOnBlack(size, { left: 0, top: 0, width: 512, height: 1024 }).png().toBuffer();
      const mask = stage.discord.uploadAttachment({ bytes, filename: 'mask.png' });
      const first = await ask(stage, server, 'imagine', { prompt: 'a fox to paint on', ...LOW });
      const { member } = server;
      const masked = await pressAndFillIn(stage, first.message, 'Edit', {
        member,
        // Half and half could be meant either way.
        answers: { prompt: 'a masked fox', mask: [mask], part: ['white'] },
      });
      assert.match(masked.text, /white part of the mask could change: 50% of the picture/);
      const inRegion = await pressAndFillIn(stage, first.message, 'Edit', {
        member,
        answers: { prompt: 'a fox on the left', part: ['left'] },
      });
      assert.match(inRegion.text, /chosen region could change: 50% of the picture/);
      for (const prompt of ['a masked fox', 'a fox on the left']) {
        assert.ok(theCallFor(prompt).files.some(({ field }) => field === 'mask'));
      }
    });

    it('says in the words of its form what is missing there or is too much', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const half = { left: 0, top: 0, width: 512, height: 1024 };
      const bytes = await whiteOnBlack({ width: 1024, height: 1024 }, half).png().toBuffer();
      const mask = [stage.discord.uploadAttachment({ bytes, filename: 'mask.png' })];
      const first = await ask(stage, server, 'imagine', { prompt: 'a fox to be unclear about', ...LOW });
      const prompt = 'an unclear fox';
      for (const [answers, says] of [
        [
          { mask },
          /choose “What is white in the mask” or “What is black in the mask” under “Which part may change\?”\./,
        ],
        [{ mask, part: ['left'] }, /leave “Mask” empty, or choose nothing but “What is white in the mask” or/],
        [{ part: ['white'] }, /What you chose under “Which part may change\?” is about a mask, and there is none/],
      ] as const) {
        const filledIn = { member: server.member, answers: { prompt, ...answers } };
        const { text } = await pressAndFillIn(stage, first.message, 'Edit', filledIn);
        assert.match(text, says);
        assert.match(text, /You were not charged/);
        assert.doesNotMatch(text, /mask_marks|region/);
      }
      assert.deepEqual(callsFor(stage, prompt), []);
    });

    it('is held to the budget like any request', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'the last fox', ...LOW });
      await decide(stage, server, 'budget', { usd: '0.01' });
      const { text } = await pressAndFillIn(stage, first.message, 'Edit', {
        member: server.member,
        answers: { prompt: 'one fox too many' },
      });
      assert.match(text, /budget for the month does not cover it.*You were not charged/);
      assert.deepEqual(callsFor(stage, 'one fox too many'), []);
    });
  });

  describe('Vary', { concurrency: 2 }, () => {
    it('edits the picture with the same prompt and choices', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const asked = { prompt: 'a fox to vary', size: '1536x1024', quality: 'low', format: 'webp' };
      const first = await ask(stage, server, 'imagine', asked);
      const varied = await pressThrough(stage, first.message, 'Vary', server.administrator);
      const [generation, variation] = callsFor(stage, 'a fox to vary');
      assert.equal(variation?.endpoint, 'edits');
      for (const parameter of ['model', 'size', 'quality', 'output_format']) {
        assert.equal(variation.parameters[parameter], generation?.parameters[parameter], parameter);
      }
      assert.deepEqual(await sentPictures(variation), [await pixelsOf(picturesOf(first)[0])]);
      assert.ok(varied.text.includes(linkTo(first.message)), varied.text);
      assert.ok(varied.text.includes(`For <@${server.administrator.user.id}>`), varied.text);
      assert.equal(billsFor(stage, 'a fox to vary').length, 2);
    });

    it('asks which of several', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'two foxes to vary', count: 2, ...LOW });
      const opened = await press(stage, first.message, 'Vary', server.member);
      assert.deepEqual(fieldsOf(opened), ['picture']);
      await answered(await fillIn(stage, opened, server.member, { picture: '1' }));
      const [, variation] = callsFor(stage, 'two foxes to vary');
      assert.deepEqual(await sentPictures(variation), [await pixelsOf(picturesOf(first)[1])]);
    });
  });

  describe('Again', { concurrency: 2 }, () => {
    it('makes the same request anew', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const asked = { prompt: 'a fox once more', size: '1024x1536', quality: 'low', count: 2, spoiler: true };
      const first = await ask(stage, server, 'imagine', asked);
      const again = await pressThrough(stage, first.message, 'Again', server.member);
      const [one, other] = callsFor(stage, 'a fox once more');
      assert.deepEqual(withoutSafety(other), withoutSafety(one));
      assert.equal(again.message.shownAttachments.length, 2);
      assert.match(again.text, /\(covered\)/);
      assert.notEqual(again.message.id, first.message.id);
    });

    it('asks for attached pictures once more, because they are not kept', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const bytes = await photograph({ width: 816, height: 816 }).png().toBuffer();
      const upload = () => stage.discord.uploadAttachment({ bytes, filename: 'photo.png' });
      const prompt = 'a photo of a fox';
      const first = await ask(stage, server, 'edit', { prompt, image: upload(), ...ANY_SIZE });
      const opened = await press(stage, first.message, 'Again', server.member);
      assert.deepEqual(fieldsOf(opened), ['upload', 'prompt', 'choices']);
      assert.equal(prefilledPromptOf(opened), prompt);
      await answered(await fillIn(stage, opened, server.member, { upload: [upload()] }));
      const [one, other] = callsFor(stage, prompt);
      assert.deepEqual(withoutSafety(other), withoutSafety(one));
      assert.deepEqual(await sentPictures(other), await sentPictures(one));
    });

    it('says which of several pictures it cannot use', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const bytes = await photograph({ width: 816, height: 816 }).png().toBuffer();
      const upload = (content = bytes) => stage.discord.uploadAttachment({ bytes: content, filename: 'photo.png' });
      const prompt = 'two photos of a fox';
      const first = await ask(stage, server, 'edit', { prompt, image: upload(), image2: upload(), ...ANY_SIZE });
      const opened = await press(stage, first.message, 'Again', server.member);
      const uploads = [upload(), upload(Buffer.from('no picture'))];
      const refused = await answered(await fillIn(stage, opened, server.member, { upload: uploads }));
      assert.match(refused.text, /The file for `image2` is not an image.*You were not charged/);
      assert.equal(callsFor(stage, prompt).length, 1);
    });

    it('asks for the mask, too, where there was one', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const size = { width: 816, height: 816 };
      const photo = await photograph(size).png().toBuffer();
      const painted = await whiteOnBlack(size, { left: 100, top: 100, width: 300, height: 300 }).png().toBuffer();
      const image = stage.discord.uploadAttachment({ bytes: photo, filename: 'photo.png' });
      const mask = stage.discord.uploadAttachment({ bytes: painted, filename: 'mask.png' });
      const prompt = 'a masked photo of a fox';
      const first = await ask(stage, server, 'edit', { prompt, image, mask, ...ANY_SIZE });
      const opened = await press(stage, first.message, 'Again', server.member);
      assert.deepEqual(fieldsOf(opened), ['upload', 'prompt', 'mask', 'choices']);
      const again = await answered(await fillIn(stage, opened, server.member, { upload: [image], mask: [mask] }));
      assert.match(again.text, /white part of the mask/);
      const [one, other] = callsFor(stage, prompt);
      assert.deepEqual(await sentPictures(other), await sentPictures(one));
    });

    it('fetches a picture that came from a message from there', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'two foxes to begin with', count: 2, ...LOW });
      const prompt = 'the second fox with a hat';
      const edited = await pressAndFillIn(stage, first.message, 'Edit', {
        member: server.member,
        answers: { prompt, picture: '1' },
      });
      const again = await pressThrough(stage, edited.message, 'Again', server.administrator);
      const [one, other] = callsFor(stage, prompt);
      assert.deepEqual(await sentPictures(other), await sentPictures(one));
      assert.ok(again.text.includes(linkTo(first.message)), again.text);
    });
  });

  describe('Delete', { concurrency: 2 }, () => {
    it('is for whoever asked, and takes what is known of the result with it', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const other = stage.discord.world.addMember(server.guild, { username: 'otto' });
      const first = await ask(stage, server, 'imagine', { prompt: 'a fox to delete', ...LOW });
      assert.ok(hasRecord(stage, first.interaction));
      const refused = await pressThrough(stage, first.message, 'Delete', other);
      assert.equal(refused.message.visibleTo, other.user.id);
      assert.match(refused.text, new RegExp(`Only <@${server.member.user.id}> and members who may manage messages`));
      assert.equal(stage.discord.message(first.message.id)?.deletedAtMs, undefined);

      await press(stage, first.message, 'Delete', server.member);
      await stage.discord.waitFor(() => stage.discord.message(first.message.id)?.deletedAtMs !== undefined);
      await stage.discord.waitFor(() => !hasRecord(stage, first.interaction) || undefined);
    });

    it('is for moderators, and for the member of a private result', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      const moderator = discord.world.addMember(server.guild, { username: 'max', permissions: MANAGE_MESSAGES });
      const shown = await ask(stage, server, 'imagine', { prompt: 'a fox to moderate', ...LOW });
      const hidden = await ask(stage, server, 'imagine', { prompt: 'a fox to hide', private: true, ...LOW });
      await press(stage, shown.message, 'Delete', moderator);
      await press(stage, hidden.message, 'Delete', server.member);
      for (const { message } of [shown, hidden]) {
        await discord.waitFor(() => discord.message(message.id)?.deletedAtMs !== undefined);
      }
    });

    it('is for whoever asked also where no record is left', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'a forgotten fox', ...LOW });
      clearRecord(stage, first.interaction);
      const refused = await pressThrough(stage, first.message, 'Delete', server.administrator);
      assert.match(refused.text, /Only <@/);
      await press(stage, first.message, 'Delete', server.member);
      await discord.waitFor(() => discord.message(first.message.id)?.deletedAtMs !== undefined);
    });
  });

  it('say so alone where the record of a result is cleared away', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const first = await ask(stage, server, 'imagine', { prompt: 'a cleared fox', ...LOW });
    clearRecord(stage, first.interaction);
    for (const label of ['Vary', 'Again']) {
      const { message, text } = await pressThrough(stage, first.message, label, server.member);
      assert.equal(message.visibleTo, server.member.user.id);
      assert.match(text, /no longer kept.*You were not charged/);
    }
    assert.equal(callsFor(stage, 'a cleared fox').length, 1);
    const edited = await pressAndFillIn(stage, first.message, 'Edit', {
      member: server.member,
      answers: { prompt: 'a cleared fox with a hat' },
    });
    assert.equal(picturesOf(edited).length, 1);
  });

  it('begin one job, however often Discord sends the event', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const first = await ask(stage, server, 'imagine', { prompt: 'a fox in haste', ...LOW });
    const customId = buttonsOf(first.message).get('Again')?.custom_id ?? assert.fail('there is no such button');
    const pressed = stage.discord.click({ member: server.member, message: first.message, customId, times: 3 });
    await answered(pressed);
    assert.equal(callsFor(stage, 'a fox in haste').length, 2);
  });

  it('speak the language of whoever asked, and their forms that of whoever presses', async () => {
    const { stage } = shared();
    const { discord } = stage;
    const server = addServer(stage);
    const german = discord.world.addMember(server.guild, { username: 'greta', locale: 'de' });
    const french = discord.world.addMember(server.guild, { username: 'fleur', locale: 'fr' });
    const { message } = await ask(stage, server, 'imagine', { prompt: 'ein Fuchs', ...LOW }, german);
    const edit = wordsFor('de').say('result.button.edit');
    assert.ok(buttonsOf(message).has(edit), [...buttonsOf(message).keys()].join());
    const opened = await press(stage, message, edit, french);
    assert.equal(opened.modal?.title, wordsFor('fr').say('modal.edit.title'));
  });

  it('offer no originals where the pictures are posted as they came', async () => {
    const { stage } = shared();
    const { message } = await ask(stage, addServer(stage), 'imagine', { prompt: 'an untouched fox', ...LOW });
    assert.deepEqual([...buttonsOf(message).keys()], ['Edit', 'Vary', 'Again', 'Delete']);
  });

  function theCallFor(prompt: string): ProviderCall {
    const [call, ...others] = callsFor(shared().stage, prompt);
    assert.equal(others.length, 0, 'there was more than one call');
    return call ?? assert.fail('there was no call');
  }
});

function withoutSafety(call: ProviderCall | undefined): Readonly<Record<string, unknown>> {
  const { safety_identifier: _safety, user: _user, ...parameters } = call?.parameters ?? {};
  return parameters;
}
