import { ApplicationCommandOptionType, InteractionContextType } from 'discord.js';
import type { Command } from '../discord/command.ts';
import type { ImageCommandParts } from './image-command.ts';
import { answerWithImages } from './image-command.ts';
import {
  privateOption,
  promptOption,
  readRequest,
  resultOptions,
  spoilerOption,
  suggestOptions,
  toAttached,
} from './image-options.ts';

/** `/imagine`: makes images from words, and from a reference picture where one is attached. */
export function createImagineCommand(parts: ImageCommandParts): Command {
  return {
    schema: {
      name: 'imagine',
      description: 'Make an image from words',
      contexts: [InteractionContextType.Guild],
      options: [
        promptOption,
        ...resultOptions,
        {
          type: ApplicationCommandOptionType.Attachment,
          name: 'reference',
          description: 'A picture that the new one may borrow from',
        },
        spoilerOption,
        privateOption,
      ],
    },
    answer(interaction) {
      const reference = interaction.options.getAttachment('reference');
      const request = readRequest(interaction, { operation: 'generate', keepOutside: false });
      const images = reference ? [toAttached('reference', reference, parts.attachments)] : [];
      return answerWithImages(parts, interaction, request, { images, mask: undefined });
    },
    suggest: async (interaction) => suggestOptions(parts, interaction),
  };
}
