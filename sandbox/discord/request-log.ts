import type { FormProblem } from './api-refusal.ts';
import type { RouteName } from './faults.ts';

/** A request that reached the emulator. */
export type LoggedRequest = {
  /** Milliseconds since the Unix epoch, by the emulator's clock. */
  readonly atMs: number;
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  /** Undefined where no route fits. */
  readonly route: RouteName | undefined;
  /** The JSON body or the `payload_json` part. */
  body: unknown;
  files: readonly {
    readonly index: number;
    readonly filename: string;
    readonly contentType: string;
    readonly sizeBytes: number;
  }[];
  /** The status answered; undefined while unanswered and where a fault left it so. */
  status: number | undefined;
  /** The kind of fault it met; `emulator: …` where the emulator itself failed. */
  fault: string | undefined;
  /** Discord's JSON code, where it was refused. */
  code: number | undefined;
};

/** A request refused because its form is wrong: a bug of the bot, whatever the bot makes of the answer. */
export type Violation = {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly route: RouteName;
  /** Who noticed: the emulator's own rules, or Discord's published description. */
  readonly source: 'rules' | 'openapi';
  readonly code: number;
  readonly message: string;
  readonly problems: readonly FormProblem[];
  readonly body: unknown;
};
