import type { GuildView, MessageView, PanelView, PersonView, WorldView } from '../view.ts';

/** Who is at the page, and where. */
export type Viewer = { readonly person: string; readonly channel: string };

type Events = PanelView & {
  /** All messages of the channel, after it was opened and after every break of the connection. */
  readonly messages: readonly MessageView[];
  readonly message: MessageView;
  readonly 'message-deleted': { readonly id: string };
  readonly viewer: Viewer;
  readonly connection: 'open' | 'lost';
};

const SERVER_EVENTS = [
  'world',
  'commands',
  'latest',
  'clock',
  'bot',
  'faults',
  'bill',
  'messages',
  'message',
  'message-deleted',
] as const satisfies readonly (keyof Events)[];

/** What the page knows, and who wants to hear of what changes. */
export type Session = {
  readonly viewer: Viewer;
  readonly world: WorldView;
  readonly person: PersonView;
  /** Undefined in direct messages. */
  readonly guild: GuildView | undefined;
  readonly commands: PanelView['commands'];
  /** Whether the bot has said something in a channel that this person has not seen. */
  isUnread(channel: string): boolean;
  /** Milliseconds since the Unix epoch, by the emulated Discord's clock. */
  now(): number;
  /** Becomes somebody else, or goes somewhere else. */
  view(viewer: Viewer): void;
  on<Name extends keyof Events>(name: Name, listener: (data: Events[Name]) => void): void;
};

type Listeners = { readonly [Name in keyof Events]: ((data: Events[Name]) => void)[] };

function noListeners(): Listeners {
  return {
    world: [],
    commands: [],
    latest: [],
    clock: [],
    bot: [],
    faults: [],
    bill: [],
    messages: [],
    message: [],
    'message-deleted': [],
    viewer: [],
    connection: [],
  };
}

export function createSession(firstWorld: WorldView, firstViewer: Viewer): Session {
  let viewer = firstViewer;
  let world = firstWorld;
  let commands: PanelView['commands'] = [];
  let latest: PanelView['latest'] = {};
  /** By person and channel, the latest message that was on the screen. */
  const seen = new Map<string, string | undefined>();
  let clockOffsetMs = 0;
  let source: EventSource | undefined;
  const listeners = noListeners();

  const emit = <Name extends keyof Events>(name: Name, data: Events[Name]): void => {
    for (const listener of listeners[name]) listener(data);
  };
  const on: Session['on'] = (name, listener) => {
    listeners[name].push(listener);
  };
  on('world', (data) => (world = data));
  on('commands', (data) => (commands = data));
  on('latest', (data) => {
    latest = data;
    seen.set(`${viewer.person}/${viewer.channel}`, latest[viewer.channel]);
  });
  on('clock', (data) => (clockOffsetMs = data.offsetMs));

  const connect = (): void => {
    source?.close();
    const opened = new EventSource(`/api/events?${new URLSearchParams(viewer).toString()}`);
    source = opened;
    opened.addEventListener('open', () => emit('connection', 'open'));
    opened.addEventListener('error', () => emit('connection', 'lost'));
    for (const name of SERVER_EVENTS) {
      opened.addEventListener(name, ({ data }: MessageEvent<string>) => emit(name, JSON.parse(data)));
    }
  };

  return {
    get viewer() {
      return viewer;
    },
    get world() {
      return world;
    },
    get person() {
      return findPerson(world, viewer.person);
    },
    get guild() {
      return world.guilds.find(({ channels }) => channels.some(({ id }) => id === viewer.channel));
    },
    get commands() {
      return commands;
    },
    isUnread: (channel) => latest[channel] !== undefined && latest[channel] !== seen.get(`${viewer.person}/${channel}`),
    now: () => Date.now() + clockOffsetMs,
    view(next) {
      viewer = next;
      // Whoever listens to the viewer makes room for what comes.
      emit('viewer', viewer);
      connect();
    },
    on,
  };
}

function findPerson({ people }: WorldView, id: string): PersonView {
  const [first] = people;
  const person = people.find((candidate) => candidate.id === id) ?? first;
  if (person === undefined) throw new Error('There is nobody.');
  return person;
}

/** Where a person starts: in the first channel of the first server that they are in. */
export function firstChannel({ guilds }: WorldView, person: PersonView): string {
  const guild = guilds.find(({ members }) => members.some(({ id }) => id === person.id));
  return guild?.channels[0]?.id ?? person.directChannelId;
}
