import { PermissionFlagsBits } from 'discord.js';
import { VERB } from '../discord/button-verbs.ts';
import type { Button, GuildButton } from '../discord/command.ts';
import { renderText } from '../discord/result-message.ts';
import { wordsFor } from '../discord/words.ts';
import { StoreFailure } from '../storage/store.ts';
import type { ResultCommandParts } from './posted-result.ts';

/** Under a result: removes it, for whoever asked for it and for those who may remove anybody's messages. */
export function createDeleteButton(parts: ResultCommandParts): Button {
  return {
    verb: VERB.delete,
    answer: (interaction, id) => ({
      first: 'update',
      begin: async () => ({ run: async () => remove(parts, interaction, id) }),
    }),
  };
}

async function remove(parts: ResultCommandParts, interaction: GuildButton, id: string): Promise<void> {
  const { records, originals, replies } = parts;
  const words = wordsFor(interaction.locale);
  const requester = await findRequester(parts, interaction, id);
  const mayManage = interaction.memberPermissions?.has(PermissionFlagsBits.ManageMessages) ?? false;
  if (interaction.user.id !== requester && !mayManage) {
    const text =
      requester === undefined
        ? words.say('delete.not-yours-unknown')
        : words.say('delete.not-yours', { member: `<@${requester}>` });
    return replies.tellAlone(interaction, renderText(text));
  }
  if (!(await replies.remove(interaction))) {
    return replies.tellAlone(interaction, renderText(words.say('delete.failed')));
  }
  await records.remove(interaction.guildId, id);
  await originals.drop(id);
}

/** Whose the result is. Where no record tells, Discord knows whose command the message answers. */
async function findRequester(
  { records }: ResultCommandParts,
  { guildId, message }: GuildButton,
  id: string,
): Promise<string | undefined> {
  const record = await records.read(guildId, id).catch((error: unknown) => {
    if (error instanceof StoreFailure) return undefined;
    throw error;
  });
  return record?.member ?? message.interactionMetadata?.user.id;
}
