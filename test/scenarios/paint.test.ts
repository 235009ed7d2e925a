import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderMessage } from '../../sandbox/discord/render.ts';
import { reachablePainter } from '../../sandbox/painter-address.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { decode, photograph } from '../fixtures/pictures.ts';
import { buttonsOf, fillIn, press } from './conversation.ts';
import { fileOf } from './edits.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD, judge, onlyPost } from './judgement.ts';
import { askOpenly, openPainter, outcome, painted, paintedMask, question, sendMask, toldAlone } from './painting.ts';
import { answered, ask, courseOf, decide, hasAccount, picturesOf } from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const SIZE = { width: 320, height: 240 };
/** What none of these pictures is looked at for shall take no time. */
const CHEAP = { model: 'gpt-image-2', quality: 'low' };
const GONE = 410;
const NOT_FOUND = 404;
const BUSY = 503;
const CUT_OFF = 0;
const HOUR_MS = 60 * 60_000;
/** Longer than an edit takes here. */
const PUT_OFF_SECONDS = 3;

/** A brush on its way along the whole border and once through the middle: what may change reaches every edge. */
const isBrushed = (x: number, y: number): boolean =>
  x < 9 || y < 7 || x >= SIZE.width - 5 || y >= SIZE.height - 3 || Math.abs(x - y) < 6;

async function paintableStage(t: Parameters<typeof setStage>[0], environment: Record<string, string> = {}) {
  const painter = await reachablePainter();
  return setStage(t, { provider: { keepUploads: true }, environment: { ...painter, ...environment } });
}

/** Waits until a message says something, and answers all that it says then. */
async function saysAtLast({ discord }: Stage, id: string, words: RegExp): Promise<string> {
  const text = (): string => {
    const message = discord.message(id);
    return message ? renderMessage(message) : '';
  };
  await discord.waitFor(() => words.test(text()));
  return text();
}

