import type { NamedView } from '../view.ts';
import type { Session } from './session.ts';

/** Turns the ids of mentions into names. */
export type Names = {
  user(id: string): string | undefined;
  role(id: string): string | undefined;
  channel(id: string): string | undefined;
  /** Milliseconds since the Unix epoch, by the emulated Discord's clock. */
  now(): number;
};

function find(list: readonly NamedView[], id: string): string | undefined {
  return list.find((candidate) => candidate.id === id)?.name;
}

export function createNames(session: Session): Names {
  return {
    user: (id) => find(session.world.users, id),
    role: (id) =>
      find(
        session.world.guilds.flatMap(({ roles }) => roles),
        id,
      ),
    channel: (id) =>
      find(
        session.world.guilds.flatMap(({ channels }) => channels),
        id,
      ),
    now: () => session.now(),
  };
}
