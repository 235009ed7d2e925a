import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { buttonsOf, press, pressForPictures, pressThrough, untilOffered } from './conversation.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD, judge, newsOf, postsOf } from './judgement.ts';
import { answered, courseOf, imagine, isFor, shownUsd, theBillFor } from './requests.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

/** News comes after two seconds. */
const NEWS_WAIT_MS_MAX = 10_000;

describe('Cancel, under the news of a job', { concurrency: true }, () => {
  it('calls off what waits, for whoever asked for it, and for nothing', async (t) => {
    const stage = await setStage(t, { environment: { PROVIDER_CONCURRENCY: '1' } });
    await stage.startBot();
    const server = addServer(stage);
    const gate = stage.provider.holdAnswers();
    const working = imagine(stage, server, 'at work');
    await gate.arrived(1);
    const waiting = imagine(stage, server, 'in line');
    const news = await newsOf(stage, waiting, /^In line for the provider; your request is next/m);

    const other = await pressThrough(stage, news, 'Cancel', server.administrator);
    assert.equal(other.message.visibleTo, server.administrator.user.id);
    assert.match(other.text, /Only whoever asked for it/);
    assert.ok(buttonsOf(stage.discord.message(news.id) ?? news).has('Cancel'), 'it waits on');

    await press(stage, news, 'Cancel', server.member);
    assert.match((await answered(waiting)).text, /Cancelled before anything was made\. You were not charged\./);
    assert.equal(courseOf(stage, waiting), 'reserve void');
    gate.release();
    await answered(working);
    await atRest(stage);
    assert.deepEqual(callsFor(stage, 'in line'), []);
    assert.equal(judge(stage).posted, 1);
  });

  describe('of a job that is out', { concurrency: 1 }, () => {
    const shared = shareStage({ provider: plainPictures, auditedBudget: DEFAULT_BUDGET_NANO_USD });

    for (const isPrivate of [false, true]) {
      it(`of a ${isPrivate ? 'private' : 'public'} job at work says at once that it costs, and keeps what comes of it`, async () => {
        const { stage } = shared();
        const server = addServer(stage);
        const prompt = `called off, private: ${isPrivate}`;
        const gate = stage.provider.holdAnswers({ when: isFor(prompt) });
        const interaction = imagine(stage, server, prompt, { private: isPrivate });
        await gate.arrived(1);
        const news = await newsOf(stage, interaction, /^The provider is at work; it began/m);
        await press(stage, news, 'Cancel', server.member);
        await newsOf(stage, interaction, /^Cancelled\. The provider had already started/m);
        gate.release();

        const { message, text } = await answered(interaction);
        const { costNanoUsd } = theBillFor(stage, prompt);
        assert.ok(text.includes(`made all the same and cost ${shownUsd(costNanoUsd)}`), text);
        assert.equal(message.attachments.length, 0);
        const shown = await pressForPictures(stage, message, 'Show it anyway', server.member);
        assert.equal(shown.message.shownAttachments.length, 1, shown.text);
        assert.equal(shown.message.visibleTo, server.member.user.id);
        await atRest(stage, { interaction });
        assert.equal(postsOf(stage, interaction, server.member).length, 1);
        assert.equal(callsFor(stage, prompt).length, 1);
        assert.equal(courseOf(stage, interaction), 'reserve dispatch post');
      });
    }

    it('keeps what comes of it for whoever asked for it, and shows it to nobody else, wherever they are', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      const { member } = server;
      const gate = stage.provider.holdAnswers({ when: isFor('wanted after all') });
      const interaction = imagine(stage, server, 'wanted after all');
      await gate.arrived(1);
      await press(stage, await newsOf(stage, interaction, /^The provider is at work/m), 'Cancel', member);
      gate.release();
      const { message } = await answered(interaction);
      const elsewhere = discord.world.addChannel(server.guild, { name: 'elsewhere' });
      const quota = await untilOffered(stage, { ...server, channel: elsewhere });
      assert.match(quota.text, /A result that you cancelled too late is kept\. It will be dropped <t:\d+:R>\./);
      const other = await pressThrough(stage, message, 'Show it anyway', server.administrator);
      assert.match(other.text, /Only whoever asked for that result can have it shown\./);
      assert.equal(other.message.visibleTo, server.administrator.user.id);

      const body = { message: 'Unknown Message', code: 10_008 };
      discord.faults.add({ kind: 'status', status: 404, body, route: 'PATCH original', onlyUploads: true });
      await press(stage, quota.message, 'Show it', member);
      await discord.waitFor(() => postsOf(stage, interaction, member).length > 0, NEWS_WAIT_MS_MAX);
      assert.deepEqual(
        postsOf(stage, interaction, member).map(({ visibleTo }) => visibleTo),
        [member.user.id],
        'a result that was called off stands in a channel',
      );
      assert.equal(discord.directMessages(member.user).length, 1);
    });
  });

  it('is left to the process that has the job, and so is what comes of it', async (t) => {
    const stage = await setStage(t);
    await stage.startBot();
    await stage.startBot({ environment: { DATA_DIR: join(stage.dataDirectory, 'elsewhere') } });
    const { discord } = stage;
    const server = addServer(stage);
    const { member } = server;
    const pressAtAll = (message: EmulatedMessage, label: string): InteractionHandle => {
      const customId = buttonsOf(message).get(label)?.custom_id ?? assert.fail(`there is no button ${label}`);
      return discord.click({ member, message, customId, deliverTo: 'all' });
    };
    for (const prompt of ['one owl', 'two owls', 'three owls']) {
      const gate = stage.provider.holdAnswers();
      const interaction = imagine(stage, server, prompt);
      await gate.arrived(1);
      const cancelled = pressAtAll(await newsOf(stage, interaction, /^The provider is at work/m), 'Cancel');
      await cancelled.acknowledged();
      await newsOf(stage, interaction, /^Cancelled\. The provider had already started/m);
      gate.release();
      const { message } = await answered(interaction);
      // The latest one is asked alone, and it has the job.
      await untilOffered(stage, server);
      const shown = await answered(pressAtAll(message, 'Show it anyway'));
      assert.equal(shown.message.shownAttachments.length, 1, shown.text);
    }
  });

  it('has nothing to cancel after a restart, where the job has ended already', async (t) => {
    const stage = await setStage(t);
    const bot = await stage.startBot();
    const server = addServer(stage);
    const gate = stage.provider.holdAnswers({ when: isFor('lost to a crash') });
    const interaction = imagine(stage, server, 'lost to a crash');
    await gate.arrived(1);
    const news = await newsOf(stage, interaction, /^The provider is at work/m);
    await bot.kill();
    gate.release();
    // The news stands for a moment longer, so that somebody can press what is under it.
    const fault = stage.discord.faults.add({ kind: 'status', status: 500, route: 'PATCH original', times: 3 });
    await stage.startBot();
    await stage.discord.waitFor(() => fault.spoiled() > 0, NEWS_WAIT_MS_MAX);
    const late = await pressThrough(stage, news, 'Cancel', server.member);
    assert.equal(late.message.visibleTo, server.member.user.id);
    assert.match(late.text, /nothing to cancel any more/);
    assert.match((await answered(interaction)).text, /its answer is lost/);
    await atRest(stage);
    assert.equal(judge(stage).unknown, 1);
  });
});
