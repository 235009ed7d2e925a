import type { GuildView, PersonView } from '../view.ts';
import { makeAvatar } from './avatar.ts';
import { icon, make } from './dom.ts';
import type { Session } from './session.ts';

/** Servers, channels, and whom to be. */
export type Navigation = { readonly element: HTMLElement };

/** @param onGo is called when somebody has gone somewhere, which on a small screen closes what they came from. */
export function createNavigation(session: Session, onGo: () => void): Navigation {
  const rail = make('nav', { class: 'rail', 'aria-label': 'Servers' });
  const channels = make('nav', { class: 'channels', 'aria-label': 'Channels' });
  const people = make('section', { class: 'people', 'aria-label': 'Who you are' });
  const element = make('div', { class: 'navigation' }, rail, make('div', { class: 'sidebar' }, channels, people));

  const go = (person: PersonView, channel: string): void => {
    session.view({ person: person.id, channel });
    onGo();
  };
  const draw = (): void => {
    const { person, guild, world } = session;
    const own = world.guilds.filter((candidate) => isMember(candidate, person));
    rail.replaceChildren(
      makeServer(
        { name: 'Direct messages', face: icon('direct'), isCurrent: guild === undefined },
        session.isUnread(person.directChannelId),
        () => go(person, person.directChannelId),
      ),
      make('hr', {}),
      ...own.map((candidate) =>
        makeServer(
          {
            name: candidate.name,
            face: candidate.name.slice(0, 1),
            isCurrent: candidate === guild,
          },
          candidate.channels.some(({ id }) => session.isUnread(id)),
          () => go(person, candidate.channels[0]?.id ?? ''),
        ),
      ),
    );
    const entries = guild?.channels ?? [{ id: person.directChannelId, name: world.bot.name }];
    channels.replaceChildren(
      make('h1', { class: 'server-name' }, guild?.name ?? 'Direct messages'),
      make(
        'ul',
        {},
        ...entries.map(({ id, name }) =>
          make(
            'li',
            {},
            make(
              'button',
              {
                type: 'button',
                class: 'channel',
                'aria-current': id === session.viewer.channel ? 'page' : null,
                on: { click: () => go(person, id) },
              },
              icon(guild ? 'channel' : 'direct'),
              name,
            ),
          ),
        ),
      ),
    );
    people.replaceChildren(
      make('h2', {}, 'You are'),
      ...world.people.map((other) =>
        makePerson(other, other.id === person.id, () => go(other, placeFor(session, other))),
      ),
    );
  };
  session.on('viewer', draw);
  session.on('world', draw);
  session.on('latest', draw);
  return { element };
}

function isMember({ members }: GuildView, { id }: PersonView): boolean {
  return members.some((member) => member.id === id);
}

/** Where somebody else goes on: here, if they are here as well. */
function placeFor({ guild, viewer, world }: Session, person: PersonView): string {
  if (guild === undefined) return person.directChannelId;
  if (isMember(guild, person)) return viewer.channel;
  return world.guilds.find((candidate) => isMember(candidate, person))?.channels[0]?.id ?? person.directChannelId;
}

type Server = { readonly name: string; readonly face: Node | string; readonly isCurrent: boolean };

function makeServer({ name, face, isCurrent }: Server, isUnread: boolean, open: () => void): HTMLElement {
  const label = isUnread ? `${name}, unread` : name;
  return make(
    'button',
    {
      type: 'button',
      class: `server ${isUnread ? 'unread' : ''}`,
      title: name,
      'aria-label': label,
      'aria-current': isCurrent ? 'page' : null,
      on: { click: open },
    },
    face,
  );
}

function makePerson(person: PersonView, isCurrent: boolean, become: () => void): HTMLElement {
  return make(
    'button',
    { type: 'button', class: 'person', 'aria-pressed': String(isCurrent), on: { click: become } },
    makeAvatar({ ...person, isBot: false }),
    make(
      'span',
      { class: 'person-words' },
      make('span', { class: 'person-name' }, person.name),
      make('span', { class: 'person-role' }, person.role),
    ),
  );
}
