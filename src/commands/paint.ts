import { VERB } from '../discord/button-verbs.ts';
import type { Button, Deferral, GuildButton, GuildInteraction } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import { beginOrPutBack } from '../discord/drafted-edits.ts';
import { renderPaintLink, renderPaintQuestion } from '../discord/paint-messages.ts';
import type { Painting } from '../discord/painting.ts';
import { describeRefusal, describeRefusalWithReference } from '../discord/refusal-message.ts';
import { addressOf } from '../discord/reply-address.ts';
import { renderText } from '../discord/message-payload.ts';
import type { MessageKey } from '../discord/words.ts';
import { wordsFor } from '../discord/words.ts';
import type { DraftPress, EditDraft, NewDraft } from '../services/edit-drafts.ts';
import type { ImageRequest } from '../services/image-request.ts';
import type { JobRefusal } from '../services/job-outcome.ts';
import { rolesOf } from './asker.ts';
import type { ImageCommandParts } from './image-command.ts';
import { beginImageTask, replyTo } from './image-command.ts';
import { toAttached } from './image-options.ts';
import { orUnavailable } from './or-unavailable.ts';

/** Asking what may change of a picture before it is edited, and what is pressed under that question. */

/**
 * Asks, where there is something to ask: a picture that nobody can edit is refused at once, and one that is transparent
 * where it may change is edited at once, unless somebody wishes to paint.
 */
export function answerWithQuestion(
  parts: ImageCommandParts,
  painting: Painting,
  interaction: GuildInteraction,
  asked: NewDraft & { readonly isWished: boolean },
): Deferral {
  const { request, pictures, isWished } = asked;
  return answerAfterwards(replyTo(request), async () => {
    // Nobody shall paint for what is refused afterwards, and nothing is downloaded for whoever asks too often.
    const refusal = await parts.jobs.check(request);
    if (refusal) return refuse(parts, interaction, request, refusal);
    const [first] = pictures;
    const judged = first ? await painting.pictures.judge(first.url) : 'unusable';
    if (judged === 'paintable' || (judged === 'own-mask' && isWished)) {
      return ask(parts, painting, interaction, { request, pictures });
    }
    const images = pictures.map(({ label, url }) => toAttached(label, { url }, parts.attachments));
    const task = await beginImageTask(parts, interaction, request, { images, mask: undefined }, true);
    return task.run();
  });
}

async function ask(
  parts: ImageCommandParts,
  { drafts }: Painting,
  interaction: GuildInteraction,
  asked: NewDraft,
): Promise<void> {
  const draft = await orUnavailable(drafts.open(asked));
  if (draft === 'unavailable') return refuse(parts, interaction, asked.request, { reason: 'store-unavailable' });
  const { id, guild } = asked.request;
  const question = renderPaintQuestion(id, draft.until, wordsFor(interaction.locale));
  // Once somebody has answered it, the draft is taken, and the edit says everything in this place.
  return parts.replies.edit(interaction, question, async () => (await drafts.read(guild, id)) !== undefined);
}

async function refuse(
  { replies }: ImageCommandParts,
  interaction: GuildInteraction,
  request: ImageRequest,
  refusal: JobRefusal,
): Promise<void> {
  return replies.answer(
    interaction,
    renderText(describeRefusalWithReference(refusal, request, wordsFor(interaction.locale))),
  );
}

/** Gives whoever asked a link to the painter, and nobody else. Each press makes a new link, and the last one holds. */
export function createPaintButton(parts: ImageCommandParts, painting: Painting): Button {
  return createDraftButton(VERB.paint, parts, painting, async (interaction, draft) => {
    const invited = await painting.drafts.invite(interaction.guildId, draft.request.id, readPress(interaction));
    if (!invited) return false;
    const link = painting.links.linkFor({
      guild: interaction.guildId,
      draft: draft.request.id,
      press: interaction.id,
    });
    const payload = renderPaintLink(link, invited.invitation.until, wordsFor(interaction.locale));
    const message = await parts.replies.tellEphemerallyForNow(interaction, payload);
    // Where that cannot be noted, the message goes on to offer a link that has ended, and nothing else is lost.
    if (message !== undefined) {
      await orUnavailable(painting.drafts.noteLink(interaction.guildId, draft.request.id, interaction.id, message));
    }
    return true;
  });
}

/** Lets all of the picture change. The question stays where that cannot begin just now. */
export function createWholeButton(parts: ImageCommandParts, painting: Painting): Button {
  return createDraftButton(VERB.whole, parts, painting, async (interaction, draft) => {
    const by = readPress(interaction);
    const obstacle = await painting.edits.obstacleTo(draft, by);
    if (obstacle) {
      const text = describeRefusal(obstacle, wordsFor(interaction.locale));
      await parts.replies.tellEphemerally(interaction, renderText(text));
      return true;
    }
    const taken = await painting.drafts.take(interaction.guildId, draft.request.id);
    if (!taken) return false;
    const task = await beginOrPutBack(painting, taken, by, undefined);
    await task.run();
    return true;
  });
}

/** A button under the question, for whoever was asked, as long as they can answer. */
function createDraftButton(
  verb: string,
  { replies }: ImageCommandParts,
  { drafts }: Painting,
  /** Answers false where the draft is gone by now. */
  act: (interaction: GuildButton, draft: EditDraft) => Promise<boolean>,
): Button {
  async function run(interaction: GuildButton, id: string): Promise<void> {
    const words = wordsFor(interaction.locale);
    const tell = async (text: string): Promise<void> => replies.tellEphemerally(interaction, renderText(text));
    const say = async (key: MessageKey): Promise<void> => tell(words.say(key));
    const draft = await orUnavailable(drafts.read(interaction.guildId, id));
    if (draft === 'unavailable') return tell(describeRefusal({ reason: 'store-unavailable' }, words));
    if (!draft) return say('paint.over');
    if (draft.request.member !== interaction.user.id) return say('paint.not-yours');
    const done = await orUnavailable(act(interaction, draft));
    if (done === 'unavailable') return tell(describeRefusal({ reason: 'store-unavailable' }, words));
    return done ? undefined : say('paint.over');
  }

  return {
    verb,
    answer: (interaction, id) => answerAfterwards('update', async () => run(interaction, id)),
  };
}

/** What comes of a press stands in the message that the button is under. */
function readPress(interaction: GuildButton): DraftPress {
  const address = { ...addressOf(interaction), replyId: interaction.message.id };
  return { id: interaction.id, roles: rolesOf(interaction), address };
}

/** Whether it was left open what may change. */
export function isOpen(request: ImageRequest, hasMask: boolean): boolean {
  return !hasMask && request.region === undefined && request.maskMarks === undefined;
}
