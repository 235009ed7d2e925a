import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { BotProcess } from '../../sandbox/bot-process.ts';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { readBooks } from '../audit.ts';
import { atRest, callsFor, judge, onlyPost } from './judgement.ts';
import type { Server } from './shared-stage.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';

const DELIVERIES = 3;

/** Invokes a command whose event comes several times, to one process or to all of them. */
function askRepeatedly(
  { discord }: Stage,
  { channel, member }: Server,
  prompt: string,
  deliverTo: 'latest' | 'all',
): InteractionHandle {
  return discord.invoke({
    command: 'imagine',
    member,
    channel,
    options: { prompt },
    deliverTo,
    times: DELIVERIES,
  });
}

/** How often a process gave an interaction up because another one had it. */
function surrenders(bot: BotProcess, interaction: InteractionHandle): number {
  return bot.logLines.filter(({ msg, job }) => msg === 'acknowledgement refused' && job === interaction.id).length;
}

describe('an event that comes more than once is one request', () => {
  const shared = shareStage({ provider: plainPictures });

  test('three times to one process', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const interaction = askRepeatedly(stage, server, 'one thrush', 'latest');
    await onlyPost(stage, interaction, server.member);
    assert.equal(callsFor(stage, 'one thrush').length, 1);
    assert.equal(stage.discord.channelMessages(server.channel).length, 1);
    const callbacks = stage.discord.requests.filter(({ path }) => path.includes(`/interactions/${interaction.id}/`));
    assert.equal(callbacks.length, 1, 'the process knows by itself what it has seen');
  });

  test('again after the end, as a resumed session may replay it', async () => {
    const { stage, bot } = shared();
    const server = addServer(stage);
    const interaction = askRepeatedly(stage, server, 'a late thrush', 'latest');
    const { id } = await onlyPost(stage, interaction, server.member);
    const versions = stage.discord.message(id)?.history.length;
    const next = await stage.startBot();
    interaction.redeliver({ deliverTo: 'all', times: DELIVERIES });
    await stage.discord.waitFor(() => surrenders(next, interaction) > 0);
    await next.stop();
    assert.equal(callsFor(stage, 'a late thrush').length, 1);
    assert.equal(stage.discord.message(id)?.history.length, versions, 'the finished message is left alone');
    assert.equal(surrenders(bot, interaction), 0);
  });

  test('three times to two processes on one data directory', async () => {
    const { stage, bot } = shared();
    const server = addServer(stage);
    const other = await stage.startBot();
    const interaction = askRepeatedly(stage, server, 'two thrushes', 'all');
    await onlyPost(stage, interaction, server.member);
    await stage.discord.waitFor(() => surrenders(bot, interaction) + surrenders(other, interaction) === 1);
    await other.stop();
    assert.equal(callsFor(stage, 'two thrushes').length, 1);
    assert.equal(stage.discord.channelMessages(server.channel).length, 1);
    assert.equal(readBooks(stage.dataDirectory).transfers.get(interaction.id)?.type, 'post');
  });

  test('three times to two processes that share nothing but Discord', async () => {
    const { stage, bot } = shared();
    const server = addServer(stage);
    const elsewhere = join(stage.dataDirectory, 'elsewhere');
    const other = await stage.startBot({ environment: { DATA_DIR: elsewhere } });
    const interaction = askRepeatedly(stage, server, 'three thrushes', 'all');
    await onlyPost(stage, interaction, server.member);
    await stage.discord.waitFor(() => surrenders(bot, interaction) + surrenders(other, interaction) === 1);
    await atRest(stage, { dataDirectories: [stage.dataDirectory, elsewhere], interaction });
    await other.stop();
    assert.equal(callsFor(stage, 'three thrushes').length, 1);
    assert.equal(stage.discord.channelMessages(server.channel).length, 1);
    const transfers = [stage.dataDirectory, elsewhere].map((path) => readBooks(path).transfers.get(interaction.id));
    assert.deepEqual(
      transfers.map((transfer) => transfer?.type).filter((type) => type !== undefined),
      ['post'],
    );
  });

  test('afterwards every bill is in the books, once', async () => {
    const { stage } = shared();
    const dataDirectories = [stage.dataDirectory, join(stage.dataDirectory, 'elsewhere')];
    await atRest(stage, { dataDirectories });
    const totals = judge(stage, dataDirectories);
    assert.equal(stage.provider.bills.length, 4);
    assert.equal(totals.posted, 4);
  });
});
