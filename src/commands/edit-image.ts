import { ApplicationCommandType, InteractionContextType } from 'discord.js';
import { VERB } from '../discord/button-verbs.ts';
import type { Button, Deferral, FirstAnswer, GuildModal, MessageMenu, Modal } from '../discord/command.ts';
import { writeCustomId } from '../discord/custom-id.ts';
import type { FilledIn } from '../discord/image-modals.ts';
import { readImageModal, renderEditModal } from '../discord/image-modals.ts';
import { TEXT_LENGTH_MAX } from '../discord/message-payload.ts';
import type { MessagePicture } from '../discord/message-pictures.ts';
import type { PictureMemory } from '../discord/picture-memory.ts';
import { answerEphemerally } from '../discord/ephemeral-answer.ts';
import { describeRefusal } from '../discord/refusal-message.ts';
import { truncate } from '../discord/wording.ts';
import { wordsFor } from '../discord/words.ts';
import type { ImageRequest } from '../services/image-request.ts';
import { readAsker } from './asker.ts';
import { answerWithImages } from './image-command.ts';
import { toAttached } from './image-options.ts';
import { answerWithQuestion, isOpen } from './paint.ts';
import type { ResultCommandParts } from './posted-result.ts';
import { chooseAgain, fetchPictures, findRecord, isEphemeral, originOf, picturesOf } from './posted-result.ts';

/** Changing a picture that stands in a message: under a result of Easel's own, or from any message's menu. */

export type EditImageParts = ResultCommandParts & { readonly pictureMemory: PictureMemory };

/** Leaves room for the words around what somebody wrote and gets back. */
const GIVEN_BACK_LENGTH_MAX = TEXT_LENGTH_MAX - 500;

/** Under a result. The form comes at once, because nothing may come before it. */
export function createEditButton(parts: EditImageParts): Button {
  return {
    verb: VERB.edit,
    answer(interaction, id) {
      const { message } = interaction;
      const customId = writeCustomId({ verb: VERB.edit, id });
      const pictures = picturesOf(parts.attachments, message);
      return openForm(parts, interaction, { customId, pictures, isPrivate: isEphemeral(message) });
    },
  };
}

/** The form that the button opens. Discord sends the message along. */
export function createEditModal(parts: EditImageParts): Modal {
  return {
    verb: VERB.edit,
    async answer(interaction, id) {
      const { message } = interaction;
      const form = readImageModal(interaction);
      const pictures = message ? picturesOf(parts.attachments, message) : [];
      const origin = message ? originOf(message, form.picture) : undefined;
      const record = await findRecord(parts, interaction, id);
      // With another model or quality it would cost what nobody has agreed to.
      if (record === 'unavailable') {
        const refusal = describeRefusal({ reason: 'store-unavailable' }, wordsFor(interaction.locale));
        return giveBack(parts, interaction, refusal, form);
      }
      // Who edits a draft wants a draft. The size follows from the picture.
      const again = record ? chooseAgain(record, parts.roster) : {};
      const chosen = { ...again, size: undefined };
      return answerForm(parts, interaction, { form, pictures, origin, chosen });
    },
  };
}

/** `Edit image`, in the menu of every message. */
export function createEditMenu(parts: EditImageParts): MessageMenu {
  return {
    schema: {
      type: ApplicationCommandType.Message,
      name: 'Edit image',
      contexts: [InteractionContextType.Guild],
    },
    answer(interaction) {
      const { targetMessage: message } = interaction;
      const customId = writeCustomId({ verb: VERB.editMessage, id: message.id });
      const pictures = picturesOf(parts.attachments, message);
      const place = { channel: interaction.channelId, message: message.id };
      if (pictures.length > 0) parts.pictureMemory.remember(place, pictures);
      return openForm(parts, interaction, { customId, pictures, isPrivate: false });
    },
  };
}

/** The form that the menu opens. It comes without its message, which stands in the channel that it is sent in. */
export function createEditMessageModal(parts: EditImageParts): Modal {
  return {
    verb: VERB.editMessage,
    async answer(interaction, messageId) {
      const form = readImageModal(interaction);
      const place = { channel: interaction.channelId, message: messageId };
      // After a restart nothing is remembered; what Easel posted itself it may read again.
      const pictures =
        parts.pictureMemory.recall(place) ?? (await fetchPictures(parts.attachments, interaction, place));
      const origin = { ...place, picture: form.picture };
      return answerForm(parts, interaction, { form, pictures, origin, chosen: {} });
    },
  };
}

/** The form for one of these pictures, or the answer that there is none. */
function openForm(
  parts: EditImageParts,
  interaction: Pick<GuildModal, 'locale' | 'applicationId' | 'token'>,
  about: { readonly customId: string; readonly pictures: readonly MessagePicture[]; readonly isPrivate: boolean },
): FirstAnswer {
  const { customId, pictures, isPrivate } = about;
  const words = wordsFor(interaction.locale);
  if (pictures.length === 0) return answerEphemerally(parts.replies, interaction, words.say('edit-image.no-picture'));
  const prefilled = { keepOutside: true, isPrivate, isSpoiler: isCovered(pictures) };
  const offered = { pictures: pictures.length, painting: parts.painting !== undefined };
  return { first: 'modal', modal: renderEditModal(customId, offered, prefilled, words) };
}

/** What a form has to go on, and what was chosen without it. */
type Edit = {
  readonly form: FilledIn;
  readonly pictures: readonly MessagePicture[];
  readonly origin: ImageRequest['origin'];
  readonly chosen: Partial<ReturnType<typeof chooseAgain>>;
};

function answerForm(
  parts: EditImageParts,
  interaction: GuildModal,
  { form, pictures, origin, chosen }: Edit,
): Deferral {
  const { say } = wordsFor(interaction.locale);
  const picture = pictures[form.picture];
  if (!picture) return giveBack(parts, interaction, say('edit-image.picture-gone'), form);
  const { uploads: _uploads, mask, picture: _picture, isToPaint, ...filled } = form;
  const asker = readAsker(interaction);
  const asked = { ...filled, operation: 'edit', count: 1, origin, isFromEditForm: true } as const;
  const request: ImageRequest = { ...asker, ...chosen, ...asked };
  // Whoever brings a mask along has no need to paint one.
  if (isToPaint && isOpen(request, mask !== undefined)) {
    // The form is older than this process: without its mask, the edit would change the whole picture.
    if (!parts.painting) return giveBack(parts, interaction, say('edit-image.painter-gone'), form);
    const draft = { request, pictures: [{ label: 'image', url: picture.url }], isWished: true };
    return answerWithQuestion(parts, parts.painting, interaction, draft);
  }
  return answerWithImages(parts, interaction, request, {
    images: [toAttached('image', picture, parts.attachments)],
    mask: mask && toAttached('mask', mask, parts.attachments),
  });
}

/** Says why nothing comes of a form, with what somebody wrote into it, so that nobody has to write it twice. */
function giveBack(
  { replies }: EditImageParts,
  interaction: GuildModal,
  why: string,
  { prompt }: Pick<FilledIn, 'prompt'>,
): Deferral {
  const written = truncate(prompt, GIVEN_BACK_LENGTH_MAX).replaceAll('```', "'''");
  return answerEphemerally(replies, interaction, `${why}\n\`\`\`\n${written}\n\`\`\``);
}

function isCovered(pictures: readonly MessagePicture[]): boolean {
  return pictures.some(({ isSpoiler }) => isSpoiler);
}
