import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { BotOptions, BotProcess } from '../../sandbox/bot-process.ts';
import { shardOf } from '../../sandbox/discord/gateway.ts';
import type { EmulatedChannel, EmulatedGuild, EmulatedMember, GuildOptions } from '../../sandbox/discord/world.ts';
import { catalogue } from '../../sandbox/provider/model-catalogue.ts';
import type { EmulatedProviderOptions } from '../../sandbox/provider/provider-options.ts';
import type { Stage, StageOptions } from '../../sandbox/stage.ts';
import { createStage } from '../../sandbox/stage.ts';
import { auditBooks, readBooks } from '../audit.ts';

/** What the tests of a suite play on together. */
export type SharedStage = { readonly stage: Stage; readonly bot: BotProcess };

const MANAGE_GUILD = 1n << 5n;

export type SharedStageOptions = StageOptions & {
  /** How the bot is started, beyond the stage's own environment. */
  readonly bot?: Partial<BotOptions>;
  /** Every guild's budget in nano-dollars. Where it is given, the books are audited at the end. */
  readonly auditedBudget?: number;
};

/**
 * One stage and one bot for all tests of a suite, whose every request is held to Discord's rules at its end. Each
 * test brings a server of its own, so that no two share an account.
 * @param given the options, or what finds them when the stage is set
 */
export function shareStage(given: SharedStageOptions | (() => Promise<SharedStageOptions>) = {}): () => SharedStage {
  let shared: SharedStage | undefined;
  let auditedBudget: number | undefined;

  before(async () => {
    const options = typeof given === 'function' ? await given() : given;
    auditedBudget = options.auditedBudget;
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
    if (!shared) return;
    const { discord, provider, dataDirectory } = shared.stage;
    try {
      if (auditedBudget !== undefined) auditBooks(readBooks(dataDirectory), provider.bills, auditedBudget);
      assert.deepEqual(discord.violations, []);
    } finally {
      await shared.stage.close();
    }
  });
  return () => shared ?? assert.fail('the stage is not set yet');
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

export function addServer({ discord }: Stage, options: GuildOptions = {}): Server {
  const guild = discord.world.addGuild(options);
  const [channel] = guild.channels.values();
  return {
    guild,
    channel: channel ?? assert.fail('the server has no channel'),
    member: discord.world.addMember(guild, { username: 'mira' }),
    administrator: discord.world.addMember(guild, { username: 'ada', permissions: MANAGE_GUILD }),
  };
}

/** A server on one of so many shards. Ids follow the clock, so one of the next few is on it. */
export function addServerOn(stage: Stage, shard: number, shardCount: number): Server {
  for (;;) {
    const server = addServer(stage);
    if (shardOf(server.guild.id, shardCount) === shard) return server;
  }
}

/** For tests that do not look at pictures: noise of a small weight costs next to nothing to make, and scenes do. */
export const plainPictures = { resultBytes: 20_000 } satisfies EmulatedProviderOptions;

/** A compatible provider that offers every model, the first one included, and tells of no shutdown. */
export const compatibleProvider: EmulatedProviderOptions = {
  models: [...catalogue.keys()],
  modelList: [...catalogue.values()].map(({ id, releaseDate }) => ({
    id,
    object: 'model',
    created: Date.parse(releaseDate) / 1_000,
    owned_by: 'relay',
  })),
};
