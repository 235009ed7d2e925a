import type {
  APILabelComponent,
  APIModalInteractionResponseCallbackData,
  APIRadioGroupOption,
  APISelectMenuOption,
  Attachment,
  ModalSubmitFields,
  ModalSubmitInteraction,
} from 'discord.js';
import { ComponentType, TextInputStyle } from 'discord.js';
import type { MaskMarks } from '../services/images/image-preparation.ts';
import { MASK_MARKS, MASK_REGIONS, WHOLE_REGION } from '../services/images/image-preparation.ts';
import type { Words } from './words.ts';
import { truncate } from './wording.ts';

/** The forms in which members say what is to become of a picture. Discord takes five fields in each. */

const FIELD = {
  choices: 'choices',
  mask: 'mask',
  part: 'part',
  picture: 'picture',
  prompt: 'prompt',
  upload: 'upload',
};
const CHOICE = { keepOutside: 'keep-outside', private: 'private', spoiler: 'spoiler' };
/** Stands among the parts for one that is still to be painted. */
const PAINT = 'paint';
/** As much as a field of a form takes. A command takes no more, so that a form can offer its prompt again, whole. */
export const PROMPT_LENGTH_MAX = 4_000;

/** What is filled in when a form opens. */
export type Prefilled = {
  readonly prompt?: string;
  readonly keepOutside: boolean;
  readonly isPrivate: boolean;
  readonly isSpoiler: boolean;
};

/** What a member filled in. What a form did not ask for is left out, or as it is where nobody asks. */
export type FilledIn = {
  readonly prompt: string;
  /** Which of a message's pictures, counted from 0. */
  readonly picture: number;
  readonly uploads: readonly Attachment[];
  readonly mask: Attachment | undefined;
  readonly region: string | undefined;
  readonly maskMarks: MaskMarks | undefined;
  /** Whether the part that may change is to be painted. */
  readonly isToPaint: boolean;
  readonly keepOutside: boolean;
  readonly isPrivate: boolean;
  readonly isSpoiler: boolean;
};

/** A form for changing a picture of a message; where there are several, it asks which. */
export function renderEditModal(
  customId: string,
  offered: { readonly pictures: number; readonly painting: boolean },
  prefilled: Prefilled,
  words: Words,
): APIModalInteractionResponseCallbackData {
  return {
    custom_id: customId,
    title: words.say('modal.edit.title'),
    components: [
      ...choosePicture(offered.pictures, words),
      askForPrompt(words.say('modal.edit.prompt'), words.say('modal.edit.prompt-hint'), prefilled.prompt),
      askForMask(words.say('modal.mask-hint'), words),
      choosePart(offered.painting, words),
      chooseChoices(prefilled, true, words),
    ],
  };
}

/** A form that asks which of several pictures, and nothing else. */
export function renderPictureModal(
  customId: string,
  pictureCount: number,
  words: Words,
): APIModalInteractionResponseCallbackData {
  return {
    custom_id: customId,
    title: words.say('modal.vary.title'),
    components: choosePicture(pictureCount, words),
  };
}

/** A form for asking for the same again, where that takes a picture that was not kept. */
export function renderAgainModal(
  customId: string,
  needs: { readonly pictures: number; readonly mask: boolean },
  prefilled: Prefilled,
  words: Words,
): APIModalInteractionResponseCallbackData {
  return {
    custom_id: customId,
    title: words.say('modal.again.title'),
    components: [
      {
        type: ComponentType.Label,
        label: words.say('modal.again.pictures', { count: needs.pictures }),
        description: words.say('modal.again.pictures-hint'),
        component: { type: ComponentType.FileUpload, custom_id: FIELD.upload, max_values: needs.pictures },
      },
      askForPrompt(words.say('modal.prompt'), words.say('modal.prompt'), prefilled.prompt),
      ...(needs.mask ? [askForMask(words.say('modal.again.mask-hint'), words)] : []),
      chooseChoices(prefilled, needs.mask, words),
    ],
  };
}

