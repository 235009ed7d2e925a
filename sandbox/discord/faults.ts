/** The routes by the names that faults and the request log use. */
export type RouteName =
  | 'gateway'
  | 'current user'
  | 'current application'
  | 'GET commands'
  | 'PUT commands'
  | 'callback'
  | 'GET original'
  | 'PATCH original'
  | 'DELETE original'
  | 'follow-up'
  | 'GET follow-up'
  | 'PATCH follow-up'
  | 'DELETE follow-up'
  | 'GET guild roles'
  | 'GET channel'
  | 'open direct channel'
  | 'GET channel messages'
  | 'channel message'
  | 'GET channel message'
  | 'PATCH channel message'
  | 'DELETE channel message'
  | 'attachment';

/** What goes wrong with a request. */
export type FaultKind =
  /** Answered with this status and nothing done; `body` defaults to Discord's for a server error. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Record<string, string>;
    }
  | {
      readonly kind: 'rate limit';
      readonly retryAfterSeconds: number;
      /** `user`: this route's bucket; `global`: all of the bot's requests; `shared`: a resource others use too. */
      readonly scope?: 'user' | 'global' | 'shared';
    }
  /** Neither handled nor answered; the connection stays open. */
  | { readonly kind: 'hang' }
  /** The connection is reset and nothing is done. */
  | { readonly kind: 'reset' }
  /** Done in full, but the connection is reset in place of an answer. */
  | { readonly kind: 'accept then reset' }
  /** Done in full, but never answered. */
  | { readonly kind: 'accept then hang' }
  /** Handled as usual after a delay. */
  | { readonly kind: 'delay'; readonly delayMs: number };

type Fault = FaultKind & {
  readonly route: RouteName | 'any';
  /** How many requests it spoils; 1 when absent, Infinity for all. */
  readonly times?: number;
  /** How many requests of the route pass unharmed first. */
  readonly after?: number;
  /** Spoils only requests that carry files; all others pass unharmed and uncounted. */
  readonly onlyUploads?: boolean;
};

/** A fault that has been set, to be read or taken back. */
type FaultHandle = {
  /** Requests spoiled so far. */
  readonly spoiled: () => number;
  readonly remove: () => void;
};

export type Faults = {
  add(fault: Fault): FaultHandle;
  clear(): void;
  /** The fault that this request meets, counted as used; the first added that fits wins. `hasUploads`: whether it carries files. */
  take(route: RouteName, hasUploads?: boolean): FaultKind | undefined;
};

type ArmedFault = {
  readonly fault: Fault;
  passesLeft: number;
  timesLeft: number;
  spoiled: number;
};

export function createFaults(): Faults {
  let armed: ArmedFault[] = [];
  return {
    add(fault) {
      const entry: ArmedFault = { fault, passesLeft: fault.after ?? 0, timesLeft: fault.times ?? 1, spoiled: 0 };
      armed.push(entry);
      return {
        spoiled: () => entry.spoiled,
        remove: () => {
          armed = armed.filter((other) => other !== entry);
        },
      };
    },
    clear() {
      armed = [];
    },
    take(route, hasUploads = false) {
      for (const entry of armed) {
        if (entry.fault.route !== 'any' && entry.fault.route !== route) continue;
        if (entry.fault.onlyUploads === true && !hasUploads) continue;
        if (entry.timesLeft <= 0) continue;
        if (entry.passesLeft > 0) {
          entry.passesLeft -= 1;
          continue;
        }
        entry.timesLeft -= 1;
        entry.spoiled += 1;
        return entry.fault;
      }
      return undefined;
    },
  };
}
