import type { EmulatedDiscord } from '../discord/emulated-discord.ts';
import type { EmulatedAttachment, EmulatedMessage } from '../discord/message.ts';
import type { ModalAnswers } from '../discord/modal-answers.ts';
import type { OptionValues } from '../discord/option-values.ts';
import { UnsendableCommand } from '../discord/option-values.ts';
import type { Entity } from '../discord/resolved-data.ts';
import type { ChosenInput, ModalAnswerInput, OptionInput } from './action-schema.ts';
import { remember } from './remember.ts';
import type { Viewer } from './viewer.ts';
import { findViewer, isVisibleTo } from './viewer.ts';

/** Turns the ids that the browser names into what they stand for. All throw UnsendableCommand where there is no such thing. */
export type References = {
  readonly viewer: (ids: { readonly person: string; readonly channel: string }) => Viewer;
  /** A message that the viewer sees. */
  readonly message: (id: string, viewer: Viewer) => EmulatedMessage;
  readonly upload: (id: string) => EmulatedAttachment;
  readonly keepUpload: (upload: EmulatedAttachment) => void;
  readonly options: (options: Readonly<Record<string, OptionInput>>, viewer: Viewer) => OptionValues;
  readonly chosen: (chosen: ChosenInput, viewer: Viewer) => readonly string[] | readonly Entity[];
  readonly answers: (answers: Readonly<Record<string, ModalAnswerInput>>, viewer: Viewer) => ModalAnswers;
};

const UPLOADS_KEPT_MAX = 200;

export function createReferences(discord: Pick<EmulatedDiscord, 'world' | 'message'>): References {
  const uploads = new Map<string, EmulatedAttachment>();
  const upload = (id: string): EmulatedAttachment => uploads.get(id) ?? refuse('There is no such upload.');
  const entity = (id: string, viewer: Viewer): Entity => findEntity(discord, viewer, id);
  const chosen: References['chosen'] = (input, viewer) =>
    'values' in input ? input.values : input.entities.map((id) => entity(id, viewer));
  const option = (value: OptionInput, viewer: Viewer): OptionValues[string] => {
    if (typeof value !== 'object') return value;
    return 'upload' in value ? upload(value.upload) : entity(value.entity, viewer);
  };
  const answer = (value: ModalAnswerInput, viewer: Viewer): ModalAnswers[string] => {
    if (typeof value !== 'object') return value;
    return 'uploads' in value ? value.uploads.map(upload) : chosen(value, viewer);
  };
  return {
    viewer: ({ person, channel }) =>
      findViewer(discord.world, person, channel) ?? refuse('This person is not in that channel.'),
    message(id, viewer) {
      const message = discord.message(id);
      const isThere = message?.channelId === viewer.channel.id && isVisibleTo(message, viewer.user);
      return message !== undefined && isThere ? message : refuse('There is no such message here.');
    },
    upload,
    keepUpload: (attachment) => remember(uploads, attachment.id, attachment, UPLOADS_KEPT_MAX),
    options: (options, viewer) =>
      Object.fromEntries(Object.entries(options).map(([name, value]) => [name, option(value, viewer)])),
    chosen,
    answers: (answers, viewer) =>
      Object.fromEntries(Object.entries(answers).map(([name, value]) => [name, answer(value, viewer)])),
  };
}

export function refuse(reason: string): never {
  throw new UnsendableCommand(reason);
}

/** A member, user, role or channel that the viewer can point at. */
function findEntity({ world }: Pick<EmulatedDiscord, 'world'>, { guild, user, channel }: Viewer, id: string): Entity {
  const here = guild?.members.get(id) ?? guild?.roles.get(id) ?? guild?.channels.get(id);
  const direct = [user, world.bot, channel].find((candidate) => candidate.id === id);
  return here ?? direct ?? refuse('There is nobody and nothing like that here.');
}
