import type { Logger } from 'pino';
import { destination, pino, stdSerializers } from 'pino';

const REDACTED = '[redacted]';
/** Tokens of interactions and webhooks stand in the addresses of Discord's REST interface. */
const TOKEN_IN_PATH = /(\/(?:interactions|webhooks)\/\d+\/)[\w.~%-]+/g;

/**
 * Structured lines on standard output. A secret is taken out of the finished line, wherever in it it stands: a list of
 * fields to hide would miss the message of somebody else's error.
 */
export function createLogger(options: { level: string; secrets: readonly string[] }): Logger {
  const output = destination({ fd: 1, sync: true });
  const redact = createRedactor(options.secrets);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: describeError },
    },
    { write: (line) => output.write(redact(line)) },
  );
}

function createRedactor(secrets: readonly string[]): (line: string) => string {
  // As it stands in JSON, where quotes and backslashes are written differently.
  const written = secrets.filter((secret) => secret !== '').map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => {
    const withoutSecrets = written.reduce((text, secret) => text.replaceAll(secret, REDACTED), line);
    return withoutSecrets.replace(TOKEN_IN_PATH, `$1${REDACTED}`);
  };
}

/** An error with its causes; without the request that a library may have attached to it. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { type, message, stack } = stdSerializers.err(error);
  const code = 'code' in error ? error.code : undefined;
  const status = 'status' in error ? error.status : undefined;
  return { type, message, stack, code, status, ...(error.cause ? { cause: describeError(error.cause) } : {}) };
}
