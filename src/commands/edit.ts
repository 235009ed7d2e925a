import { ApplicationCommandOptionType, InteractionContextType } from 'discord.js';
import type { Command } from '../discord/command.ts';
import type { ImageCommandParts } from './image-command.ts';
import { beginImageTask } from './image-command.ts';
import {
  isPrivate,
  privateOption,
  promptOption,
  readRequest,
  resultOptions,
  suggestOptions,
  toAttached,
} from './image-options.ts';

/** `/edit`: changes a picture, and with a mask only the part of it that the mask marks. */
export function createEditCommand(parts: ImageCommandParts): Command {
  return {
    schema: {
      name: 'edit',
      description: 'Change a picture, or the part of it that a mask marks',
      contexts: [InteractionContextType.Guild],
      options: [
        promptOption,
        {
          type: ApplicationCommandOptionType.Attachment,
          name: 'image',
          description: 'The picture to change',
          required: true,
        },
        {
          type: ApplicationCommandOptionType.Attachment,
          name: 'mask',
          description: 'What may change: transparent in a PNG, or white on black',
        },
        ...resultOptions,
        {
          type: ApplicationCommandOptionType.String,
          name: 'fidelity',
          description: 'How closely to keep to the picture; only some models have it',
          choices: [
            { name: 'high', value: 'high' },
            { name: 'low', value: 'low' },
          ],
        },
        {
          type: ApplicationCommandOptionType.Boolean,
          name: 'keep_outside',
          description: 'Keep every pixel outside the mask as it was; on if left out',
        },
        privateOption,
      ],
    },
    isPrivate,
    async begin(interaction) {
      const { options } = interaction;
      const mask = options.getAttachment('mask');
      const request = readRequest(interaction, {
        operation: 'edit',
        keepOutside: options.getBoolean('keep_outside') ?? true,
        fidelity: options.getString('fidelity') ?? undefined,
      });
      return beginImageTask(parts, interaction, request, {
        images: [toAttached('image', options.getAttachment('image', true), parts.attachments)],
        mask: mask ? toAttached('mask', mask, parts.attachments) : undefined,
      });
    },
    suggest: (interaction) => suggestOptions(parts.roster, interaction),
  };
}
