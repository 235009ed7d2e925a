import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import {
  buttonsOf,
  fieldsOf,
  fillIn,
  linkTo,
  postAsBot,
  press,
  pressAndFillIn,
  pressForPictures,
  pressThrough,
} from './conversation.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD, judge } from './judgement.ts';
import { answered, ask, picturesOf } from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const TWO_MONTHS_MS = 61 * 24 * 60 * 60_000;
const MEBIBYTE = 1024 * 1024;

describe('messages from before', { concurrency: true }, () => {
  it('keep their buttons after a restart and two months', async (t) => {
    const stage = await setStage(t);
    const { discord, member, administrator } = stage;
    const bot = await stage.startBot();
    const prompt = 'an old fox';
    const shown = await ask(stage, stage, 'imagine', { prompt, quality: 'low', count: 2 });
    const hidden = await ask(stage, stage, 'imagine', { prompt: 'a hidden old fox', quality: 'low', private: true });
    await bot.stop();
    discord.clock.advance(TWO_MONTHS_MS);
    await stage.startBot();

    const answers = { prompt: 'an old fox with a hat', picture: '1' };
    const edited = await pressAndFillIn(stage, shown.message, 'Edit', { member: administrator, answers });
    assert.ok(edited.text.includes(linkTo(shown.message)), edited.text);
    await pressAndFillIn(stage, shown.message, 'Vary', { member, answers: { picture: '0' } });
    await pressThrough(stage, shown.message, 'Again', administrator);
    assert.equal(callsFor(stage, prompt).length, 3);
    const varied = await pressThrough(stage, hidden.message, 'Vary', member);
    assert.equal(varied.message.visibleTo, member.user.id);
    await press(stage, shown.message, 'Delete', member);
    await discord.waitFor(() => discord.message(shown.message.id)?.deletedAtMs !== undefined);
    await atRest(stage);
    assert.equal(judge(stage).posted, 6);
  });

  it('open forms that can be sent after a restart', async (t) => {
    const stage = await setStage(t);
    const { member } = stage;
    const bot = await stage.startBot();
    const first = await ask(stage, stage, 'imagine', { prompt: 'two foxes', quality: 'low', count: 2 });
    const edit = await press(stage, first.message, 'Edit', member);
    const vary = await press(stage, first.message, 'Vary', member);
    await bot.stop();
    await stage.startBot();
    for (const [opened, filled] of [
      [edit, { prompt: 'one fox', picture: '1' }],
      [vary, { picture: '1' }],
    ] as const) {
      const { message } = await answered(await fillIn(stage, opened, member, filled));
      assert.ok(message.shownAttachments.length > 0);
    }
    assert.equal(judge(stage).posted, 3);
  });

  it('have originals for as long as those are kept', async (t) => {
    const stage = await setStage(t, { provider: { resultBytes: 12 * MEBIBYTE } });
    const { member, administrator } = stage;
    const bot = await stage.startBot();
    const first = await ask(stage, stage, 'imagine', { prompt: 'a heavy fox', quality: 'low' });
    assert.deepEqual([...buttonsOf(first.message).keys()], ['Edit', 'Vary', 'Again', 'Original', 'Delete']);
    await bot.stop();
    await stage.startBot();
    const brought = await pressForPictures(stage, first.message, 'Original', administrator);
    assert.equal(brought.message.visibleTo, administrator.user.id);
    assert.equal(picturesOf(brought).length, 1);

    const hidden = await ask(stage, stage, 'imagine', { prompt: 'a hidden heavy fox', quality: 'low', private: true });
    assert.equal(picturesOf(await pressForPictures(stage, hidden.message, 'Original', member)).length, 1);
    const customId = `easel:1:original:${hidden.interaction.id}`;
    const forged = await postAsBot(stage, stage.channel.id, [customId]);
    assert.match((await pressThrough(stage, forged, customId, administrator)).text, /no longer there/);

    // What Discord does not delete goes on to have them.
    const body = { message: 'Missing Permissions', code: 50013 };
    stage.discord.faults.add({ kind: 'status', status: 403, route: 'DELETE original', body });
    assert.match((await pressThrough(stage, first.message, 'Delete', member)).text, /did not let Easel delete/);
    assert.equal(picturesOf(await pressForPictures(stage, first.message, 'Original', member)).length, 1);

    await press(stage, first.message, 'Delete', member);
    await stage.discord.waitFor(() => stage.discord.message(first.message.id)?.deletedAtMs !== undefined);
    const late = await postAsBot(stage, stage.channel.id, [`easel:1:original:${first.interaction.id}`]);
    const gone = await pressThrough(stage, late, `easel:1:original:${first.interaction.id}`, member);
    assert.match(gone.text, /originals are no longer there/);
  });

  describe('of a bot that was never ended', { concurrency: true }, () => {
    const shared = shareStage({ auditedBudget: DEFAULT_BUDGET_NANO_USD });

    it('give the words of a form back whose picture is gone', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      const { member, administrator } = server;
      const first = await ask(stage, server, 'imagine', { prompt: 'a fleeting fox', quality: 'low' });
      const opened = await press(stage, first.message, 'Edit', administrator);
      await press(stage, first.message, 'Delete', member);
      await discord.waitFor(() => discord.message(first.message.id)?.deletedAtMs !== undefined);
      const told = await answered(await fillIn(stage, opened, administrator, { prompt: 'a `fox` that ``` stays' }));
      assert.equal(told.message.visibleTo, administrator.user.id);
      assert.match(told.text, /no longer be reached[^]*a `fox` that ''' stays/);
      assert.deepEqual(callsFor(stage, 'a `fox` that ``` stays'), []);
    });

    it('of another version get a kind word instead of an error, and so do buttons in direct messages', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const { member, channel } = addServer(stage);
      const message = await postAsBot(stage, channel.id, ['easel:0:edit:1', 'easel:1:paint:1', 'easel:1:edit:x']);
      for (const label of ['easel:0:edit:1', 'easel:1:paint:1', 'easel:1:edit:x']) {
        const told = await pressThrough(stage, message, label, member);
        assert.equal(told.message.visibleTo, member.user.id);
        assert.match(told.text, /version of Easel that is not running any more.*nothing charged/);
      }
      const direct = await postAsBot(stage, discord.world.directChannel(member.user).id, ['easel:1:again:1']);
      const pressed: InteractionHandle = discord.click({
        member: member.user,
        message: direct,
        customId: 'easel:1:again:1',
      });
      assert.match((await answered(pressed)).text, /only in the server/);
    });

    it('of another version are left to that version, which may run beside during an update', async () => {
      const { stage } = shared();
      const { member, channel } = addServer(stage);
      const labels = ['easel:2:edit:1', 'easel:1:upscale:1'];
      const message = await postAsBot(stage, channel.id, labels);
      for (const label of labels) {
        const { acknowledgedAfterMs = 0 } = await press(stage, message, label, member);
        // Whoever knows what to do has nothing to wait for.
        assert.ok(acknowledgedAfterMs > 450, `${label} was taken after ${acknowledgedAfterMs} ms`);
      }
    });

    it('say that they are outdated where their result was deleted', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const { member } = server;
      const first = await ask(stage, server, 'imagine', { prompt: 'a fox to copy', quality: 'low' });
      const edited = await pressAndFillIn(stage, first.message, 'Edit', {
        member,
        answers: { prompt: 'a copied fox' },
      });
      await press(stage, first.message, 'Delete', member);
      await stage.discord.waitFor(() => stage.discord.message(first.message.id)?.deletedAtMs !== undefined);
      // What it was made from is gone, so the picture has to be attached.
      const again = await press(stage, edited.message, 'Again', member);
      assert.deepEqual(fieldsOf(again), ['upload', 'prompt', 'choices']);
    });
  });
});
