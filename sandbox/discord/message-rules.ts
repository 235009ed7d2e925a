import type { FormProblem } from './api-refusal.ts';
import { refusals } from './api-refusal.ts';
import { COMPONENT, saysSomething } from './component-schema.ts';
import { findReferencedAttachment, namesAttachment, walkComponents, walkMedia } from './component-tree.ts';
import type { MessageContent } from './message.ts';
import { usesComponentsV2 } from './message.ts';

/** Limits of a whole message, where its parts alone could each be in order. */
const COMPONENTS_MAX = 40;
const TEXT_DISPLAY_CHARACTERS_MAX = 4000;
const EMBED_CHARACTERS_MAX = 6000;
const ACTION_ROWS_MAX = 5;
const ATTACHMENTS_MAX = 10;

/**
 * Checks a message as it would stand after a request; the form of its parts is checked already.
 * Throws 50035 with every fault, or 50006 for a message without anything in it.
 */
export function checkMessage(message: MessageContent): void {
  const problems = [
    ...checkAttachments(message),
    ...checkCustomIds(message),
    ...checkEmbeds(message),
    ...(usesComponentsV2(message) ? checkComponentsV2(message) : checkClassicComponents(message)),
  ];
  if (problems.length > 0) throw refusals.invalidForm(problems);
  const isEmpty =
    !saysSomething(message.content) &&
    message.embeds.length === 0 &&
    message.components.length === 0 &&
    message.attachments.length === 0 &&
    !message.hasPoll;
  if (isEmpty) throw refusals.emptyMessage();
}

function checkAttachments(message: MessageContent): FormProblem[] {
  const problems: FormProblem[] = [];
  if (message.attachments.length > ATTACHMENTS_MAX) {
    problems.push({
      path: ['attachments'],
      code: 'BASE_TYPE_MAX_LENGTH',
      message: `Must be ${ATTACHMENTS_MAX} or fewer in length.`,
    });
  }
  for (const { url, path } of walkMedia(message)) {
    if (namesAttachment(url)) {
      if (findReferencedAttachment(url, message.attachments) !== undefined) continue;
      problems.push({
        path: [...path, 'url'],
        code: 'UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND',
        message: `The referenced attachment ${url} was not found in the message.`,
      });
    } else if (path.at(-1) === 'file' && findReferencedAttachment(url, message.attachments) === undefined) {
      problems.push({
        path: [...path, 'url'],
        code: 'UNFURLED_MEDIA_ITEM_MUST_BE_ATTACHMENT',
        message: 'A file component must refer to an attachment.',
      });
    } else if (!/^https?:\/\//.test(url)) {
      problems.push({
        path: [...path, 'url'],
        code: 'URL_TYPE_INVALID_SCHEME',
        message: `Scheme of "${url}" must be http(s) or attachment.`,
      });
    }
  }
  return problems;
}

function checkCustomIds(message: MessageContent): FormProblem[] {
  const problems: FormProblem[] = [];
  const seen = new Set<string>();
  for (const { component, path } of walkComponents(message.components)) {
    if (!('custom_id' in component) || typeof component.custom_id !== 'string') continue;
    if (seen.has(component.custom_id)) {
      problems.push({
        path: [...path, 'custom_id'],
        code: 'COMPONENT_CUSTOM_ID_DUPLICATED',
        message: 'Component custom id cannot be duplicated',
      });
    }
    seen.add(component.custom_id);
  }
  return problems;
}

function checkEmbeds(message: MessageContent): FormProblem[] {
  const characters = message.embeds
    .flatMap((embed) => [
      embed.title,
      embed.description,
      embed.footer?.text,
      embed.author?.name,
      ...(embed.fields ?? []).flatMap((field) => [field.name, field.value]),
    ])
    .reduce((sum, text) => sum + (text?.length ?? 0), 0);
  if (characters <= EMBED_CHARACTERS_MAX) return [];
  return [
    {
      path: ['embeds'],
      code: 'MAX_EMBED_SIZE_EXCEEDED',
      message: `Embed size exceeds maximum size of ${EMBED_CHARACTERS_MAX}`,
    },
  ];
}

function checkComponentsV2(message: MessageContent): FormProblem[] {
  const legacyFields = [
    ['content', message.content !== ''],
    ['embeds', message.embeds.length > 0],
    ['poll', message.hasPoll],
  ] as const;
  const problems: FormProblem[] = legacyFields
    .filter(([, isUsed]) => isUsed)
    .map(([field]) => ({
      path: [field],
      code: 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2',
      message: `The '${field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`,
    }));
  const placed = walkComponents(message.components);
  if (placed.length > COMPONENTS_MAX) {
    problems.push({
      path: ['components'],
      code: 'COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED',
      message: `The total number of components cannot exceed ${COMPONENTS_MAX}`,
    });
  }
  const textCharacters = placed.reduce(
    (sum, { component }) => sum + (component.type === COMPONENT.textDisplay ? component.content.length : 0),
    0,
  );
  if (textCharacters > TEXT_DISPLAY_CHARACTERS_MAX) {
    problems.push({
      path: ['components'],
      code: 'COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED',
      message: `The total displayable text cannot exceed ${TEXT_DISPLAY_CHARACTERS_MAX} characters`,
    });
  }
  return problems;
}

function checkClassicComponents(message: MessageContent): FormProblem[] {
  const problems = message.components.flatMap((component, index): FormProblem[] =>
    component.type === COMPONENT.actionRow
      ? []
      : [
          {
            path: ['components', index, 'type'],
            code: 'UNION_TYPE_CHOICES',
            message: `Value of field "type" must be one of (${COMPONENT.actionRow},).`,
          },
        ],
  );
  if (message.components.length > ACTION_ROWS_MAX) {
    problems.push({
      path: ['components'],
      code: 'BASE_TYPE_BAD_LENGTH',
      message: `Must be between 1 and ${ACTION_ROWS_MAX} in length.`,
    });
  }
  return problems;
}
