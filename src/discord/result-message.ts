import { ComponentType, MessageFlags } from 'discord.js';
import type { APIContainerComponent, APIMediaGalleryComponent, APIMessageTopLevelComponent } from 'discord.js';
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

/** A picture under a text, and what it shows in words. */
export type ShownPicture = { readonly name: string; readonly altText: string };

/** A text with files under it, each to be downloaded by itself; a picture comes first, and so in the uploads. */
export function renderTextWithFiles(
  content: string,
  fileNames: readonly string[],
  picture?: ShownPicture,
): MessagePayload {
  const text = renderText(content);
  const gallery = picture ? [renderGallery([picture.name], picture.altText)] : [];
  const files = fileNames.map((name) => ({ type: ComponentType.File as const, file: { url: `attachment://${name}` } }));
  const attachments = [
    ...(picture ? [{ filename: picture.name, description: picture.altText }] : []),
    ...fileNames.map((filename) => ({ filename })),
  ];
  return {
    ...text,
    components: [...text.components, ...gallery, ...files],
    attachments: attachments.map((attachment, index) => ({ id: String(index), ...attachment })),
  };
}

function renderGallery(names: readonly string[], altText: string): APIMediaGalleryComponent {
  return {
    type: ComponentType.MediaGallery,
    items: names.map((name) => ({ media: { url: `attachment://${name}` }, description: altText })),
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
      renderGallery(
        files.map(({ name }) => name),
        altText,
      ),
      { type: ComponentType.TextDisplay, content: details.join('\n') },
    ],
  };
}

function describeCost({ charge, estimate }: FinishedJob): string {
  if (!charge) return `cost not reported by the provider; ${formatUsd(estimate)} counts against the budget`;
  const { cost, usage } = charge;
  const told = [formatUsd(cost)];
  if (usage) told.push(`${formatTokens(usage.output)} image tokens`);
  if (usage?.input !== undefined) told.push(`${formatTokens(usage.input)} input tokens`);
  return told.join(' · ');
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
