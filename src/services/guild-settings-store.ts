import type { NanoUsd } from '../billing/money.ts';
import { changeValue } from '../storage/change-value.ts';
import type { Store } from '../storage/store.ts';
import { UnreadableValue } from '../storage/store.ts';
import type { GuildSettings, SettingsProblem } from './guild-settings.ts';
import { initialSettings, settingsSchema } from './guild-settings.ts';

/** One change, as it stands in the journal of a server's settings. */
export type SettingsChange = {
  readonly revision: number;
  readonly at: number;
  /** The administrator's id. */
  readonly by: string;
  /** What was changed, in one word. */
  readonly what: string;
  readonly settings: GuildSettings;
};

/**
 * Where the settings of servers are kept. Every change is written down with who made it and when, in the same commit as
 * the change itself.
 * @throws {StoreFailure} where the store fails, or holds settings that cannot be understood
 */
export type GuildSettingsStore = {
  /** What is in force: a budget above the operator's ceiling counts as that ceiling. */
  read(guild: string): Promise<GuildSettings>;
  /** Edits the settings as they stand at that moment, and answers what is in force then, or why nothing was changed. */
  change(
    guild: string,
    author: { readonly by: string; readonly what: string },
    edit: (settings: GuildSettings) => GuildSettings | SettingsProblem,
  ): Promise<GuildSettings | SettingsProblem>;
  /** The latest changes, newest first. */
  history(guild: string, countMax: number): Promise<readonly SettingsChange[]>;
};

const REVISION_DIGITS = 8;

const settingsKey = (guild: string): string => `settings:{${guild}}`;
const changeKey = (guild: string, revision: number): string =>
  `settings-change:{${guild}}:${String(revision).padStart(REVISION_DIGITS, '0')}`;

export function createGuildSettingsStore(parts: {
  store: Store;
  /** The most that a server may spend in a month, whatever was decided there; undefined where that is up to them. */
  budgetMax: NanoUsd | undefined;
  now: () => number;
  random: () => number;
  sleep: (ms: number) => Promise<unknown>;
}): GuildSettingsStore {
  const { store, budgetMax, now } = parts;

  /** The operator may have lowered the ceiling since the budget was set. The default one keeps to it by itself. */
  function inForce(settings: GuildSettings): GuildSettings {
    if (settings.budget === undefined || budgetMax === undefined) return settings;
    return { ...settings, budget: Math.min(settings.budget, budgetMax) };
  }

  async function readAsDecided(guild: string): Promise<GuildSettings> {
    return understand(guild, (await store.read(settingsKey(guild)))?.value);
  }

  return {
    async read(guild) {
      return inForce(await readAsDecided(guild));
    },
    async change(guild, { by, what }, edit) {
      return changeValue<unknown, GuildSettings | SettingsProblem>(parts, settingsKey(guild), (stored) => {
        const current = understand(guild, stored);
        const edited = edit(current);
        if ('problem' in edited) return { answer: edited };
        const settings = { ...edited, revision: current.revision + 1 };
        const change: SettingsChange = { revision: settings.revision, at: now(), by, what, settings };
        const writes = [{ key: changeKey(guild, change.revision), value: change }];
        return { answer: inForce(settings), next: settings, writes };
      });
    },
    async history(guild, countMax) {
      const { revision: last } = await readAsDecided(guild);
      const count = Math.min(countMax, last);
      const keys = Array.from({ length: count }, (_, index) => changeKey(guild, last - index));
      return (await store.readMany<SettingsChange>(keys)).filter((change) => change !== undefined);
    },
  };
}

/** Settings that cannot be understood are not taken for none: limits would be gone without anybody's decision. */
function understand(guild: string, stored: unknown): GuildSettings {
  if (stored === undefined) return initialSettings();
  const parsed = settingsSchema.safeParse(stored);
  if (!parsed.success) throw new UnreadableValue(settingsKey(guild), { cause: parsed.error });
  return parsed.data;
}
