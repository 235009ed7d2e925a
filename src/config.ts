import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { NanoUsd } from './billing/money.ts';
import { parseUsd } from './billing/money.ts';
import type { PriceFile } from './services/price-file.ts';
import { parsePriceFile } from './services/price-file.ts';

/**
 * Everything that an operator can set, read once from the environment.
 *
 * Faults are reported all at once, by name and remedy, and never with the value: a mistyped token must not end up in a log.
 */
export type Config = z.infer<typeof schema>;

/** The environment is unusable. The message lists every fault with its remedy. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** A Discord interaction's token lives for fifteen minutes; a call that takes longer could not be answered anyway. */
const PROVIDER_TIMEOUT_MS_MAX = 14 * MINUTE_MS;
const MASTER_KEY_BYTES = 32;

/** The first that the provider offers is the default. gpt-image-1 lives on at compatible providers only. */
const DEFAULT_IMAGE_MODELS =
  'gpt-image-1,gpt-image-2.5-sunburst,gpt-image-2.6-sunburst,gpt-image-2.5-flare,gpt-image-2.6-flare,gpt-image-2';
const DISCORD_API_URL = 'https://discord.com/api';
const DISCORD_ATTACHMENT_ORIGINS = 'https://cdn.discordapp.com,https://media.discordapp.net';

const text = (remedy: string) => z.string({ error: remedy }).trim().min(1, remedy);
const wholeNumber = (minimum: number, maximum: number, fallback: number) => {
  const remedy = `set a whole number from ${minimum} to ${maximum}, or leave it out for ${fallback}`;
  return z.coerce.number(remedy).int(remedy).min(minimum, remedy).max(maximum, remedy).default(fallback);
};
const baseUrl = (fallback: string) => {
  const remedy = `set an http or https address, such as ${fallback}`;
  return z
    .url({ protocol: /^https?$/, error: remedy })
    .transform((url) => url.replace(/\/+$/, ''))
    .default(fallback);
};
const PUBLIC_URL_REMEDY =
  'set the http or https address under which others reach this bot, such as https://easel.example, or leave it out';
const publicUrl = z
  .url({ protocol: /^https?$/, error: PUBLIC_URL_REMEDY })
  .refine((url) => !/[?#@]/.test(url), { error: PUBLIC_URL_REMEDY })
  .transform((url) => url.replace(/\/+$/, ''));
const list = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    );
const origins = (fallback: string) =>
  list(fallback).refine((items) => items.every(isOrigin), {
    error: 'set a comma-separated list of origins, each like https://cdn.example.com, without a path',
  });
const usd = (example: string) =>
  z.string().transform((value, context): NanoUsd => {
    try {
      return parseUsd(value);
    } catch {
      context.addIssue({ code: 'custom', message: `set an amount in US dollars, such as ${example}` });
      return z.NEVER;
    }
  });

const PRICE_FILE_SIZE_BYTES_MAX = 1024 * 1024;

/** The operator's file is read together with the environment, so that the faults of both are told at once. */
const priceFile = z
  .string()
  .transform((path, context): PriceFile => {
    const source = readSmallFile(path, PRICE_FILE_SIZE_BYTES_MAX);
    const read = source === undefined ? undefined : parsePriceFile(source);
    if (read && !('faults' in read)) return read;
    const lines = read?.faults.map(({ line, remedy }) => `\n    line ${line}: ${remedy}`);
    const remedy = lines
      ? `set right in this file:${lines.join('')}`
      : 'set the path of a YAML or JSON file of at most 1 MiB that the bot can read, or leave it out';
    context.addIssue({ code: 'custom', message: remedy });
    return z.NEVER;
  })
  .default({ models: [], prices: [] });

/** Only its form is looked at here; whether the store does what it must is tried when it is opened. */
const storeUrl = z
  .string()
  .trim()
  .refine((url) => /^(sqlite:.+|memory:)$/.test(url) || isServerUrl(url), {
    error:
      'set sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE, redis://:PASSWORD@HOST, rediss://:PASSWORD@HOST, ' +
      'memory: for a trial, or leave it out for a database in DATA_DIR; write odd characters of a password as %XX',
  });

const schema = z.object({
  // With the word that stands before it in a request, a token is copied from elsewhere.
  DISCORD_TOKEN: text('set the bot token from the "Bot" page of your application at discord.com/developers').transform(
    (token) => token.replace(/^Bot\s+/i, ''),
  ),
  // The version is Easel's to choose.
  DISCORD_API_URL: baseUrl(DISCORD_API_URL).transform((url) => url.replace(/\/v\d+$/, '')),
  OPENAI_API_KEY: text('set an API key of your provider, for OpenAI from platform.openai.com/api-keys'),
  OPENAI_BASE_URL: baseUrl('https://api.openai.com/v1'),
  IMAGE_MODELS: list(DEFAULT_IMAGE_MODELS).refine((models) => models.length > 0, {
    error: 'name at least one model, such as gpt-image-2.5-sunburst, or leave it out',
  }),
  PRICES_FILE: priceFile,
  DATA_DIR: z.string().trim().min(1, 'name a directory that the bot may write to, such as ./data').default('./data'),
  STORE_URL: storeUrl.optional(),
  HTTP_HOST: text('set the address to listen on, such as 127.0.0.1').default('127.0.0.1'),
  HTTP_PORT: wholeNumber(0, 65_535, 8080),
  PUBLIC_URL: publicUrl.optional(),
  ATTACHMENT_ORIGINS: origins(DISCORD_ATTACHMENT_ORIGINS),
  RESULT_ORIGINS: origins(''),
  DEFAULT_GUILD_BUDGET_USD: usd('10.00').prefault('10.00'),
  MAX_GUILD_BUDGET_USD: usd('100.00').optional(),
  PROVIDER_IMAGES_PER_MINUTE: wholeNumber(0, 100_000, 0).transform((value) => (value === 0 ? undefined : value)),
  PROVIDER_CONCURRENCY: wholeNumber(1, 1_000, 128),
  PROVIDER_TIMEOUT_MS: wholeNumber(SECOND_MS, PROVIDER_TIMEOUT_MS_MAX, 5 * MINUTE_MS),
  MEMBER_REQUESTS_PER_MINUTE: wholeNumber(0, 1_000, 10),
  DRAIN_SECONDS: wholeNumber(0, 3_600, 150),
  RECOVERY_SECONDS: wholeNumber(1, 3_600, 60),
  MASTER_KEY: z
    .base64('set 32 random bytes in base64, for example from: openssl rand -base64 32')
    .refine((value) => Buffer.from(value, 'base64').length === MASTER_KEY_BYTES, {
      error: 'set exactly 32 bytes in base64, for example from: openssl rand -base64 32',
    })
    .optional(),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], {
      error: 'set one of trace, debug, info, warn, error, fatal',
    })
    .default('info'),
});

