import { VERB } from '../discord/button-verbs.ts';
import type { Button, GuildButton } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import { addressOf } from '../discord/reply-address.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText } from '../discord/message-payload.ts';
import { wordsFor } from '../discord/words.ts';
import type { KeptResults } from '../services/kept-results.ts';
import { giveWayUnless } from '../discord/giving-way.ts';

export type FetchButtonParts = { readonly keptResults: KeptResults; readonly replies: ReplyEditor };

/** Brings a result that is kept to the member who asked for it, and to nobody else. */
export function createFetchButton(parts: FetchButtonParts): Button {
  return {
    verb: VERB.fetch,
    async answer(interaction, id) {
      await giveWayUnless(async () => {
        const kept = await parts.keptResults.list(interaction.guildId, interaction.user.id);
        return kept.some((result) => result.id === id);
      });
      return answerAfterwards('private-reply', async () => fetchResult(parts, interaction, id));
    },
  };
}

async function fetchResult(parts: FetchButtonParts, interaction: GuildButton, jobId: string): Promise<void> {
  const fetching = await parts.keptResults.fetch(jobId, interaction.user.id, addressOf(interaction));
  if (fetching === 'shown') return;
  await parts.replies.edit(interaction, renderText(wordsFor(interaction.locale).say(`quota.${fetching}`)));
}
