import { VERB } from '../discord/button-verbs.ts';
import type { Button, GuildButton, Modal } from '../discord/command.ts';
import { writeCustomId } from '../discord/custom-id.ts';
import { readImageModal, renderAgainModal } from '../discord/image-modals.ts';
import type { MessagePicture } from '../discord/message-pictures.ts';
import { wordsFor } from '../discord/words.ts';
import type { ResultRecord } from '../services/result-records.ts';
import { readAsker } from './asker.ts';
import { answerWithImages } from './image-command.ts';
import { IMAGE_OPTIONS, toAttached } from './image-options.ts';
import type { ResultCommandParts } from './posted-result.ts';
import { chooseAgain, fetchPictures, readRecord } from './posted-result.ts';

/**
 * Under a result: the same request anew. The pictures that a member attached are not kept, so where there were some, a
 * form asks for them; but a picture from a message is fetched from there as long as it stands and Easel may read it.
 */
export function createAgainButton(parts: ResultCommandParts): Button {
  return {
    verb: VERB.again,
    async answer(interaction, id) {
      const record = await readRecord(parts, interaction, id);
      if ('first' in record) return record;
      const request = { ...readAsker(interaction), ...record.asked, ...chooseAgain(record, parts.roster) };
      if (record.made.pictures === 0) {
        return answerWithImages(parts, interaction, request, { images: [], mask: undefined });
      }
      const picture = await findOrigin(parts, interaction, record);
      if (picture) {
        const images = [toAttached('image', picture, parts.attachments)];
        return answerWithImages(parts, interaction, request, { images, mask: undefined });
      }
      const customId = writeCustomId({ verb: VERB.again, id });
      const needs = { pictures: record.made.pictures, mask: record.made.isMaskUploaded };
      return { first: 'modal', modal: renderAgainModal(customId, needs, record.asked, wordsFor(interaction.locale)) };
    },
  };
}

/** The form that asks for the pictures once more. */
export function createAgainModal(parts: ResultCommandParts): Modal {
  return {
    verb: VERB.again,
    async answer(interaction, id) {
      const record = await readRecord(parts, interaction, id);
      if ('first' in record) return record;
      const { prompt, uploads, mask, keepOutside, isPrivate, isSpoiler } = readImageModal(interaction);
      const request = {
        ...readAsker(interaction),
        ...record.asked,
        ...chooseAgain(record, parts.roster),
        prompt,
        isPrivate,
        isSpoiler,
        maskMarks: mask ? record.asked.maskMarks : undefined,
        keepOutside: record.made.isMaskUploaded ? keepOutside : record.asked.keepOutside,
        // It is made from what was attached now.
        origin: undefined,
      };
      // The form has one field for all of them, and a refusal has to say which of them it is about.
      const labels = record.asked.operation === 'edit' ? IMAGE_OPTIONS : ['reference'];
      return answerWithImages(parts, interaction, request, {
        images: uploads.map((upload, index) => toAttached(labels[index] ?? 'image', upload, parts.attachments)),
        mask: mask && toAttached('mask', mask, parts.attachments),
      });
    },
  };
}

/** The picture of a message that was all that went along. A mask that somebody painted is not to be had again. */
async function findOrigin(
  { attachments }: ResultCommandParts,
  interaction: GuildButton,
  { asked: { origin }, made }: ResultRecord,
): Promise<MessagePicture | undefined> {
  if (!origin || made.pictures > 1 || made.isMaskUploaded) return undefined;
  return (await fetchPictures(attachments, interaction, origin))[origin.picture];
}
