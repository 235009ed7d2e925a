import type { AutocompleteInteraction, Interaction, RESTPostAPIInteractionCallbackJSONBody } from 'discord.js';
import { InteractionResponseType, MessageFlags } from 'discord.js';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { JobRefusal } from '../services/job-outcome.ts';
import { referenceOf } from '../services/job-reference.ts';
import { createRecentIds } from '../services/recent-ids.ts';
import { StoreFailure } from '../storage/store.ts';
import type { FirstAnswer, Task } from './command.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { AcknowledgementError } from './acknowledgements.ts';
import { answerEphemerally } from './ephemeral-answer.ts';
import type { ReplyEditor } from './reply-editor.ts';
import { describeRefusalWithReference } from './refusal-message.ts';
import { renderText } from './message-payload.ts';
import type { Verbs } from './verbs.ts';
import { wordsFor } from './words.ts';

/** Takes every interaction that Discord sends. Its promise never rejects. */
export type Router = {
  handle(interaction: Interaction): Promise<void>;
  /** Resolves when all that was begun has ended. Nothing ends the intake but the gateway's own end, which comes before. */
  drain(): Promise<void>;
};

/** Discord may send the same interaction more than once; so many of the last ones are remembered. */
const REMEMBERED_INTERACTIONS_MAX = 10_000;

export function createRouter(parts: {
  verbs: Verbs;
  replies: ReplyEditor;
  acknowledgements: Acknowledgements;
  log: Logger;
}): Router {
  const { verbs, replies, acknowledgements, log } = parts;
  const seen = createRecentIds(REMEMBERED_INTERACTIONS_MAX);
  const active = new Set<Promise<void>>();

  /**
   * Acknowledges, and beside that begins; what takes long comes after both. Nothing begins before what came in at the
   * same time has been acknowledged as well.
   */
  async function perform(interaction: Answerable, answer: FirstAnswer): Promise<void> {
    const begin = answer.first === 'modal' ? async () => nothingFollows : answer.begin;
    const [acknowledged, begun] = await Promise.allSettled([
      acknowledgements.send(interaction, firstAnswerBody(answer)),
      nextTurn()
        .then(async () => acknowledgements.whenSent())
        .then(begin),
    ]);
    if (acknowledged.status === 'rejected') {
      // Another process has it, or nobody waits any more: either way nothing may be held or paid for it here.
      logRefusal(interaction, acknowledged.reason);
      if (begun.status === 'fulfilled') await begun.value.abandon?.();
      // Nobody is told of it, because nobody is known to wait. What is wrong here may be wrong for the next one, too.
      else log.error({ job: interaction.id, err: begun.reason }, 'an unacknowledged request could not begin either');
      return endThinking(interaction, answer, acknowledged.reason);
    }
    if (begun.status === 'rejected') throw begun.reason;
    return begun.value.run();
  }

  /** Where several processes share the token, all but one of them are refused each time, and nothing is wrong. */
  function logRefusal({ id: job }: Answerable, reason: unknown): void {
    const isUsual = reason instanceof AcknowledgementError && reason.isAnothers;
    log[isUsual ? 'info' : 'warn']({ job, err: reason }, 'acknowledgement refused');
  }

  /** Where Discord may have taken an acknowledgement without saying so, its "thinking" would stand there for good. */
  async function endThinking(interaction: Answerable, { first }: FirstAnswer, reason: unknown): Promise<void> {
    if (reason instanceof AcknowledgementError && reason.isFinal) return undefined;
    if (first !== 'public-reply' && first !== 'private-reply') return undefined;
    const text = wordsFor(interaction.locale).say('router.not-acknowledged');
    return replies.fillEmpty(interaction, renderText(text));
  }

  /** The one place where what nobody else catches is caught: logged in full, and shown as a reference only. */
  async function guard(interaction: Exclude<Interaction, AutocompleteInteraction>): Promise<void> {
    let answer: FirstAnswer | undefined;
    try {
      answer = await verbs.answer(interaction);
      if (answer) await perform(interaction, answer);
    } catch (error) {
      const reference = referenceOf(interaction.id);
      log.error({ job: interaction.id, reference, err: error }, 'command failed');
      // Of a store that is away it is known what to do, and that nobody has to ask for it.
      const refusal: JobRefusal =
        error instanceof StoreFailure ? { reason: 'store-unavailable' } : { reason: 'bug', reference };
      const text = describeRefusalWithReference(refusal, interaction, wordsFor(interaction.locale));
      await reportFailure(interaction, answer, text);
    }
  }

  /** Tells of it wherever there is room for it, and never in the place of a message that was there before. */
  async function reportFailure(interaction: Answerable, answer: FirstAnswer | undefined, text: string): Promise<void> {
    if (answer?.first === 'update') return replies.tellEphemerally(interaction, renderText(text));
    if (answer) return replies.edit(interaction, renderText(text));
    return perform(interaction, answerEphemerally(replies, interaction, text));
  }

  return {
    async handle(interaction) {
      if (interaction.isAutocomplete()) return verbs.suggest(interaction);
      if (!seen.note(interaction.id)) return undefined;
      const work = guard(interaction);
      active.add(work);
      await work;
      active.delete(work);
      return undefined;
    },
    async drain() {
      await Promise.all(active);
    },
  };
}

/** What of an interaction an acknowledgement and a reply need. */
type Answerable = Pick<Interaction, 'id' | 'token' | 'applicationId' | 'client' | 'locale'>;

const nothingFollows: Task = { run: async () => undefined };

function firstAnswerBody(answer: FirstAnswer): RESTPostAPIInteractionCallbackJSONBody {
  switch (answer.first) {
    case 'public-reply':
      return { type: InteractionResponseType.DeferredChannelMessageWithSource };
    case 'private-reply':
      return {
        type: InteractionResponseType.DeferredChannelMessageWithSource,
        data: { flags: MessageFlags.Ephemeral },
      };
    case 'update':
      return { type: InteractionResponseType.DeferredMessageUpdate };
    case 'modal':
      return { type: InteractionResponseType.Modal, data: answer.modal };
  }
}
