import { GatewayCloseCodes } from 'discord.js';

/** The gateway could not be entered, or was lost for good. The message says what an operator can do. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
}

const TOKEN_REFUSED =
  'Discord refused DISCORD_TOKEN. Copy a new one from the "Bot" page of your application at discord.com/developers.';

/** Discord wants the servers spread over more connections, or over others. */
const WRONG_SHARDS = new Set<number>([GatewayCloseCodes.InvalidShard, GatewayCloseCodes.ShardingRequired]);
const OUTDATED = new Set<number>([
  GatewayCloseCodes.InvalidAPIVersion,
  GatewayCloseCodes.InvalidIntents,
  GatewayCloseCodes.DisallowedIntents,
]);
const TOKEN_CLOSE: number = GatewayCloseCodes.AuthenticationFailed;

/** Why Discord closes a connection and wants none in its place. */
export function explainClose(code: number, shards: number): string {
  if (code === TOKEN_CLOSE) return TOKEN_REFUSED;
  if (WRONG_SHARDS.has(code)) {
    return (
      `Discord does not serve all of the bot's servers on ${shards} ${shards === 1 ? 'shard' : 'shards'} (${code}). ` +
      'Start again: Easel then opens as many as Discord recommends by now.'
    );
  }
  if (OUTDATED.has(code)) return `Discord no longer takes this version of Easel (${code}). Install a newer one.`;
  return `Discord closed the gateway for good (${code}). See https://discordstatus.com, then start again.`;
}

export function explainLoginFailure(error: unknown): string {
  const isTokenRefused = error instanceof Error && 'code' in error && error.code === 'TokenInvalid';
  return isTokenRefused
    ? TOKEN_REFUSED
    : 'Discord cannot be reached. Check DISCORD_API_URL and the network, then start again.';
}
