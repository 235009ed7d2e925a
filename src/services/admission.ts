import type { Logger } from 'pino';
// By its files: its index loads a limiter for every kind of store, fifteen milliseconds of a start.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import { StoreFailure } from '../storage/store.ts';
import type { Allowed } from './access.ts';
import { applyRules } from './access.ts';
import type { GuildSettings } from './guild-settings.ts';
import type { GuildSettingsStore } from './guild-settings-store.ts';
import type { ImageRequest } from './image-request.ts';
import type { JobRefusal } from './job-outcome.ts';
import type { ModelRoster } from './model-roster.ts';
import type { Spool } from './spool/spool.ts';

/** A request that is held to its server's rules, and those rules, which have to be known for the next step. */
export type Admitted = Allowed & { readonly settings: GuildSettings };

/** Everything that can be refused before a single byte is downloaded or a single cent is held. */
export type Admission = {
  /** @param isCounted whether the request was admitted before, and counted against its member's rate */
  admit(request: ImageRequest, isCounted?: boolean): Promise<Admitted | JobRefusal>;
  /**
   * Holds a request that was admitted to what its server has decided since: the settings that are in force now, or why it
   * is refused.
   */
  confirm(admitted: Allowed): Promise<GuildSettings | JobRefusal>;
  /** From now on everything is refused. */
  close(): void;
};

const MINUTE_SECONDS = 60;
/** Discord shows no message whose text is made of such characters alone, so its result could not be shown either. */
const BLANK = /^[\s\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]*$/u;

export function createAdmission(parts: {
  roster: ModelRoster;
  spool: Spool;
  settings: Pick<GuildSettingsStore, 'read'>;
  /** How many requests a member may make in a minute; 0 where there is no such limit. */
  memberRequestsPerMinute: number;
  log: Logger;
}): Admission {
  const { roster, spool, memberRequestsPerMinute } = parts;
  const limiter =
    memberRequestsPerMinute > 0
      ? new RateLimiterMemory({ points: memberRequestsPerMinute, duration: MINUTE_SECONDS })
      : undefined;
  let isClosed = false;

  async function checkRate(member: string): Promise<JobRefusal | undefined> {
    try {
      await limiter?.consume(member);
      return undefined;
    } catch (rejection) {
      if (!(rejection instanceof RateLimiterRes)) throw rejection;
      return { reason: 'rate-limited', retryAfterMs: rejection.msBeforeNext };
    }
  }

  /** A server whose decisions cannot be read is one in which nothing may be spent. */
  async function readSettings(request: ImageRequest): Promise<GuildSettings | undefined> {
    try {
      return await parts.settings.read(request.guild);
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error;
      parts.log.error({ job: request.id, err: error }, 'the store failed; the request is denied');
      return undefined;
    }
  }

  return {
    async admit(asked, isCounted = false) {
      if (isClosed) return { reason: 'stopping' };
      if (BLANK.test(asked.prompt)) return { reason: 'prompt-blank' };
      const settings = await readSettings(asked);
      if (!settings) return { reason: 'store-unavailable' };
      const allowed = applyRules(asked, settings, roster.models);
      if ('reason' in allowed) return allowed;
      const tooOften = isCounted ? undefined : await checkRate(asked.member);
      if (tooOften) return tooOften;
      return spool.hasRoom() ? { ...allowed, settings } : { reason: 'disk-full' };
    },
    async confirm({ request, model }) {
      const settings = await readSettings(request);
      if (!settings) return { reason: 'store-unavailable' };
      // The model is named, so that another default does not stand in for it.
      const allowed = applyRules({ ...request, model: model.id }, settings, roster.models);
      return 'reason' in allowed ? allowed : settings;
    },
    close() {
      isClosed = true;
    },
  };
}
