import { VERB } from '../discord/button-verbs.ts';
import type { Button, GuildButton } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import { renderText } from '../discord/message-payload.ts';
import type { MessageKey } from '../discord/words.ts';
import { wordsFor } from '../discord/words.ts';
import { giveWayUnless } from '../discord/giving-way.ts';
import type { ImageCommandParts } from './image-command.ts';

/** Under the news of a job, while it waits and while the provider works. */
export function createCancelButton(parts: ImageCommandParts): Button {
  return {
    verb: VERB.cancel,
    async answer(interaction, id) {
      await giveWayUnless(() => parts.jobs.isRunning(id));
      return answerAfterwards('update', async () => cancel(parts, interaction, id));
    },
  };
}

async function cancel(
  { jobs, progress, replies }: ImageCommandParts,
  interaction: GuildButton,
  id: string,
): Promise<void> {
  const words = wordsFor(interaction.locale);
  const tellEphemerally = async (key: MessageKey): Promise<void> =>
    replies.tellEphemerally(interaction, renderText(words.say(key)));
  switch (await jobs.cancel(id, interaction.user.id)) {
    case 'cancelled':
      // The job ends by it, and says so in this very message.
      return undefined;
    case 'running':
      return progress.sayCancelled(id, interaction, words);
    case 'not-yours':
      return tellEphemerally('cancel.not-yours');
    case 'too-late':
    case 'unknown':
      return tellEphemerally('cancel.over');
  }
}
