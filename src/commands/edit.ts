import type { APIApplicationCommandBasicOption } from 'discord.js';
import { ApplicationCommandOptionType, InteractionContextType } from 'discord.js';
import type { Command, GuildCommand } from '../discord/command.ts';
import { MASK_MARKS, MASK_REGIONS, WHOLE_REGION } from '../services/images/image-preparation.ts';
import type { ImageCommandParts } from './image-command.ts';
import { answerWithImages } from './image-command.ts';
import {
  IMAGE_OPTIONS,
  privateOption,
  promptOption,
  readRequest,
  resultOptions,
  spoilerOption,
  suggestOptions,
  toAttached,
  toChoice,
} from './image-options.ts';
import { answerWithQuestion, isOpen } from './paint.ts';

const furtherImageOptions: readonly APIApplicationCommandBasicOption[] = IMAGE_OPTIONS.slice(1).map((name) => ({
  type: ApplicationCommandOptionType.Attachment,
  name,
  description: 'Another picture that the result may borrow from',
}));

const maskOptions: readonly APIApplicationCommandBasicOption[] = [
  {
    type: ApplicationCommandOptionType.Attachment,
    name: 'mask',
    description: 'What may change of the first image: transparent in a PNG, or white on black',
  },
  {
    type: ApplicationCommandOptionType.String,
    name: 'region',
    description: 'What may change, without a mask of your own',
    choices: [...MASK_REGIONS, WHOLE_REGION].map(toChoice),
  },
  {
    type: ApplicationCommandOptionType.String,
    name: 'mask_marks',
    description: 'Which colour of a black-and-white mask may change; told by the mask if left out',
    choices: MASK_MARKS.map(toChoice),
  },
];

const keepOutsideOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.Boolean,
  name: 'keep_outside',
  description: 'Keep every pixel outside the mask as it was; on if left out',
};

/** `/edit`: changes a picture, and with a mask only the part of it that the mask marks. */
export function createEditCommand(parts: ImageCommandParts): Command {
  return {
    schema: {
      name: 'edit',
      description: 'Change a picture, or the part of it that a mask marks',
      contexts: [InteractionContextType.Guild],
      options: [
        { ...promptOption, description: 'What should change' },
        {
          type: ApplicationCommandOptionType.Attachment,
          name: 'image',
          description: 'The picture to change',
          required: true,
        },
        ...furtherImageOptions,
        ...maskOptions,
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
        keepOutsideOption,
        spoilerOption,
        privateOption,
      ],
    },
    answer(interaction) {
      const { options } = interaction;
      const request = readRequest(interaction, {
        operation: 'edit',
        keepOutside: options.getBoolean('keep_outside') ?? true,
        fidelity: options.getString('fidelity') ?? undefined,
        region: options.getString('region') ?? undefined,
        maskMarks: MASK_MARKS.find((marks) => marks === options.getString('mask_marks')),
      });
      const pictures = IMAGE_OPTIONS.flatMap((name) => readPicture(interaction, name));
      const [mask] = readPicture(interaction, 'mask');
      const { painting, attachments } = parts;
      if (painting && isOpen(request, mask !== undefined)) {
        return answerWithQuestion(parts, painting, interaction, { request, pictures, isWished: false });
      }
      return answerWithImages(parts, interaction, request, {
        images: pictures.map((picture) => toAttached(picture.label, picture, attachments)),
        mask: mask && toAttached(mask.label, mask, attachments),
      });
    },
    suggest: async (interaction) => suggestOptions(parts, interaction),
  };
}

/** A picture under the name of its option; none where it was left out. */
function readPicture({ options }: GuildCommand, label: string): { readonly label: string; readonly url: string }[] {
  const attachment = options.getAttachment(label);
  return attachment ? [{ label, url: attachment.url }] : [];
}
