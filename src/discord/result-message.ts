import type { APIContainerComponent } from 'discord.js';
import { ComponentType, messageLink } from 'discord.js';
import { formatUsd } from '../billing/money.ts';
import type { ImageRequest } from '../services/image-request.ts';
import type { FinishedJob, JobOutcome, ResultNote } from '../services/job-outcome.ts';
import { VERB } from './button-verbs.ts';
import { nameChoice } from './command-words.ts';
import type { LabelledButton, MessagePayload } from './message-payload.ts';
import {
  ALT_TEXT_LENGTH_MAX,
  renderButtons,
  renderGallery,
  renderText,
  TEXT_LENGTH_MAX,
  withBelow,
} from './message-payload.ts';
import { describeRefusalWithReference } from './refusal-message.ts';
import type { Words } from './words.ts';
import { escapeCode, escapeText, formatPercent, truncate } from './wording.ts';

/** A file as the message shows it; how a picture was made to fit is said to its viewers. */
export type ShownFile = { readonly name: string; readonly shrunk: boolean };

/** Where a message stands. Buttons need the server, which is where budgets and permissions are. */
export type MessageContext = 'server' | 'direct-messages';

/** As much of a prompt as is shown where there is room for it. */
const PROMPT_LENGTH_MAX = 1_500;
/** What escaping makes of a character at most: itself, and one that takes its meaning away. */
const ESCAPED_LENGTH_FACTOR = 2;

/** The one message that ends a job. */
export function renderOutcome(
  request: ImageRequest,
  outcome: JobOutcome,
  files: readonly ShownFile[],
  words: Words,
  context: MessageContext = 'server',
): MessagePayload {
  switch (outcome.ended) {
    case 'refused':
      return renderText(describeRefusalWithReference(outcome.refusal, request, words));
    case 'cancelled':
      return renderCancelled(request, outcome.result, words, context);
    case 'finished': {
      const altText = truncate(request.prompt, ALT_TEXT_LENGTH_MAX);
      return {
        ...renderText(''),
        components: [renderResult(request, outcome.result, { files, altText }, words, context)],
        attachments: files.map(({ name }, index) => ({ id: String(index), filename: name, description: altText })),
      };
    }
  }
}

function renderResult(
  request: ImageRequest,
  result: FinishedJob,
  shown: { readonly files: readonly ShownFile[]; readonly altText: string },
  words: Words,
  context: MessageContext,
): APIContainerComponent {
  const { files, altText } = shown;
  // Where pictures are missing all of them are kept, as a result that can be fetched and not as originals.
  const isShrunk = files.some(({ shrunk }) => shrunk) && !result.notes.some(({ note }) => note === 'too-large');
  const names = files.map(({ name }) => name);
  const hasButtons = context === 'server' && names.length > 0;
  const buttons = hasButtons ? [renderButtons(request.id, offerButtons(isShrunk, words))] : [];
  const details = describeDetails(request, result, isShrunk, words);
  return {
    type: ComponentType.Container,
    components: [
      { type: ComponentType.TextDisplay, content: showPrompt(request.prompt, TEXT_LENGTH_MAX - details.length) },
      ...(names.length > 0 ? [renderGallery(names, altText, request.isSpoiler)] : []),
      { type: ComponentType.TextDisplay, content: details },
      ...buttons,
    ],
  };
}

/** The prompt as the text that it is, cut before it is escaped: a cut could leave half of an escape. */
function showPrompt(prompt: string, lengthMax: number): string {
  const shownLengthMax = Math.min(PROMPT_LENGTH_MAX, Math.floor(lengthMax / ESCAPED_LENGTH_FACTOR));
  return escapeText(truncate(prompt, shownLengthMax));
}

/** The small print: what it was made with and for how much, for whom, from what, and what is not as it was asked for. */
function describeDetails(request: ImageRequest, result: FinishedJob, isShrunk: boolean, words: Words): string {
  const { origin, guild, member } = request;
  const link = origin && messageLink(origin.channel, origin.message, guild);
  const lines = [
    [result.model, result.size, nameChoice(result.quality, words), ...describeCost(result, words)].join(' · '),
    words.say('result.for', { member: `<@${member}>` }),
    ...(link === undefined ? [] : [words.say('result.made-from', { link })]),
    ...result.notes.map((note) => describeNote(note, words)),
    ...(isShrunk ? [words.say('result.note.shrunk')] : []),
  ];
  return lines.map((line) => `-# ${line}`).join('\n');
}

function describeCost({ charge, estimate }: FinishedJob, words: Words): string[] {
  if (!charge) return [words.say('result.cost-unknown', { estimate: formatUsd(estimate) })];
  const { cost, usage } = charge;
  return [
    formatUsd(cost),
    ...(usage ? [words.say('result.image-tokens', { tokens: usage.output })] : []),
    ...(usage?.input === undefined ? [] : [words.say('result.input-tokens', { tokens: usage.input })]),
  ];
}

function describeNote(note: ResultNote, words: Words): string {
  switch (note.note) {
    case 'fewer-images':
      return words.say('result.note.fewer-images', { got: note.got, asked: note.asked });
    case 'cut-off':
      return words.say('result.note.cut-off', { got: note.got, asked: note.asked });
    case 'broken-files':
      return words.say('result.note.broken-files', { count: note.count, reference: note.reference });
    case 'no-image':
      return words.say(note.isElsewhere ? 'result.note.no-image-elsewhere' : 'result.note.no-image', {
        reference: note.reference,
      });
    case 'too-large':
      return words.say('result.note.too-large', { count: note.count, reference: note.reference });
    case 'keep-outside-left-off':
      return words.say('result.note.keep-outside-left-off');
    case 'first-frame-only':
      return words.say('result.note.first-frame-only');
    case 'masked':
      return words.say('result.note.masked', { by: note.by, share: formatPercent(note.coveredShare, words) });
    case 'model-replaced':
      return words.say('result.note.model-replaced', { model: escapeCode(note.asked) });
  }
}

/** The originals are kept only where something else had to be posted in their place. */
function offerButtons(isShrunk: boolean, words: Words): LabelledButton[] {
  return [
    { verb: VERB.edit, label: words.say('result.button.edit'), isPrimary: true },
    { verb: VERB.vary, label: words.say('result.button.vary') },
    { verb: VERB.again, label: words.say('result.button.again') },
    ...(isShrunk ? [{ verb: VERB.original, label: words.say('result.button.original') }] : []),
    { verb: VERB.delete, label: words.say('result.button.delete') },
  ];
}

/** What was called off too late: it is paid for and kept, and shown if somebody wants it after all. */
function renderCancelled(
  { id }: ImageRequest,
  { charge, estimate }: FinishedJob,
  words: Words,
  context: MessageContext,
): MessagePayload {
  const text = renderText(
    charge
      ? words.say('result.cancelled', { cost: formatUsd(charge.cost) })
      : words.say('result.cancelled-cost-unknown', { estimate: formatUsd(estimate) }),
  );
  if (context === 'direct-messages') return text;
  const offer = renderButtons(id, [{ verb: VERB.fetch, label: words.say('result.show-anyway') }]);
  return withBelow(text, offer);
}
