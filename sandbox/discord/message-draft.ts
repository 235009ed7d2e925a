import type { FormProblem } from './api-refusal.ts';
import { refusals } from './api-refusal.ts';
import type { Cdn } from './cdn.ts';
import type { EmulatedAttachment, MessageContent } from './message.ts';
import { EMPTY_CONTENT, hasFlag, usesComponentsV2 } from './message.ts';
import { checkMessage } from './message-rules.ts';
import type { MessageBody } from './message-schema.ts';
import { MESSAGE_FLAG } from './message-schema.ts';
import type { UploadedFile } from './request-body.ts';

/** Where a message is about to stand. */
export type DraftPlace = {
  readonly cdn: Cdn;
  readonly channelId: string;
  readonly attachmentSizeLimitBytes: number;
};

const CREATION_FLAGS = MESSAGE_FLAG.suppressEmbeds | MESSAGE_FLAG.suppressNotifications | MESSAGE_FLAG.componentsV2;
const EDITABLE_FLAGS = MESSAGE_FLAG.suppressEmbeds | MESSAGE_FLAG.componentsV2;

/** The content of a new message; refuses (ApiRefusal) what Discord would refuse. `extraFlags` are allowed besides the usual. */
export function draftMessage(
  body: MessageBody,
  files: readonly UploadedFile[],
  place: DraftPlace,
  extraFlags = 0,
): MessageContent {
  const flags = body.flags ?? 0;
  if ((flags & ~(CREATION_FLAGS | extraFlags)) !== 0) {
    throw refusals.invalidForm([
      { path: ['flags'], code: 'MESSAGE_FLAGS_INVALID', message: 'These flags cannot be set.' },
    ]);
  }
  const attachments = addUploads([], body, files, place);
  return finish({ ...EMPTY_CONTENT, flags }, body, attachments);
}

/** The content of a message after an edit: what the body leaves out stays. */
export function draftEdit(
  current: MessageContent,
  body: MessageBody,
  files: readonly UploadedFile[],
  place: DraftPlace,
): MessageContent {
  const wanted = body.flags ?? undefined;
  if (wanted !== undefined && usesComponentsV2(current) && !hasFlag(wanted, MESSAGE_FLAG.componentsV2)) {
    throw refusals.invalidForm([
      {
        path: ['flags'],
        code: 'MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG',
        message: 'The IS_COMPONENTS_V2 flag cannot be removed from a message.',
      },
    ]);
  }
  const flags =
    (wanted === undefined ? current.flags : (current.flags & ~EDITABLE_FLAGS) | (wanted & EDITABLE_FLAGS)) &
    ~MESSAGE_FLAG.loading;
  const kept = keepListed(current.attachments, body);
  return finish({ ...current, flags }, body, addUploads(kept, body, files, place));
}

function finish(base: MessageContent, body: MessageBody, attachments: readonly EmulatedAttachment[]): MessageContent {
  const drafted: MessageContent = {
    flags: base.flags,
    attachments,
    content: body.content === undefined ? base.content : (body.content ?? ''),
    embeds: body.embeds === undefined ? base.embeds : (body.embeds ?? []),
    components: body.components === undefined ? base.components : (body.components ?? []),
    hasPoll: base.hasPoll || (body.poll ?? undefined) !== undefined,
    allowedMentions: body.allowed_mentions === undefined ? base.allowedMentions : (body.allowed_mentions ?? undefined),
  };
  checkMessage(drafted);
  return drafted;
}

/** With `attachments`, only the listed ones stay, with the description given there; without it, all do. */
function keepListed(current: readonly EmulatedAttachment[], body: MessageBody): EmulatedAttachment[] {
  if (body.attachments === undefined) return [...current];
  return (body.attachments ?? []).flatMap(({ id, description }) => {
    const attachment = current.find((candidate) => candidate.id === id);
    if (attachment === undefined) return [];
    return [{ ...attachment, description: description ?? attachment.description }];
  });
}

/** Adds the uploaded files, in the order of their indices; an entry of `attachments` may rename or describe one. */
function addUploads(
  kept: readonly EmulatedAttachment[],
  body: MessageBody,
  files: readonly UploadedFile[],
  place: DraftPlace,
): EmulatedAttachment[] {
  const uploads = files.toSorted((left, right) => left.index - right.index);
  if (uploads.some((file) => file.bytes.length > place.attachmentSizeLimitBytes)) throw refusals.tooLarge();
  checkEntries(kept, body, uploads);
  const added = uploads.map((file) => {
    const entry = body.attachments?.find(({ id }) => id === String(file.index));
    return place.cdn.describe({
      channelId: place.channelId,
      filename: entry?.filename ?? file.filename,
      bytes: file.bytes,
      description: entry?.description ?? undefined,
    });
  });
  return [...kept, ...added];
}

function checkEntries(kept: readonly EmulatedAttachment[], body: MessageBody, uploads: readonly UploadedFile[]): void {
  const known = new Set([...kept.map(({ id }) => id), ...uploads.map(({ index }) => String(index))]);
  const entries = body.attachments ?? [];
  const problems = entries.flatMap(({ id }, index): FormProblem[] =>
    known.has(id)
      ? []
      : [
          {
            path: ['attachments', index, 'id'],
            code: 'ATTACHMENT_NOT_FOUND',
            message: `${id} is neither an uploaded file nor an attachment of the message.`,
          },
        ],
  );
  const listed = new Set(entries.map(({ id }) => id));
  for (const { index } of Array.isArray(body.attachments) ? uploads : []) {
    if (listed.has(String(index))) continue;
    problems.push({
      path: ['attachments'],
      code: 'ATTACHMENT_NOT_LISTED',
      message: `The uploaded files[${index}] is missing from the list of attachments.`,
    });
  }
  if (problems.length > 0) throw refusals.invalidForm(problems);
}