/** Reads any of these forms. Discord has held the member to what the form offers, so nothing else can come. */
export function readImageModal({ fields }: ModalSubmitInteraction): FilledIn {
  const isAsked = (field: string): boolean => fields.fields.has(field);
  const files = (field: string): Attachment[] => (isAsked(field) ? readFiles(fields, field) : []);
  const choices = isAsked(FIELD.choices) ? chosenOf(fields.getCheckboxGroup(FIELD.choices)) : [];
  const [part] = isAsked(FIELD.part) ? chosenOf(fields.getStringSelectValues(FIELD.part)) : [];
  const maskMarks = MASK_MARKS.find((mark) => mark === part);
  return {
    prompt: isAsked(FIELD.prompt) ? fields.getTextInputValue(FIELD.prompt) : '',
    picture: isAsked(FIELD.picture) ? Number(fields.getRadioGroup(FIELD.picture, true)) : 0,
    uploads: files(FIELD.upload),
    mask: files(FIELD.mask)[0],
    region: maskMarks === undefined && part !== PAINT ? part : undefined,
    maskMarks,
    isToPaint: part === PAINT,
    keepOutside: choices.includes(CHOICE.keepOutside),
    isPrivate: choices.includes(CHOICE.private),
    isSpoiler: choices.includes(CHOICE.spoiler),
  };
}

/** Of a field in which nothing was chosen, emulations of Discord may not say even that. */
function chosenOf(values: readonly string[] = []): readonly string[] {
  return values;
}

/** @throws where a file is named that did not come along: without its mask, an edit would change the whole picture */
function readFiles(fields: ModalSubmitFields, field: string): Attachment[] {
  const files = [...(fields.getUploadedFiles(field)?.values() ?? [])];
  const { values: named }: { readonly values?: readonly string[] } = fields.getField(field, ComponentType.FileUpload);
  if (files.length < (named?.length ?? 0)) throw new TypeError('a form names files that did not come along');
  return files;
}

function choosePicture(count: number, words: Words): APILabelComponent[] {
  if (count < 2) return [];
  const options = Array.from({ length: count }, (_, index): APIRadioGroupOption => ({
    label: words.say('modal.picture.number', { number: index + 1 }),
    value: String(index),
    ...(index === 0 ? { default: true } : {}),
  }));
  const component = { type: ComponentType.RadioGroup as const, custom_id: FIELD.picture, options };
  return [{ type: ComponentType.Label, label: words.say('modal.picture'), component }];
}

function askForPrompt(label: string, placeholder: string, value: string | undefined): APILabelComponent {
  return {
    type: ComponentType.Label,
    label,
    component: {
      type: ComponentType.TextInput,
      custom_id: FIELD.prompt,
      style: TextInputStyle.Paragraph,
      placeholder,
      max_length: PROMPT_LENGTH_MAX,
      ...(value === undefined ? {} : { value: truncate(value, PROMPT_LENGTH_MAX) }),
    },
  };
}

function askForMask(description: string, words: Words): APILabelComponent {
  return {
    type: ComponentType.Label,
    label: words.say('modal.mask'),
    description,
    component: { type: ComponentType.FileUpload, custom_id: FIELD.mask, min_values: 0, required: false },
  };
}

/** Ready-made masks, and how a mask is meant where it could be meant either way. */
function choosePart(hasPainter: boolean, words: Words): APILabelComponent {
  const painted = hasPainter ? ([PAINT] as const) : [];
  const values = [...painted, ...MASK_REGIONS, WHOLE_REGION, ...MASK_MARKS] as const;
  const options = values.map((value): APISelectMenuOption => ({ label: words.say(`modal.part.${value}`), value }));
  return {
    type: ComponentType.Label,
    label: words.say('modal.part'),
    description: words.say('modal.part-hint'),
    component: { type: ComponentType.StringSelect, custom_id: FIELD.part, min_values: 0, required: false, options },
  };
}

function chooseChoices(prefilled: Prefilled, hasMask: boolean, words: Words): APILabelComponent {
  const offered = [
    { key: 'keep-outside', value: CHOICE.keepOutside, isOn: prefilled.keepOutside, isOffered: hasMask },
    { key: 'private', value: CHOICE.private, isOn: prefilled.isPrivate, isOffered: true },
    { key: 'spoiler', value: CHOICE.spoiler, isOn: prefilled.isSpoiler, isOffered: true },
  ] as const;
  const options = offered
    .filter(({ isOffered }) => isOffered)
    .map(({ key, value, isOn }) => ({
      label: words.say(`modal.choices.${key}`),
      description: words.say(`modal.choices.${key}-hint`),
      value,
      default: isOn,
    }));
  return {
    type: ComponentType.Label,
    label: words.say('modal.choices'),
    component: { type: ComponentType.CheckboxGroup, custom_id: FIELD.choices, min_values: 0, required: false, options },
  };
}
