import type { REST } from 'discord.js';
import { messageLink } from 'discord.js';
import PQueue from 'p-queue';
import type { Logger } from 'pino';
import { formatUsd } from '../billing/money.ts';
import type { GuildSettings } from '../services/guild-settings.ts';
import type { JobEnd } from '../services/job-conclusion.ts';
import type { OpenJob } from '../services/open-job.ts';
import type { FinishedJob, JobOutcome } from '../services/job-outcome.ts';
import { writeSize } from '../services/providers/image-sizes.ts';
import { nameChoice } from './command-words.ts';
import { postOnce } from './message-requests.ts';
import { howUnknown, isDiscreet } from './refusal-message.ts';
import { readAddress } from './reply-address.ts';
import { renderText } from './message-payload.ts';
import { sendUntilSettled } from './send-attempts.ts';
import { escapeText, truncate } from './wording.ts';
import type { MessageKey, Words } from './words.ts';
import { wordsFor } from './words.ts';

/**
 * Tells a server's log channel of every job that cost something or may have, where its administrators want that. It
 * runs beside everything else: whatever becomes of it, no job waits for it or fails of it.
 */
export type JobLog = {
  tell(end: JobEnd): void;
  /** Resolves when all is told, or could not be. */
  drain(): Promise<void>;
};

/** At once, so that a server whose channel is slow does not stand before all others. */
const CONCURRENCY = 8;
/** Whatever comes on top of as many as this is not told. The books have it all the same. */
const WAITING_MAX = 500;
const PROMPT_LENGTH_MAX = 500;

export function createJobLog(parts: {
  rest: REST;
  settings: { read(guild: string): Promise<Pick<GuildSettings, 'logsJobs' | 'logChannelId'>> };
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): JobLog {
  const { rest, settings, sleep, log } = parts;
  const line = new PQueue({ concurrency: CONCURRENCY });

  async function post(end: JobEnd): Promise<void> {
    const { id, guild } = end.job.request;
    const { logsJobs, logChannelId } = await settings.read(guild);
    if (!logsJobs || logChannelId === undefined) return;
    const words = wordsFor(readAddress(end.job.address).guildLocale);
    // A job that ends again after a crash is told of under the same nonce, by which Discord knows the second copy.
    const nonce = `log-${id}`;
    const message = renderText(describe(end, words));
    const result = await sendUntilSettled(async () => postOnce(rest, logChannelId, nonce, message), {
      sleep,
      onFailure: (error) => log.warn({ job: id, err: error }, 'the log channel did not take a job'),
    });
    if (result !== 'sent') log.error({ job: id, guild, result }, 'a job is missing in the log channel');
  }

  return {
    tell(end) {
      if (!mayHaveCost(end)) return;
      const { id, guild } = end.job.request;
      if (line.size >= WAITING_MAX) {
        log.error({ job: id, guild }, 'too much to tell: a job is missing in the log channel');
        return;
      }
      void line.add(async () =>
        post(end).catch((error: unknown) =>
          log.error({ job: id, guild, err: error }, 'a job is missing in the log channel'),
        ),
      );
    },
    drain: async () => line.onIdle(),
  };
}

/** Whether anything was paid, or may have been. */
function mayHaveCost({ outcome }: JobEnd): boolean {
  return outcome.ended !== 'refused' || outcome.refusal.reason === 'outcome-unknown';
}

/** Of what is private, or was declined, the administrators learn who asked for it, of which model, and for how much. */
function describe({ job, outcome, place }: JobEnd, words: Words): string {
  const { request } = job;
  const result = outcome.ended === 'refused' ? undefined : outcome.result;
  const isPrivate = request.isPrivate || (outcome.ended === 'refused' && isDiscreet(outcome.refusal));
  const details = result ? detailsOf(result, isPrivate, words) : detailsOfUnknown(job, isPrivate, words);
  const told = {
    member: `<@${request.member}>`,
    // Where there is none, it is told how many were asked for.
    count: result?.images.length || request.count,
    isPrivate: String(request.isPrivate),
  };
  const prompt = escapeText(truncate(request.prompt.replace(/\s+/gu, ' ').trim(), PROMPT_LENGTH_MAX));
  // A link leads to the channel where it was asked; a direct message is nobody else's.
  const isInServer = place !== undefined && place.channelId === readAddress(job.address).channelId;
  return [
    words.say(headlineOf(outcome), told),
    ...(isPrivate ? [] : [`> ${prompt}`]),
    ...(details.length > 0 ? [`-# ${details.join(' · ')}`] : []),
    ...(isInServer && !isPrivate ? [messageLink(place.channelId, place.messageId, request.guild)] : []),
  ].join('\n');
}

function headlineOf(outcome: JobOutcome): MessageKey {
  if (outcome.ended !== 'refused')
    return outcome.result.images.length > 0 ? `job-log.${outcome.ended}` : 'job-log.no-image';
  const { refusal } = outcome;
  const how = refusal.reason === 'outcome-unknown' ? howUnknown(refusal.kind) : undefined;
  return how === 'moderation' || how === 'failed' ? `job-log.${how}` : 'job-log.unknown';
}

function detailsOf({ model, size, quality, charge, estimate }: FinishedJob, isPrivate: boolean, words: Words) {
  const cost = charge ? formatUsd(charge.cost) : words.say('result.cost-unknown', { estimate: formatUsd(estimate) });
  return isPrivate ? [model, cost] : [model, size, nameChoice(quality, words), cost];
}

/** No answer is there: what is known is what was asked for, and what is held for it. */
function detailsOfUnknown({ plan }: OpenJob, isPrivate: boolean, words: Words): string[] {
  if (!plan) return [];
  const { model, quality, estimate } = plan;
  const cost = words.say('job-log.estimate', { estimate: formatUsd(estimate) });
  return isPrivate ? [model, cost] : [model, writeSize(plan), nameChoice(quality, words), cost];
}
