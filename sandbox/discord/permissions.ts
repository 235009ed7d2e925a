/** The permission bits the emulator reasons about (Discord's "Permissions" page). */
export const PERMISSION = {
  administrator: 1n << 3n,
  manageGuild: 1n << 5n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  manageMessages: 1n << 13n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readMessageHistory: 1n << 16n,
  mentionEveryone: 1n << 17n,
  useApplicationCommands: 1n << 31n,
} as const;

/** What a new member of an ordinary server may do. */
export const MEMBER_PERMISSIONS =
  PERMISSION.viewChannel |
  PERMISSION.sendMessages |
  PERMISSION.embedLinks |
  PERMISSION.attachFiles |
  PERMISSION.readMessageHistory |
  PERMISSION.useApplicationCommands;

/** What an invite link usually grants the bot; it includes mentioning everyone, so that only the bot's own care prevents a ping. */
export const BOT_PERMISSIONS = MEMBER_PERMISSIONS | PERMISSION.mentionEveryone;

/** Whether `held` includes `wanted`; an administrator holds everything. */
export function permits(held: bigint, wanted: bigint): boolean {
  return (held & PERMISSION.administrator) !== 0n || (held & wanted) === wanted;
}
