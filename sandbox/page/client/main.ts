import { createBillPanel } from './bill-panel.ts';
import { createBotControls } from './bot-controls.ts';
import { createClockControls } from './clock-controls.ts';
import { createComposer } from './composer.ts';
import { openPicture } from './dialogs.ts';
import { make } from './dom.ts';
import { createFaultControls } from './fault-controls.ts';
import { createLayout } from './layout.ts';
import { createMessageList } from './message-list.ts';
import { openMessageMenu } from './message-menu.ts';
import { openModal } from './modal-dialog.ts';
import { createNavigation } from './navigation.ts';
import type { Page } from './page-actions.ts';
import { fetchWorld } from './requests.ts';
import type { Session, Viewer } from './session.ts';
import { createSession, firstChannel } from './session.ts';
import { keepTimesFresh } from './times.ts';

/** Puts the page together. */

const world = await fetchWorld();
const [firstPerson] = world.people;
if (firstPerson === undefined) throw new Error('There is nobody to be.');
const session = createSession(world, { person: firstPerson.id, channel: firstChannel(world, firstPerson) });

const page: Page = {
  session,
  notice: (text) => messages.notice(text),
  follow({ answer, interaction, modal }) {
    if (answer === 'none') messages.notice('The application did not respond.');
    if (modal !== null) openModal(page, interaction, modal);
  },
  openMenu: (anchor, messageId) => openMessageMenu(page, anchor, messageId),
  openPicture,
  focusMessages: () => messages.focusLatest(),
};
const messages = createMessageList(page);
const composer = createComposer(page);
const navigation = createNavigation(session, () => {
  layout.closeDrawers();
  composer.focus();
});
const layout = createLayout({
  navigation: navigation.element,
  messages: messages.element,
  composer: composer.element,
  panel: [createBillPanel(session), createBotControls(page), createFaultControls(page), createClockControls(page)],
});
const connection = make(
  'div',
  { class: 'connection', role: 'alert', hidden: true },
  'The sandbox does not answer. Trying again…',
);
document.querySelector('#app')?.replaceChildren(connection, layout.element);

const refreshTimes = keepTimesFresh(() => session.now());
session.on('clock', refreshTimes);
session.on('connection', (state) => (connection.hidden = state === 'open'));
const showTitle = (): void => {
  const place = session.guild?.channels.find(({ id }) => id === session.viewer.channel)?.name;
  layout.setTitle(place ?? session.world.bot.name, place === undefined);
};
session.on('world', showTitle);
session.on('viewer', (viewer) => {
  showTitle();
  history.replaceState(null, '', `#${viewer.person}/${viewer.channel}`);
});
session.view(remembered(session) ?? session.viewer);
composer.focus();
document.querySelector('.skip-link')?.addEventListener('click', (event) => {
  event.preventDefault();
  composer.focus();
});

/** Where the address says that this page was; undefined after a new start, when all ids are others. */
function remembered({ world: { people, guilds } }: Session): Viewer | undefined {
  const [personId, channel] = location.hash.slice(1).split('/');
  const person = people.find(({ id }) => id === personId);
  if (person === undefined || channel === undefined) return undefined;
  const guild = guilds.find(({ channels }) => channels.some(({ id }) => id === channel));
  const isThere = guild?.members.some(({ id }) => id === personId) ?? channel === person.directChannelId;
  return isThere ? { person: person.id, channel } : undefined;
}