/** What the operator's tools need: they work beside the bot and without its secrets. */
export type ToolConfig = z.infer<typeof toolSchema>;

const toolSchema = schema.pick({ DATA_DIR: true, STORE_URL: true }).extend({
  OPENAI_ADMIN_KEY: text('set an admin key of your organization, or leave it out').optional(),
  // An address of its own: a provider that the bot asks for images has no business with the organization's key.
  OPENAI_ADMIN_URL: baseUrl('https://api.openai.com/v1'),
});

/**
 * Reads the configuration. An empty variable counts as one that is not set, as compose files write them.
 * @throws {ConfigError}
 */
export function readConfig(environment: Environment): Config {
  const config = keepToCeiling(parseEnvironment(schema, environment));
  const isChosen = isGiven(environment['ATTACHMENT_ORIGINS']);
  const { origin } = new URL(config.DISCORD_API_URL);
  if (isChosen || origin === new URL(DISCORD_API_URL).origin) return config;
  // Another Discord has its files where it is itself, and its operator has no other reason to name the place.
  return { ...config, ATTACHMENT_ORIGINS: [...config.ATTACHMENT_ORIGINS, origin] };
}

/** A server for which nobody decided anything may not spend more than one that decides for itself. */
function keepToCeiling(config: Config): Config {
  const { DEFAULT_GUILD_BUDGET_USD: budget, MAX_GUILD_BUDGET_USD: ceiling = budget } = config;
  return { ...config, DEFAULT_GUILD_BUDGET_USD: Math.min(budget, ceiling) };
}

/**
 * Reads the part of the same configuration that the operator's tools need.
 * @throws {ConfigError}
 */
export function readToolConfig(environment: Environment): ToolConfig {
  return parseEnvironment(toolSchema, environment);
}

type Environment = Readonly<Record<string, string | undefined>>;

function parseEnvironment<Settings>(settings: z.ZodType<Settings>, environment: Environment): Settings {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => isGiven(value)));
  const parsed = settings.safeParse(given);
  if (parsed.success) return parsed.data;
  const remedies = new Map<string, string>();
  for (const { path, message } of parsed.error.issues) {
    const name = path.join('.');
    if (!remedies.has(name)) remedies.set(name, message);
  }
  const lines = [...remedies].map(([name, remedy]) => `  ${name}: ${remedy}`);
  throw new ConfigError(`Easel cannot start; settings that need attention:\n${lines.join('\n')}`);
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}

/** Where the ledger lies, and the file that keeps a second process out of a store that only one may use. */
export function storeLocationOf({ STORE_URL, DATA_DIR }: Pick<Config, 'STORE_URL' | 'DATA_DIR'>): {
  readonly url: string;
  readonly lockPath: string;
} {
  return { url: STORE_URL ?? `sqlite:${join(DATA_DIR, 'easel.sqlite')}`, lockPath: join(DATA_DIR, 'store.lock') };
}

/** The values that must never be seen again, wherever a tool meets them. */
export function toolSecretsOf({ OPENAI_ADMIN_KEY, STORE_URL }: ToolConfig): readonly string[] {
  return [OPENAI_ADMIN_KEY, ...secretsInUrl(STORE_URL)].filter((secret) => secret !== undefined);
}

/** The values that must never be seen again, wherever they turn up. */
export function secretsOf(config: Config): readonly string[] {
  const secrets = [config.DISCORD_TOKEN, config.OPENAI_API_KEY, config.MASTER_KEY, ...secretsInUrl(config.STORE_URL)];
  return secrets.filter((secret) => secret !== undefined);
}

/** The passwords inside an address, as they are written there and as they are meant. */
function secretsInUrl(url: string | undefined): readonly string[] {
  if (url === undefined || !isServerUrl(url)) return [];
  const { password, searchParams } = new URL(url);
  const meant = [decodeURIComponent(password), ...searchParams.getAll('password')];
  return [password, ...meant, ...meant.map(encodeURIComponent)].filter((secret) => secret !== '');
}

/** Whether an address leads to a database server, and its password can be read. */
function isServerUrl(url: string): boolean {
  if (!/^(postgres(ql)?|rediss?):\/\//.test(url) || !URL.canParse(url)) return false;
  try {
    decodeURIComponent(new URL(url).password);
    return true;
  } catch {
    return false;
  }
}

/** Undefined where there is no such file, or a larger one. */
function readSmallFile(path: string, sizeBytesMax: number): string | undefined {
  try {
    return statSync(path).size > sizeBytesMax ? undefined : readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value;
}
