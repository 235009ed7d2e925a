import { collectText } from './component-tree.ts';
import type { MessageContent, Pings } from './message.ts';

/** What the author of a message may do about mentions, and what the guild knows of its roles. */
export type MentionScope = {
  /** Whether the author has the permission to mention everyone and every role. */
  readonly mayMentionEveryone: boolean;
  readonly isMentionableRole: (roleId: string) => boolean;
  /** Author of the message that this one replies to. */
  readonly repliedUserId: string | undefined;
};

/**
 * Whom a message would notify, by Discord's rules for `allowed_mentions`: without it, everything its text mentions;
 * with it, only the kinds in `parse` and the ids listed. Embeds never notify.
 */
export function computePings(message: MessageContent, scope: MentionScope): Pings {
  const text = collectText({ ...message, embeds: [] });
  const allowed = message.allowedMentions;
  const parse = new Set(allowed === undefined ? ['users', 'roles', 'everyone'] : (allowed.parse ?? []));
  const mentioned = (pattern: RegExp): string[] => [
    ...new Set([...text.matchAll(pattern)].flatMap((match) => match[1] ?? [])),
  ];
  const users = mentioned(/<@!?(\d+)>/g).filter((id) => parse.has('users') || (allowed?.users ?? []).includes(id));
  const repliedUserId = scope.repliedUserId;
  const notifiesAuthor = allowed === undefined || (allowed.replied_user ?? false);
  if (repliedUserId !== undefined && notifiesAuthor && !users.includes(repliedUserId)) users.push(repliedUserId);
  const roles = mentioned(/<@&(\d+)>/g)
    .filter((id) => parse.has('roles') || (allowed?.roles ?? []).includes(id))
    .filter((id) => scope.mayMentionEveryone || scope.isMentionableRole(id));
  const everyone = parse.has('everyone') && scope.mayMentionEveryone && /@(everyone|here)\b/.test(text);
  return { users, roles, everyone };
}
