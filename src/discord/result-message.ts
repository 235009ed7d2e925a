import { ComponentType, MessageFlags } from 'discord.js';
import type { APIContainerComponent, APIMessageTopLevelComponent } from 'discord.js';
import { formatUsd } from '../billing/money.ts';
import type { ImageRequest } from '../services/image-request.ts';
import type { FinishedJob, JobOutcome, ResultNote } from '../services/job-outcome.ts';
import { describeRefusal } from './refusal-message.ts';
import { escapeText, formatTokens, truncate } from './wording.ts';

/** The body of a message, in the form in which Discord takes it everywhere. */
export type MessagePayload = {
  readonly flags: number;
  readonly allowed_mentions: { readonly parse: readonly never[] };
  readonly components: readonly APIMessageTopLevelComponent[];
  /** The id is the place of the file in the upload, as text, because Discord writes all ids so. */
  readonly attachments: readonly { readonly id: string; readonly filename: string; readonly description?: string }[];
};

/** A file as the message shows it; how a picture was made to fit is said to its viewers. */
export type ShownFile = { readonly name: string; readonly shrunk: boolean };

/** Discord allows 4,000 characters in all texts of a message; escaping may double a prompt's length. */
const PROMPT_LENGTH_MAX = 1_500;
const ALT_TEXT_LENGTH_MAX = 1_024;

/** The one message that ends a job. */
export function renderOutcome(request: ImageRequest, outcome: JobOutcome, files: readonly ShownFile[]): MessagePayload {
  if (outcome.ended === 'refused') return renderText(describeRefusal(outcome.refusal));
  const altText = truncate(request.prompt, ALT_TEXT_LENGTH_MAX);
  return {
    ...renderText(''),
    components: [renderResult(request, outcome.result, files, altText)],
    attachments: files.map(({ name }, index) => ({ id: String(index), filename: name, description: altText })),
  };
}

/** A message that is nothing but text. It mentions nobody, whatever it says. */
export function renderText(content: string): MessagePayload {
  return {
    flags: MessageFlags.IsComponentsV2,
    allowed_mentions: { parse: [] },
    components: [{ type: ComponentType.TextDisplay, content }],
    attachments: [],
  };
}

/** A text with files under it, each to be downloaded by itself. */
export function renderTextWithFiles(content: string, names: readonly string[]): MessagePayload {
  const text = renderText(content);
  const files = names.map((name) => ({ type: ComponentType.File as const, file: { url: `attachment://${name}` } }));
  return {
    ...text,
    components: [...text.components, ...files],
    attachments: names.map((filename, index) => ({ id: String(index), filename })),
  };
}

function renderResult(
  request: ImageRequest,
  result: FinishedJob,
  files: readonly ShownFile[],
  altText: string,
): APIContainerComponent {
  const notes = [...result.notes.map(describeNote), ...describeShrinking(files)];
  const details = [
    `-# ${[result.model, result.size, result.quality].join(' · ')} · ${describeCost(result)}`,
    `-# For <@${request.member}>`,
    ...notes.map((note) => `-# ${note}`),
  ];
  return {
    type: ComponentType.Container,
    components: [
      { type: ComponentType.TextDisplay, content: escapeText(truncate(request.prompt, PROMPT_LENGTH_MAX)) },
      {
        type: ComponentType.MediaGallery,
        items: files.map(({ name }) => ({ media: { url: `attachment://${name}` }, description: altText })),
      },
      { type: ComponentType.TextDisplay, content: details.join('\n') },
    ],
  };
}

function describeCost({ charge, estimate }: FinishedJob): string {
  if (!charge) return `cost not reported by the provider; ${formatUsd(estimate)} counts against the budget`;
  const { cost, usage } = charge;
  return `${formatUsd(cost)} · ${formatTokens(usage.output)} image tokens · ${formatTokens(usage.input)} input tokens`;
}

function describeNote(note: ResultNote): string {
  switch (note.note) {
    case 'fewer-images':
      return `The provider made ${note.got} of ${note.asked} images.`;
    case 'keep-outside-left-off':
      return 'The result has another shape than the image, so the parts outside the mask were not put back.';
    case 'first-frame-only':
      return 'The picture was animated; its first frame was used.';
    case 'model-replaced':
      return `\`${escapeText(note.asked)}\` is no longer offered; its successor was used.`;
  }
}

function describeShrinking(files: readonly ShownFile[]): string[] {
  return files.some(({ shrunk }) => shrunk) ? ['Re-encoded to fit the size that Discord allows here.'] : [];
}
