import type { RouteName } from './faults.ts';
import type { UploadedFile } from './request-body.ts';

/** A request as a route's handler sees it. */
export type RouteRequest = {
  /** The value of a `{name}` in the route's template; throws for a name the template lacks. */
  readonly parameter: (name: string) => string;
  readonly query: URLSearchParams;
  readonly json: unknown;
  readonly files: readonly UploadedFile[];
};

/** An answer; without `body` it is empty. */
export type RouteAnswer = {
  readonly status: number;
  readonly body?: unknown;
};

/** One operation of the REST interface. */
export type Route = {
  readonly name: RouteName;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path below the version, as Discord's OpenAPI description writes it. */
  readonly template: string;
  /** Whether the bot's token is needed; routes with a token in their path do without. */
  readonly needsBot: boolean;
  /** Throws an ApiRefusal for what Discord would refuse. */
  readonly handle: (request: RouteRequest) => RouteAnswer;
};
