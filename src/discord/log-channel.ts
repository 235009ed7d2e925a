import { randomBytes } from 'node:crypto';
import type { REST } from 'discord.js';
import type { Logger } from 'pino';
import { formatDecidedUsd, formatUsd } from '../billing/money.ts';
import { endOfPeriod } from '../billing/period.ts';
import type { BudgetWarning, WarningResult } from '../services/budget-watch.ts';
import { postOnce } from './message-requests.ts';
import { readAddress } from './reply-address.ts';
import { renderText } from './message-payload.ts';
import type { SendResult } from './send-attempts.ts';
import { sendUntilSettled } from './send-attempts.ts';
import { relativeTime } from './wording.ts';
import type { Words } from './words.ts';
import { wordsFor } from './words.ts';

/** Posts what administrators should know into the channel that they chose for it, in the language of the server. */
export type LogChannel = {
  warn(warning: BudgetWarning): Promise<WarningResult>;
  /** Says in a channel what will come there. */
  introduce(channelId: string, decidedBy: string, words: Words): Promise<Introduction>;
};

/** Easel cannot write in a channel that is closed to it; what goes wrong in passing may succeed a minute later. */
export type Introduction = 'said' | 'closed' | 'not-now';

const NONCE_BYTES = 12;

export function createLogChannel(parts: {
  rest: REST;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): LogChannel {
  const { rest, sleep, log } = parts;

  async function post(channelId: string, text: string): Promise<SendResult> {
    const nonce = randomBytes(NONCE_BYTES).toString('hex');
    return sendUntilSettled(async () => postOnce(rest, channelId, nonce, renderText(text)), {
      sleep,
      onFailure: (error) => log.warn({ channelId, err: error }, 'the log channel did not take a message'),
    });
  }

  return {
    async warn(warning) {
      const { guild, channelId } = warning;
      const result = await post(channelId, describeWarning(warning, wordsOf(warning)));
      if (result === 'sent') return 'given';
      log.error({ guild, channelId, result }, 'a budget warning could not be given');
      return result === 'later' ? 'later' : 'refused';
    },
    async introduce(channelId, decidedBy, { say }) {
      const text = say('log-channel.introduction', { administrator: `<@${decidedBy}>` });
      const result = await post(channelId, text);
      if (result === 'sent') return 'said';
      return result === 'later' ? 'not-now' : 'closed';
    },
  };
}

function wordsOf({ address }: BudgetWarning): Words {
  return wordsFor(readAddress(address).guildLocale);
}

function describeWarning({ kind, period, used, limit }: BudgetWarning, { say }: Words): string {
  return say(`log-channel.warning-${kind}`, {
    used: formatUsd(used),
    limit: formatDecidedUsd(limit),
    renewsAt: relativeTime(endOfPeriod(period)),
  });
}