describe('painting a mask', { concurrency: 2 }, () => {
  describe('by whoever needs nothing but the page', { concurrency: 1 }, () => {
    const shared = shareStage(async () => ({
      provider: { keepUploads: true },
      environment: await reachablePainter(),
      auditedBudget: DEFAULT_BUDGET_NANO_USD,
    }));

    it('is not offered where it is said what may change', async () => {
      const { stage, bot } = shared();
      const server = addServer(stage);
      assert.doesNotMatch(bot.output, /ExperimentalWarning/);
      const upload = async () =>
        stage.discord.uploadAttachment({ bytes: await photograph(SIZE).png().toBuffer(), filename: 'a.png' });
      const mask = stage.discord.uploadAttachment({ bytes: await paintedMask(SIZE, isBrushed), filename: 'mask.png' });
      for (const options of [{ region: 'whole' }, { region: 'left' }, { mask }]) {
        const asked = { prompt: 'said', image: await upload(), ...CHEAP, ...options };
        assert.equal(picturesOf(await ask(stage, server, 'edit', asked)).length, 1);
      }
      const text = stage.discord.uploadAttachment({ bytes: Buffer.from('words'), filename: 'words.txt' });
      const refused = await ask(stage, server, 'edit', { prompt: 'words', image: text });
      assert.match(refused.text, /not charged/);
      assert.deepEqual(buttonsOf(refused.message).size, 0);
    });

    it('brings the provider exactly what was painted, and the result into the reply', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const asked = await askOpenly(stage, server, 'a hat');
      assert.ok(!hasAccount(stage, server), 'nothing is held or paid for a question');
      const { pressed, link } = await openPainter(stage, asked, server.member);
      const page = await fetch(link);
      assert.equal(page.status, 200);
      assert.match(await page.text(), /a hat/);
      const picture = await fetch(`${link}/picture`);
      const { width, height } = await decode(Buffer.from(await picture.arrayBuffer()));
      assert.deepEqual({ width, height }, SIZE);

      const mask = await paintedMask(SIZE, isBrushed);
      const sent = await sendMask(link, mask);
      assert.equal(sent.status, 200);
      assert.match(await sent.text(), /was sent to Discord/);
      const message = await outcome(stage, asked);
      assert.equal(message.shownAttachments.length, 1);
      assert.match(renderMessage(message), /The part you painted could change: \d+% of the picture/);
      const received = fileOf(callsFor(stage, 'a hat')[0]?.files, 'mask');
      assert.deepEqual(await painted(received.bytes), await painted(mask));
      assert.equal(courseOf(stage, pressed), 'reserve dispatch post');
      assert.equal(courseOf(stage, asked.interaction), '', 'the question itself has cost nothing');

      const told = await saysAtLast(stage, (await toldAlone(stage, pressed, server.member)).id, /Your mask is here/);
      assert.doesNotMatch(told, /http/, 'the link has done its work');

      const again = await sendMask(link, mask);
      assert.equal(again.status, GONE);
      assert.equal((await fetch(link)).status, GONE);
      assert.equal((await fetch(`${link}/picture`)).status, NOT_FOUND);
      assert.equal(callsFor(stage, 'a hat').length, 1);
      assert.deepEqual(stage.discord.violations, []);
    });

    it('lets two masks at the same moment be one edit', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const asked = await askOpenly(stage, server, 'once');
      const { link } = await openPainter(stage, asked, server.member);
      const mask = await paintedMask(SIZE, isBrushed);
      const sent = await Promise.allSettled([1, 2, 3, 4].map(async () => (await sendMask(link, mask)).status));
      // The others come too late, or while the one is taken, or give way to a newer one.
      const answers = sent.map((one) => (one.status === 'fulfilled' ? one.value : CUT_OFF));
      assert.equal(answers.filter((status) => status === 200).length, 1);
      for (const status of answers) assert.ok([200, GONE, BUSY, CUT_OFF].includes(status), String(status));
      await outcome(stage, asked);
      await atRest(stage);
      assert.equal(callsFor(stage, 'once').length, 1);
    });

    it('changes the whole picture for whoever would rather have that, once', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const asked = await askOpenly(stage, server, 'all of it');
      const { pressed, link } = await openPainter(stage, asked, server.member);
      const told = await toldAlone(stage, pressed, server.member);
      assert.equal((await fetch(link)).status, 200);
      await press(stage, asked.message, 'Change the whole picture', server.member);
      assert.doesNotMatch(await saysAtLast(stage, told.id, /This link is no longer valid/), /http/);
      assert.equal((await outcome(stage, asked)).shownAttachments.length, 1);
      const [call] = callsFor(stage, 'all of it');
      assert.equal(
        call?.files.some(({ field }) => field === 'mask'),
        false,
      );
    });

    it('is for whoever asked, and only the last link holds', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const asked = await askOpenly(stage, server, 'mine');
      for (const label of ['Paint a mask', 'Change the whole picture']) {
        const foreign = await press(stage, asked.message, label, server.administrator);
        const told = await toldAlone(stage, foreign, server.administrator);
        assert.match(renderMessage(told), /Only whoever asked/);
        assert.doesNotMatch(renderMessage(told), /http/);
      }
      const first = await openPainter(stage, asked, server.member);
      const second = await openPainter(stage, asked, server.member);
      const mask = await paintedMask(SIZE, isBrushed);
      assert.equal((await sendMask(first.link, mask)).status, GONE);
      assert.equal((await fetch(first.link)).status, GONE);
      assert.equal((await sendMask(second.link, mask)).status, 200);
      await outcome(stage, asked);
      assert.equal(callsFor(stage, 'mine').length, 1);
    });

    it('stays between Easel and the member where the edit is private', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const asked = await askOpenly(stage, server, 'a secret hat', { isPrivate: true });
      assert.equal(asked.message.visibleTo, server.member.user.id);
      const { link } = await openPainter(stage, asked, server.member);
      await sendMask(link, await paintedMask(SIZE, isBrushed));
      const message = await outcome(stage, asked);
      assert.equal(message.visibleTo, server.member.user.id);
    });

    it('tells in Discord of a budget that does not cover it', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      await decide(stage, server, 'budget', { usd: '0' });
      const asked = await askOpenly(stage, server, 'too dear');
      const { link } = await openPainter(stage, asked, server.member);
      assert.equal((await sendMask(link, await paintedMask(SIZE, isBrushed))).status, 200);
      const message = await outcome(stage, asked);
      assert.match(renderMessage(message), /budget.*You were not charged/s);
      assert.deepEqual(callsFor(stage, 'too dear'), []);
    });

    it('asks nothing of a picture that is transparent where it may change, unless somebody wishes to paint', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const photo = await paintedMask(SIZE, (x, y) => x > 100 && x < 200 && y > 60 && y < 160);
      const image = stage.discord.uploadAttachment({ bytes: photo, filename: 'hole.png' });
      const edited = await ask(stage, server, 'edit', { prompt: 'a hole', image, model: 'gpt-image-2' });
      assert.deepEqual(await painted(fileOf(callsFor(stage, 'a hole')[0]?.files, 'mask').bytes), await painted(photo));
      const opened = await press(stage, edited.message, 'Edit', server.member);
      const sent = await fillIn(stage, opened, server.member, { prompt: 'painted from the form', part: ['paint'] });
      const message = await question(stage.discord, sent);
      const { link } = await openPainter(stage, { message }, server.member);
      const { width, height } = await decode(Buffer.from(await (await fetch(`${link}/picture`)).arrayBuffer()));
      const mask = await paintedMask({ width, height }, isBrushed);
      assert.equal((await sendMask(link, mask)).status, 200);
      await outcome(stage, { message });
      const received = fileOf(callsFor(stage, 'painted from the form')[0]?.files, 'mask');
      assert.deepEqual(await painted(received.bytes), await painted(mask));
    });
  });

  it('is not offered where the page cannot be reached', async (t) => {
    const stage = await setStage(t);
    await stage.startBot();
    const image = stage.discord.uploadAttachment({ bytes: await photograph(SIZE).png().toBuffer(), filename: 'a.png' });
    const unasked = await ask(stage, stage, 'edit', { prompt: 'no page', image, ...CHEAP });
    assert.equal(picturesOf(unasked).length, 1);
  });

  it('changes nothing where the page has gone since a form offered it, and gives the words back', async (t) => {
    const stage = await paintableStage(t);
    const bot = await stage.startBot();
    const first = await ask(stage, stage, 'imagine', { prompt: 'a fox to be painted on', ...CHEAP });
    const opened = await press(stage, first.message, 'Edit', stage.member);
    await bot.kill();
    await stage.startBot({ environment: { PUBLIC_URL: '' } });
    const answers = { prompt: 'only what I paint', part: ['paint'] };
    const told = await answered(await fillIn(stage, opened, stage.member, answers));
    assert.match(told.text, /can no longer be painted here[^]*You were not charged[^]*only what I paint/);
    assert.equal(told.message.visibleTo, stage.member.user.id);
    assert.deepEqual(callsFor(stage, 'only what I paint'), []);
  });

  it('does not wait for the question to be gone before it begins', async (t) => {
    const stage = await paintableStage(t);
    await stage.startBot();
    const asked = await askOpenly(stage, stage, 'a hat in a hurry');
    const hanging = stage.discord.faults.add({ route: 'PATCH original', kind: 'hang' });
    await press(stage, asked.message, 'Change the whole picture', stage.member);
    const edited = await outcome(stage, asked);
    assert.equal(edited.shownAttachments.length, 1);
    assert.equal(hanging.spoiled(), 1);
    judge(stage);
  });

  it('does not ask again over what came of the answer, where Discord took the question without saying so', async (t) => {
    const stage = await paintableStage(t);
    await stage.startBot();
    const { faults } = stage.discord;
    faults.add({ route: 'PATCH original', kind: 'accept then reset' });
    const putOff = faults.add({ route: 'PATCH original', kind: 'rate limit', retryAfterSeconds: PUT_OFF_SECONDS });
    const asked = await askOpenly(stage, stage, 'a hat for whoever is quick');
    await stage.discord.waitFor(() => putOff.spoiled() > 0);
    await press(stage, asked.message, 'Change the whole picture', stage.member);
    await outcome(stage, asked);
    await sleep(PUT_OFF_SECONDS * 1_000);
    const now = stage.discord.message(asked.message.id) ?? assert.fail('the result is gone');
    assert.equal(now.shownAttachments.length, 1, renderMessage(now));
    judge(stage);
  });

  it('asks nobody who is refused anyway, and downloads nothing for them', async (t) => {
    const stage = await paintableStage(t, { MEMBER_REQUESTS_PER_MINUTE: '1' });
    await stage.startBot();
    const upload = async () =>
      stage.discord.uploadAttachment({ bytes: await photograph(SIZE).png().toBuffer(), filename: 'a.png' });
    const edit = async (prompt: string, options = {}) =>
      ask(stage, stage, 'edit', { prompt, image: await upload(), ...options });
    const downloads = () => stage.discord.requests.filter(({ route }) => route === 'attachment').length;
    const everyone = stage.guild.roles.get(stage.guild.id);
    assert.ok(everyone);
    await decide(stage, stage, 'access', { role: everyone, qualities: 'high' });
    const forbidden = await edit('not for me', { quality: 'low' });
    assert.match(forbidden.text, /Your roles do not let you.*You were not charged/s);
    assert.deepEqual([buttonsOf(forbidden.message).size, downloads()], [0, 0]);

    await decide(stage, stage, 'access', { role: everyone, clear: true });
    const asked = await askOpenly(stage, stage, 'my one of this minute');
    const before = downloads();
    const hasty = await edit('one too many');
    assert.match(hasty.text, /That was a lot in a minute.*You were not charged/s);
    assert.deepEqual([buttonsOf(hasty.message).size, downloads()], [0, before]);

    // What was asked once is counted once.
    await press(stage, asked.message, 'Change the whole picture', stage.member);
    assert.equal((await outcome(stage, asked)).shownAttachments.length, 1);
    judge(stage);
  });

  it('outlives a restart between the question and the mask', async (t) => {
    const stage = await paintableStage(t);
    const bot = await stage.startBot();
    const asked = await askOpenly(stage, stage, 'after a restart');
    const { link } = await openPainter(stage, asked, stage.member);
    await bot.kill();
    await stage.startBot();
    assert.equal((await sendMask(link, await paintedMask(SIZE, isBrushed))).status, 200);
    assert.equal((await outcome(stage, asked)).shownAttachments.length, 1);
  });

  it('takes a mask again whose job could not be written down', async (t) => {
    const stage = await paintableStage(t);
    await stage.startBot();
    const asked = await askOpenly(stage, stage, 'sent again');
    const { link } = await openPainter(stage, asked, stage.member);
    const mask = await paintedMask(SIZE, isBrushed);
    const spool = join(stage.dataDirectory, 'spool');
    await rename(spool, `${spool}-away`);
    assert.equal((await sendMask(link, mask)).status, BUSY);
    await rename(`${spool}-away`, spool);
    assert.equal((await sendMask(link, mask)).status, 200);
    assert.equal((await outcome(stage, asked)).shownAttachments.length, 1);
    assert.equal(callsFor(stage, 'sent again').length, 1);
  });

  it('is recovered where the process dies after the mask came', async (t) => {
    const stage = await paintableStage(t, { RECOVERY_SECONDS: '1' });
    const bot = await stage.startBot();
    const gate = stage.provider.holdAnswers();
    const asked = await askOpenly(stage, stage, 'killed at work');
    const { link } = await openPainter(stage, asked, stage.member);
    assert.equal((await sendMask(link, await paintedMask(SIZE, isBrushed))).status, 200);
    await gate.arrived(1);
    await bot.kill();
    gate.release();
    await stage.startBot();
    const message = await outcome(stage, asked);
    assert.match(renderMessage(message), /its answer is lost/);
    await atRest(stage);
    assert.equal(judge(stage).unknown, 1);
  });

  it('is shown once where the process dies behind the result, and comes back when the reply is dead', async (t) => {
    const stage = await paintableStage(t);
    const { discord } = stage;
    const bot = await stage.startBot();
    const asked = await askOpenly(stage, stage, 'shown once');
    const { pressed, link } = await openPainter(stage, asked, stage.member);
    discord.faults.add({ route: 'PATCH original', kind: 'accept then hang', onlyUploads: true });
    assert.equal((await sendMask(link, await paintedMask(SIZE, isBrushed))).status, 200);
    await discord.waitFor(() => discord.message(asked.message.id)?.shownAttachments.length === 1);
    await bot.kill();
    discord.faults.clear();
    discord.clock.advance(HOUR_MS);

    await stage.startBot();
    const post = await onlyPost(stage, pressed, stage.member);
    assert.equal(post.id, asked.message.id);
    assert.equal(judge(stage).posted, 1);
  });

  it('is brought to its end by a process that is asked to stop, which takes no further mask', async (t) => {
    const stage = await paintableStage(t);
    const bot = await stage.startBot();
    const gate = stage.provider.holdAnswers();
    const asked = await askOpenly(stage, stage, 'on the way out');
    const late = await askOpenly(stage, stage, 'too late');
    const { link } = await openPainter(stage, asked, stage.member);
    const { link: lateLink } = await openPainter(stage, late, stage.member);
    const mask = await paintedMask(SIZE, isBrushed);
    assert.equal((await sendMask(link, mask)).status, 200);
    await gate.arrived(1);
    bot.signal('SIGTERM');
    await stage.discord.waitFor(() => /stopping/.test(bot.output));
    await stage.discord.waitFor(() => stage.discord.gateway.connectedSessions().length === 0);
    assert.equal((await sendMask(lateLink, mask)).status, BUSY);
    gate.release();
    await bot.ended();
    assert.equal(bot.exit?.code, 0);
    assert.equal((await outcome(stage, asked)).shownAttachments.length, 1);
    await stage.startBot();
    assert.equal((await sendMask(lateLink, mask)).status, 200, 'what was sent back can be sent again');
  });
});
