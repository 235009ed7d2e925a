import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedAttachment, EmulatedMessage } from '../../sandbox/discord/message.ts';
import type { EmulatedMember } from '../../sandbox/discord/world.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { photograph } from '../fixtures/pictures.ts';
import { fieldsOf, fillIn, linkTo, pixelsOf, sentPictures } from './conversation.ts';
import { callsFor, DEFAULT_BUDGET_NANO_USD, judge } from './judgement.ts';
import { answered, ask, picturesOf } from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const SIZE = { width: 816, height: 816 };

describe('Edit image, in the menu of a message', { concurrency: true }, () => {
  describe('while the bot runs', { concurrency: 2 }, () => {
    const shared = shareStage({
      provider: { keepUploads: true },
      environment: { IMAGE_MODELS: 'gpt-image-2' },
      auditedBudget: DEFAULT_BUDGET_NANO_USD,
    });

    it('edits what somebody else posted, also where Easel may neither read nor write', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const photo = await upload(stage, 1);
      const channel = stage.discord.world.addChannel(server.guild, { botPermissions: 0n });
      const message = stage.discord.postAsMember({ member: server.administrator, channel, attachments: [photo] });
      const opened = await openMenu(stage, message, server.member);
      assert.deepEqual(fieldsOf(opened), ['prompt', 'mask', 'part', 'choices']);
      const edited = await answered(await fillIn(stage, opened, server.member, { prompt: 'a photo with a hat' }));
      assert.deepEqual(await sentPictures(callsFor(stage, 'a photo with a hat')[0]), [await pixelsOf(photo)]);
      assert.ok(edited.text.includes(`Made from ${linkTo(message)}`), edited.text);
      assert.ok(edited.text.includes(`For <@${server.member.user.id}>`), edited.text);
      assert.equal(picturesOf(edited).length, 1);
    });

    it('asks which of several, and passes over what is no picture', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const notes = stage.discord.uploadAttachment({ bytes: Buffer.from('notes'), filename: 'notes.txt' });
      const [one, other] = [await upload(stage, 2), await upload(stage, 3)];
      const message = stage.discord.postAsMember({ member: server.administrator, attachments: [notes, one, other] });
      const opened = await openMenu(stage, message, server.member);
      assert.deepEqual(fieldsOf(opened), ['picture', 'prompt', 'mask', 'part', 'choices']);
      await answered(await fillIn(stage, opened, server.member, { prompt: 'the second photo', picture: '1' }));
      assert.deepEqual(await sentPictures(callsFor(stage, 'the second photo')[0]), [await pixelsOf(other)]);
    });

    it("takes the preview of a link only from Discord's own media hosts", async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const photo = await upload(stage, 4);
      const linked = stage.discord.postAsMember({
        member: server.administrator,
        embeds: [{ image: { url: stage.discord.attachmentUrl(photo) } }],
      });
      const opened = await openMenu(stage, linked, server.member);
      await answered(await fillIn(stage, opened, server.member, { prompt: 'a linked photo' }));
      assert.deepEqual(await sentPictures(callsFor(stage, 'a linked photo')[0]), [await pixelsOf(photo)]);

      const elsewhere = stage.discord.postAsMember({
        member: server.administrator,
        embeds: [{ image: { url: 'http://169.254.169.254/photo.png' } }],
      });
      await assertNoPicture(stage, elsewhere, server.member);
    });

    it('says so alone where there is no picture', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const message = stage.discord.postAsMember({ member: server.administrator, content: 'no picture here' });
      await assertNoPicture(stage, message, server.member);
    });

    it('edits results of its own, too', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const first = await ask(stage, server, 'imagine', { prompt: 'a fox for the menu', quality: 'low' });
      const opened = await openMenu(stage, first.message, server.administrator);
      const edited = await answered(
        await fillIn(stage, opened, server.administrator, { prompt: 'a fox from the menu', choices: ['private'] }),
      );
      assert.equal(edited.message.visibleTo, server.administrator.user.id);
      assert.ok(edited.text.includes(linkTo(first.message)), edited.text);
    });
  });

  it('after a restart still knows what it may read, and else gives the words back', async (t) => {
    const stage = await setStage(t, { provider: { keepUploads: true } });
    const { member, administrator, channel } = stage;
    const bot = await stage.startBot();
    const server = { ...stage };
    const own = await ask(stage, server, 'imagine', { prompt: 'a fox before the restart', quality: 'low' });
    const photo = await upload(stage, 5);
    const foreign = stage.discord.postAsMember({ member: administrator, channel, attachments: [photo] });
    const openedOnOwn = await openMenu(stage, own.message, member);
    const openedOnForeign = await openMenu(stage, foreign, member);
    await bot.stop();
    await stage.startBot();

    const edited = await answered(await fillIn(stage, openedOnOwn, member, { prompt: 'a fox after the restart' }));
    assert.equal(picturesOf(edited).length, 1);
    const lost = await answered(await fillIn(stage, openedOnForeign, member, { prompt: 'words worth keeping' }));
    assert.equal(lost.message.visibleTo, member.user.id);
    assert.match(lost.text, /no longer be reached.*You were not charged/);
    assert.match(lost.text, /words worth keeping/);
    assert.deepEqual(callsFor(stage, 'words worth keeping'), []);
    assert.equal(judge(stage).posted, 2);
  });
});

async function upload({ discord }: Stage, seed: number): Promise<EmulatedAttachment> {
  const bytes = await photograph(SIZE, seed).png().toBuffer();
  return discord.uploadAttachment({ bytes, filename: 'photo.png' });
}

/** Chooses the command from the menu of a message, and waits until Discord has the first answer. */
async function openMenu(
  { discord }: Stage,
  message: EmulatedMessage,
  member: EmulatedMember,
): Promise<InteractionHandle> {
  const opened = discord.messageMenu({ command: 'Edit image', member, message });
  await opened.acknowledged();
  return opened;
}

async function assertNoPicture(stage: Stage, message: EmulatedMessage, member: EmulatedMember): Promise<void> {
  const opened = await openMenu(stage, message, member);
  const told = await answered(opened);
  assert.equal(told.message.visibleTo, member.user.id);
  assert.match(told.text, /no picture in that message/);
}
