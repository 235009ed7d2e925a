import { VERB } from '../discord/button-verbs.ts';
import type { Button, GuildButton } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import type { OriginalsSender } from '../discord/originals-sender.ts';
import { describeRefusal } from '../discord/refusal-message.ts';
import { renderText } from '../discord/message-payload.ts';
import { wordsFor } from '../discord/words.ts';
import { giveWayUnless } from '../discord/giving-way.ts';
import type { ResultCommandParts } from './posted-result.ts';
import { findRecord } from './posted-result.ts';

export type OriginalCommandParts = ResultCommandParts & { readonly originalsSender: OriginalsSender };

/** Under a result that was re-encoded to fit: the files as they came, for whoever presses. */
export function createOriginalButton(parts: OriginalCommandParts): Button {
  return {
    verb: VERB.original,
    async answer(interaction, id) {
      await giveWayUnless(async () => (await parts.originals.read(id)) !== undefined);
      return answerAfterwards('private-reply', async () => bring(parts, interaction, id));
    },
  };
}

async function bring(parts: OriginalCommandParts, interaction: GuildButton, id: string): Promise<void> {
  const words = wordsFor(interaction.locale);
  const answer = async (text: string): Promise<void> => parts.replies.answer(interaction, renderText(text));
  // The record says whose they are: where the result was private, so are they.
  const record = await findRecord(parts, interaction, id);
  if (record === 'unavailable') return answer(describeRefusal({ reason: 'store-unavailable' }, words));
  const originals = record && (await parts.originals.read(id));
  return originals ? parts.originalsSender.send(interaction, originals) : answer(words.say('original.gone'));
}
