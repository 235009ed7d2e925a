import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  buttonsOf,
  hasRecord,
  linkTo,
  lockStore,
  outliveToken,
  postAsBot,
  press,
  pressAndFillIn,
  pressThrough,
  spoilRecord,
} from './conversation.ts';
import { atRest, callsFor, judge, onlyPost } from './judgement.ts';
import { ask, courseOf } from './requests.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';

const FORBIDDEN = { message: 'Missing Permissions', code: 50013 };
const UNKNOWN_INTERACTION = { message: 'Unknown interaction', code: 10062 };
const LOW = { quality: 'low' };

describe('buttons in trouble', { concurrency: 1 }, () => {
  const shared = shareStage({ provider: plainPictures });

  it('begin nothing where Discord does not take the acknowledgement', async () => {
    const { stage } = shared();
    const { discord } = stage;
    const server = addServer(stage);
    const first = await ask(stage, server, 'imagine', { prompt: 'a fox too late', ...LOW });
    const customId = buttonsOf(first.message).get('Vary')?.custom_id ?? assert.fail('there is no such button');
    const fault = discord.faults.add({ kind: 'status', status: 404, route: 'callback', body: UNKNOWN_INTERACTION });
    const pressed = discord.click({ member: server.member, message: first.message, customId });
    await discord.waitFor(() => fault.spoiled() > 0);
    await atRest(stage, { interaction: pressed });
    assert.equal(callsFor(stage, 'a fox too late').length, 1);
    assert.equal(courseOf(stage, pressed), '');
  });

  it('never put an error in the place of a result', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const first = await ask(stage, server, 'imagine', { prompt: 'a fox that stays', ...LOW });
    stage.discord.faults.add({ kind: 'status', status: 403, route: 'DELETE original', body: FORBIDDEN });
    const told = await pressThrough(stage, first.message, 'Delete', server.member);
    assert.match(told.text, /did not let Easel delete.*ask somebody who may manage messages/);
    assert.equal(told.message.visibleTo, server.member.user.id);
    const stands = stage.discord.message(first.message.id);
    assert.equal(stands?.history.length, first.message.history.length);
    assert.ok(hasRecord(stage, first.interaction), 'it can be tried again');
  });

  it('delete nothing where the store does not let go of what is known of a result, and all of it when it does', async () => {
    const { stage } = shared();
    const { discord } = stage;
    const server = addServer(stage);
    const first = await ask(stage, server, 'imagine', { prompt: 'a fox on file', ...LOW });
    const unlock = lockStore(stage);
    const told = await pressThrough(stage, first.message, 'Delete', server.member);
    unlock();
    assert.match(told.text, /cannot read its books at the moment/);
    assert.equal(told.message.visibleTo, server.member.user.id);
    assert.equal(discord.message(first.message.id)?.deletedAtMs, undefined);
    assert.ok(hasRecord(stage, first.interaction));

    await press(stage, first.message, 'Delete', server.member);
    await discord.waitFor(() => discord.message(first.message.id)?.deletedAtMs !== undefined);
    assert.ok(!hasRecord(stage, first.interaction), 'the record is gone before the message is');
  });

  it('tell nobody else of a private result, whatever they say', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = 'a secret between us';
    const { interaction } = await ask(stage, server, 'imagine', { prompt, private: true, ...LOW });
    const customId = `easel:1:again:${interaction.id}`;
    const forged = await postAsBot(stage, server.channel.id, [customId]);
    const told = await pressThrough(stage, forged, customId, server.administrator);
    assert.match(told.text, /no longer kept/);
    assert.equal(callsFor(stage, prompt).length, 1);
    const elsewhere = addServer(stage);
    const far = await postAsBot(stage, elsewhere.channel.id, [customId]);
    assert.match((await pressThrough(stage, far, customId, elsewhere.member)).text, /no longer kept/);
  });

  it('spend nothing where the record cannot be read', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const first = await ask(stage, server, 'imagine', { prompt: 'a fox that cannot be read', ...LOW });
    spoilRecord(stage, first.interaction);
    for (const label of ['Vary', 'Again']) {
      const told = await pressThrough(stage, first.message, label, server.member);
      assert.equal(told.message.visibleTo, server.member.user.id);
      assert.match(told.text, /cannot read its books.*You were not charged/);
    }
    assert.equal(callsFor(stage, 'a fox that cannot be read').length, 1);

    // Without the record nobody knows with which model and quality, and a whole form was filled in.
    const prompt = 'an edit ``` of unknown quality';
    const edited = await pressAndFillIn(stage, first.message, 'Edit', { member: server.member, answers: { prompt } });
    assert.equal(edited.message.visibleTo, server.member.user.id);
    assert.match(edited.text, /cannot read its books[^]*You were not charged[^]*an edit ''' of unknown quality/);
    assert.deepEqual(callsFor(stage, prompt), []);
  });

  it('work under a result that had to go to the channel by itself', async () => {
    const { stage } = shared();
    const { discord } = stage;
    const server = addServer(stage);
    const interaction = await outliveToken(stage, server);
    const post = await onlyPost(stage, interaction, server.member);
    assert.notEqual(post.id, interaction.original()?.id);
    const edited = await pressAndFillIn(stage, post, 'Edit', {
      member: server.administrator,
      answers: { prompt: 'an edit of a late fox' },
    });
    assert.ok(edited.text.includes(linkTo(post)), edited.text);
    await press(stage, post, 'Delete', server.member);
    await discord.waitFor(() => discord.message(post.id)?.deletedAtMs !== undefined);
  });

  it('are not offered in direct messages', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const interaction = await outliveToken(stage, server, { private: true });
    const post = await onlyPost(stage, interaction, server.member);
    assert.equal(post.visibleTo, server.member.user.id);
    assert.equal(buttonsOf(post).size, 0);
  });

  it('leave books in which every bill stands once', async () => {
    const { stage } = shared();
    await atRest(stage);
    assert.equal(judge(stage).posted, stage.provider.bills.length);
  });
});
