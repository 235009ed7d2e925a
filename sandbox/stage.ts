import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BotOptions, BotProcess } from './bot-process.ts';
import { startBot } from './bot-process.ts';
import type { EmulatedDiscord, EmulatedDiscordOptions } from './discord/emulated-discord.ts';
import { createEmulatedDiscord } from './discord/emulated-discord.ts';
import type { EmulatedChannel, EmulatedGuild, EmulatedMember } from './discord/world.ts';
import type { EmulatedProvider } from './provider/emulated-provider.ts';
import { createEmulatedProvider } from './provider/emulated-provider.ts';
import type { EmulatedProviderOptions } from './provider/provider-options.ts';

/** An emulated Discord, an emulated provider, and room for real bots between them. */
export type Stage = {
  readonly discord: EmulatedDiscord;
  readonly provider: EmulatedProvider;
  /** Where the bots keep what outlives them. */
  readonly dataDirectory: string;
  readonly guild: EmulatedGuild;
  readonly channel: EmulatedChannel;
  /** Somebody without special rights. */
  readonly member: EmulatedMember;
  /** Somebody who may manage the server. */
  readonly administrator: EmulatedMember;
  /** Starts a bot on this stage; several can run at once. */
  startBot(options?: Partial<BotOptions>): Promise<BotProcess>;
  /** The environment in which bots run here. */
  environment(extra?: Readonly<Record<string, string>>): Record<string, string>;
  close(): Promise<void>;
};

export type StageOptions = {
  readonly discord?: EmulatedDiscordOptions;
  readonly provider?: EmulatedProviderOptions;
  /** Settings of every bot on this stage, over those that lead to the emulators. */
  readonly environment?: Readonly<Record<string, string>>;
};

const MANAGE_GUILD = 1n << 5n;
/** What Node.js has compiled once need not be compiled again by the next process, which is up a third sooner. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), 'easel-compile-cache') };
const REMOVAL_RETRIES_MAX = 5;

/** Sets a stage with one server, a member and an administrator. */
export async function createStage(options: StageOptions = {}): Promise<Stage> {
  const discord = await createEmulatedDiscord(options.discord);
  const provider = await createEmulatedProvider(options.provider);
  const dataDirectory = await mkdtemp(join(tmpdir(), 'easel-stage-'));
  const guild = discord.world.addGuild({ name: 'Painters' });
  const [channel] = guild.channels.values();
  if (!channel) throw new Error('the server has no channel');
  const bots: BotProcess[] = [];

  const environment = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    DISCORD_TOKEN: discord.botToken,
    DISCORD_API_URL: discord.apiUrl,
    OPENAI_API_KEY: provider.apiKey,
    OPENAI_BASE_URL: provider.baseUrl,
    ATTACHMENT_ORIGINS: discord.cdnOrigin,
    DATA_DIR: dataDirectory,
    HTTP_PORT: '0',
    ...COMPILE_CACHE,
    ...options.environment,
    ...extra,
  });

  return {
    discord,
    provider,
    dataDirectory,
    guild,
    channel,
    member: discord.world.addMember(guild, { username: 'mira' }),
    administrator: discord.world.addMember(guild, { username: 'ada', permissions: MANAGE_GUILD }),
    environment,
    async startBot(botOptions = {}) {
      // Known one by one, and not counted: a bot that was killed just now may still be among them, and go meanwhile.
      const besides = discord.gateway.connectedSessions();
      const bot = await startBot({ ...botOptions, environment: environment(botOptions.environment) });
      bots.push(bot);
      await discord.botConnected({ besides });
      return bot;
    },
    async close() {
      await Promise.all(bots.filter(({ exit }) => !exit).map(async (bot) => bot.kill()));
      await Promise.all([discord.close(), provider.close()]);
      // Whoever was looking into the ledger just now may leave a file behind while it is removed.
      await rm(dataDirectory, { recursive: true, force: true, maxRetries: REMOVAL_RETRIES_MAX });
    },
  };
}
