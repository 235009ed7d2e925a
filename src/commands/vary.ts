import { VERB } from '../discord/button-verbs.ts';
import type { Button, Deferral, GuildButton, GuildModal, Modal } from '../discord/command.ts';
import { writeCustomId } from '../discord/custom-id.ts';
import { readImageModal, renderPictureModal } from '../discord/image-modals.ts';
import { answerEphemerally } from '../discord/ephemeral-answer.ts';
import { wordsFor } from '../discord/words.ts';
import { WHOLE_REGION } from '../services/images/image-preparation.ts';
import type { ImageRequest } from '../services/image-request.ts';
import { readAsker } from './asker.ts';
import { answerWithImages } from './image-command.ts';
import { toAttached } from './image-options.ts';
import type { ResultCommandParts } from './posted-result.ts';
import { chooseAgain, isEphemeral, originOf, picturesOf, readRecord } from './posted-result.ts';

/** Under a result: the same once more, beginning from one of its pictures. */
export function createVaryButton(parts: ResultCommandParts): Button {
  return {
    verb: VERB.vary,
    async answer(interaction, id) {
      const pictures = picturesOf(parts.attachments, interaction.message);
      if (pictures.length < 2) return vary(parts, interaction, id, 0);
      const customId = writeCustomId({ verb: VERB.vary, id });
      return { first: 'modal', modal: renderPictureModal(customId, pictures.length, wordsFor(interaction.locale)) };
    },
  };
}

/** The form that asks which picture, where there are several. */
export function createVaryModal(parts: ResultCommandParts): Modal {
  return {
    verb: VERB.vary,
    answer: async (interaction, id) => vary(parts, interaction, id, readImageModal(interaction).picture),
  };
}

async function vary(
  parts: ResultCommandParts,
  interaction: GuildButton | GuildModal,
  id: string,
  index: number,
): Promise<Deferral> {
  const { message } = interaction;
  const picture = message && picturesOf(parts.attachments, message)[index];
  if (!picture) {
    return answerEphemerally(parts.replies, interaction, wordsFor(interaction.locale).say('edit-image.no-picture'));
  }
  const record = await readRecord(parts, interaction, id);
  if ('first' in record) return record;
  const request: ImageRequest = {
    ...readAsker(interaction),
    ...chooseAgain(record, parts.roster),
    operation: 'edit',
    prompt: record.asked.prompt,
    count: record.asked.count,
    // All of it, also where the picture is transparent in places.
    region: WHOLE_REGION,
    keepOutside: false,
    isPrivate: record.asked.isPrivate || isEphemeral(message),
    isSpoiler: record.asked.isSpoiler,
    origin: originOf(message, index),
  };
  const images = [toAttached('image', picture, parts.attachments)];
  return answerWithImages(parts, interaction, request, { images, mask: undefined });
}
