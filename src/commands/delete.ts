import { PermissionFlagsBits } from 'discord.js';
import { VERB } from '../discord/button-verbs.ts';
import type { Button, GuildButton } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import { describeRefusal } from '../discord/refusal-message.ts';
import { renderText } from '../discord/message-payload.ts';
import { wordsFor } from '../discord/words.ts';
import { orUnavailable } from './or-unavailable.ts';
import type { ResultCommandParts } from './posted-result.ts';

/**
 * Under a result: removes it, for whoever asked for it and for those who may remove anybody's messages. The message goes
 * after its record, because the button under it is the only way to that; originals end by themselves within a day.
 */
export function createDeleteButton(parts: ResultCommandParts): Button {
  return {
    verb: VERB.delete,
    answer: (interaction, id) => answerAfterwards('update', async () => remove(parts, interaction, id)),
  };
}

async function remove(parts: ResultCommandParts, interaction: GuildButton, id: string): Promise<void> {
  const { records, originals, replies } = parts;
  const words = wordsFor(interaction.locale);
  const tellEphemerally = async (text: string): Promise<void> => replies.tellEphemerally(interaction, renderText(text));
  const found = await orUnavailable(records.read(interaction.guildId, id));
  const record = found === 'unavailable' ? undefined : found;
  // Where no record tells whose the result is, Discord knows whose command the message answers.
  const requester = record?.member ?? interaction.message.interactionMetadata?.user.id;
  const mayManage = interaction.memberPermissions?.has(PermissionFlagsBits.ManageMessages) ?? false;
  if (interaction.user.id !== requester && !mayManage) {
    return tellEphemerally(
      requester === undefined
        ? words.say('delete.not-yours-unknown')
        : words.say('delete.not-yours', { member: `<@${requester}>` }),
    );
  }
  if ((await orUnavailable(records.remove(interaction.guildId, id))) === 'unavailable') {
    return tellEphemerally(describeRefusal({ reason: 'store-unavailable' }, words));
  }
  if (await replies.remove(interaction)) return originals.drop(id);
  // The message stands on, and so does what its other buttons go by, and by which whoever asked can try again.
  if (record) await records.putBack(record);
  return tellEphemerally(words.say('delete.failed'));
}
