import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { checkOptions, chooseModel } from './call-planning.ts';
import type { ImageRequest } from './image-request.ts';
import type { JobRefusal } from './job-outcome.ts';
import type { ModelRoster } from './model-roster.ts';
import type { ImageModel } from './providers/models.ts';
import type { Spool } from './spool.ts';

/** Everything that can be refused before a single byte is downloaded or a single cent is held. */
export type Admission = {
  admit(request: ImageRequest): Promise<{ readonly model: ImageModel } | JobRefusal>;
  /** From now on everything is refused. */
  close(): void;
};

const MINUTE_SECONDS = 60;

export function createAdmission(parts: {
  roster: ModelRoster;
  spool: Spool;
  /** How many requests a member may make in a minute; 0 where there is no such limit. */
  memberRequestsPerMinute: number;
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

  return {
    async admit(request) {
      if (isClosed) return { reason: 'stopping' };
      const model = chooseModel(request, roster.models);
      if ('reason' in model) return model;
      const refusal = checkOptions(request, model, roster.models) ?? (await checkRate(request.member));
      if (refusal) return refusal;
      return (await spool.hasRoom()) ? { model } : { reason: 'disk-full' };
    },
    close() {
      isClosed = true;
    },
  };
}
