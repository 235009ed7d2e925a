import type { APIMessage, Message } from 'discord.js';
import { MessageFlags, Routes } from 'discord.js';
import type { AttachmentLoader } from '../discord/attachments.ts';
import type { Deferral, GuildButton, GuildModal } from '../discord/command.ts';
import type { MessagePicture } from '../discord/message-pictures.ts';
import { contentsOf, findPictures } from '../discord/message-pictures.ts';
import { answerEphemerally } from '../discord/ephemeral-answer.ts';
import { describeRefusal } from '../discord/refusal-message.ts';
import { wordsFor } from '../discord/words.ts';
import type { ImageRequest } from '../services/image-request.ts';
import type { ModelRoster } from '../services/model-roster.ts';
import type { KeptOriginals } from '../services/kept-originals.ts';
import type { ResultRecord, ResultRecords } from '../services/result-records.ts';
import { within } from '../services/time-limit.ts';
import type { ImageCommandParts } from './image-command.ts';
import { orUnavailable } from './or-unavailable.ts';

/** What is under a posted result, and what is known of it. */

export type ResultCommandParts = ImageCommandParts & {
  readonly records: Pick<ResultRecords, 'read' | 'remove' | 'putBack'>;
  readonly originals: Pick<KeptOriginals, 'read' | 'drop'>;
};

/** The acknowledgement waits for these, and has three seconds in all. */
const RECORD_WAIT_MS_MAX = 1_000;
const MESSAGE_WAIT_MS_MAX = 1_000;

/**
 * What a result was made of. A result that was private is nobody's but its member's, so for everybody else there is
 * none.
 */
export async function findRecord(
  { records }: Pick<ResultCommandParts, 'records'>,
  interaction: GuildButton | GuildModal,
  id: string,
): Promise<ResultRecord | 'unavailable' | undefined> {
  const record = await orUnavailable(readSoon(records, interaction.guildId, id));
  if (!record || record === 'unavailable') return record;
  return record.asked.isPrivate && record.member !== interaction.user.id ? undefined : record;
}

/** The same, or the answer for whoever pressed where it is not to be had. */
export async function readRecord(
  parts: ResultCommandParts,
  interaction: GuildButton | GuildModal,
  id: string,
): Promise<ResultRecord | Deferral> {
  const words = wordsFor(interaction.locale);
  const record = await findRecord(parts, interaction, id);
  if (record === 'unavailable') {
    return answerEphemerally(parts.replies, interaction, describeRefusal({ reason: 'store-unavailable' }, words));
  }
  return record ?? answerEphemerally(parts.replies, interaction, words.say('record.gone'));
}

/** A store that takes longer is as good as none: Discord would not take the answer any more. */
async function readSoon(
  records: ResultCommandParts['records'],
  guild: string,
  id: string,
): Promise<ResultRecord | 'unavailable' | undefined> {
  const read = await within(RECORD_WAIT_MS_MAX, async () => ({ record: await records.read(guild, id) }));
  return read === undefined ? 'unavailable' : read.record;
}

/** What was chosen for a result, to be chosen again: as it was made, or as it was asked for where the model is gone. */
export function chooseAgain(
  { asked, made }: ResultRecord,
  { models }: ModelRoster,
): Pick<ImageRequest, 'model' | 'size' | 'quality' | 'background' | 'format' | 'fidelity'> {
  const isModelThere = models.some(({ id }) => id === made.model);
  const { model, size, quality, background, format, fidelity } = isModelThere ? made : asked;
  return { model, size, quality, background, format, fidelity };
}

/** The pictures of a message that came with an interaction. */
export function picturesOf(
  loader: Pick<AttachmentLoader, 'accepts'>,
  message: Message | APIMessage,
): readonly MessagePicture[] {
  return findPictures(contentsOf(message), loader.accepts);
}

/** The pictures of a message that stands in a channel, as far as Easel may read it; none where it may not. */
export async function fetchPictures(
  loader: Pick<AttachmentLoader, 'accepts'>,
  { client }: GuildButton | GuildModal,
  place: { readonly channel: string; readonly message: string },
): Promise<readonly MessagePicture[]> {
  const signal = AbortSignal.timeout(MESSAGE_WAIT_MS_MAX);
  const message = await client.rest
    .get(Routes.channelMessage(place.channel, place.message), { signal })
    .catch(() => undefined);
  return findPictures(message, loader.accepts);
}

/** Whether only one person sees a message. It stands nowhere for anybody else, so nothing links to it. */
export function isEphemeral({ flags }: Message): boolean {
  return flags.has(MessageFlags.Ephemeral);
}

/** Where a picture comes from, for whoever looks at what was made of it. */
export function originOf(message: Message, picture: number): ImageRequest['origin'] {
  if (isEphemeral(message)) return undefined;
  return { channel: message.channelId, message: message.id, picture };
}
