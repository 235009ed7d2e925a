import type { EmulatedDiscord } from '../discord/emulated-discord.ts';
import type { InteractionHandle } from '../discord/interaction-handle.ts';
import { ACKNOWLEDGE_WITHIN_MS } from '../discord/interaction.ts';
import type { EmulatedAttachment } from '../discord/message.ts';
import type { EmulatedUser } from '../discord/world.ts';
import type { Action } from './action-schema.ts';
import type { References } from './references.ts';
import { refuse } from './references.ts';
import { remember } from './remember.ts';
import type { ChoiceView, InteractionView, MessageView } from './view.ts';

/** What people do on the page, done by the members' side of the emulated Discord. What Discord's own client would refuse throws UnsendableCommand. */
export type MemberActions = {
  readonly upload: (bytes: Uint8Array, filename: string) => EmulatedAttachment;
  readonly command: (action: Action<'command'>) => Promise<InteractionView>;
  readonly autocomplete: (action: Action<'autocomplete'>) => Promise<readonly ChoiceView[]>;
  readonly messageMenu: (action: Action<'messageMenu'>) => Promise<InteractionView>;
  readonly button: (action: Action<'button'>) => Promise<InteractionView>;
  readonly select: (action: Action<'select'>) => Promise<InteractionView>;
  readonly modal: (action: Action<'modal'>) => Promise<InteractionView>;
  readonly message: (action: Action<'message'>) => void;
  /** The command that an interaction was, and who used it; undefined for anything else. */
  readonly usedCommand: (interactionId: string) => MessageView['usedCommand'] | undefined;
};

/** Modals that were opened so long ago are no longer filled in, and commands so old are no longer named. */
const INTERACTIONS_KEPT_MAX = 2_000;

export function createMemberActions(discord: EmulatedDiscord, find: References): MemberActions {
  const interactions = new Map<string, InteractionHandle>();
  const usedCommands = new Map<string, NonNullable<MessageView['usedCommand']>>();

  const follow = async (interaction: InteractionHandle): Promise<InteractionView> => {
    remember(interactions, interaction.id, interaction, INTERACTIONS_KEPT_MAX);
    // Discord tells a member that nobody answered, which is no fault of the page's.
    const answer = await interaction.acknowledged({ timeoutMs: ACKNOWLEDGE_WITHIN_MS }).catch(() => 'none' as const);
    return { interaction: interaction.id, answer, modal: interaction.modal ?? null };
  };
  const followCommand = async (
    interaction: InteractionHandle,
    user: EmulatedUser,
    command: string,
  ): Promise<InteractionView> => {
    remember(usedCommands, interaction.id, { userName: user.globalName, command }, INTERACTIONS_KEPT_MAX);
    return follow(interaction);
  };

  return {
    upload(bytes, filename) {
      const attachment = discord.uploadAttachment({ bytes, filename });
      find.keepUpload(attachment);
      return attachment;
    },
    async command(action) {
      const viewer = find.viewer(action);
      const { actor: member, channel, user } = viewer;
      const { command } = action;
      const options = find.options(action.options, viewer);
      return followCommand(discord.invoke({ member, channel, command, options }), user, `/${command}`);
    },
    async autocomplete(action) {
      const viewer = find.viewer(action);
      const { actor: member, channel } = viewer;
      const { command, focused } = action;
      return discord.autocomplete({ member, channel, command, options: find.options(action.options, viewer), focused });
    },
    async messageMenu(action) {
      const viewer = find.viewer(action);
      const { actor: member, channel, user } = viewer;
      const { command } = action;
      const message = find.message(action.message, viewer);
      return followCommand(discord.messageMenu({ member, channel, command, message }), user, command);
    },
    async button(action) {
      const viewer = find.viewer(action);
      const message = find.message(action.message, viewer);
      return follow(discord.click({ member: viewer.actor, message, customId: action.customId }));
    },
    async select(action) {
      const viewer = find.viewer(action);
      const message = find.message(action.message, viewer);
      const values = find.chosen(action.chosen, viewer);
      return follow(discord.select({ member: viewer.actor, message, customId: action.customId, values }));
    },
    async modal(action) {
      const viewer = find.viewer(action);
      const interaction = interactions.get(action.interaction) ?? refuse('This form is no longer open.');
      const answers = find.answers(action.answers, viewer);
      return follow(discord.submitModal({ member: viewer.actor, interaction, answers }));
    },
    message(action) {
      const { actor: member, channel } = find.viewer(action);
      const attachments = action.uploads.map((id) => find.upload(id));
      if (action.content === '' && attachments.length === 0) refuse('An empty message cannot be sent.');
      discord.postAsMember({ member, channel, content: action.content, attachments });
    },
    usedCommand: (interactionId) => usedCommands.get(interactionId),
  };
}
