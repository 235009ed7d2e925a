import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { BotOptions, BotProcess } from '../../sandbox/bot-process.ts';
import type { EmulatedChannel, EmulatedGuild, EmulatedMember } from '../../sandbox/discord/world.ts';
import type { Stage, StageOptions } from '../../sandbox/stage.ts';
import { createStage } from '../../sandbox/stage.ts';
import { auditBooks, readBooks } from '../audit.ts';

/** What the tests of a suite play on together. */
export type SharedStage = { readonly stage: Stage; readonly bot: BotProcess };

const MANAGE_GUILD = 1n << 5n;

/**
 * One stage and one bot for all tests of a suite, whose every request is held to Discord's rules at its end. Each
 * test brings a server of its own, so that no two share an account.
 * @param options.bot how the bot is started, beyond the stage's own environment
 */
export function shareStage(options: StageOptions & { readonly bot?: Partial<BotOptions> } = {}): () => SharedStage {
  let shared: SharedStage | undefined;
  const theShared = (): SharedStage => shared ?? assert.fail('the stage is not set yet');

  before(async () => {
    const openApiPath = process.env['DISCORD_OPENAPI'];
    const stage = await createStage({
      ...options,
      discord: { ...(openApiPath ? { openApiPath } : {}), ...options.discord },
    });
    try {
      shared = { stage, bot: await stage.startBot(options.bot) };
    } catch (error) {
      await stage.close();
      throw error;
    }
  });
  after(async () => {
    const { stage } = theShared();
    await stage.close();
    assert.deepEqual(stage.discord.violations, []);
  });
  return theShared;
}

/**
 * Audits everything that the suite's bot has booked once its tests are over.
 * @param limit the budget of every guild, in nano-dollars
 */
export function auditAtTheEnd(shared: () => SharedStage, limit: number): void {
  // Registered ahead of the stage's own end only if this is called first, so the books are read while they exist.
  after(() => {
    const { stage } = shared();
    auditBooks(readBooks(stage.dataDirectory), stage.provider.bills, limit);
  });
}

/** A server with an account of its own. */
export type Server = {
  readonly guild: EmulatedGuild;
  readonly channel: EmulatedChannel;
  /** Somebody without special rights. */
  readonly member: EmulatedMember;
  /** Somebody who may manage the server. */
  readonly administrator: EmulatedMember;
};

export function addServer({ discord }: Stage): Server {
  const guild = discord.world.addGuild();
  const [channel] = guild.channels.values();
  return {
    guild,
    channel: channel ?? assert.fail('the server has no channel'),
    member: discord.world.addMember(guild, { username: 'mira' }),
    administrator: discord.world.addMember(guild, { username: 'ada', permissions: MANAGE_GUILD }),
  };
}
