import type { GuildSettings } from '../../src/services/guild-settings.ts';
import { initialSettings } from '../../src/services/guild-settings.ts';

/** Settings in which only these decisions have been made. */
export function createSettings(changes: Partial<GuildSettings> = {}): GuildSettings {
  return { ...initialSettings(), ...changes };
}
