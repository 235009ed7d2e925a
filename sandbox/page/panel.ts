import type { Stage } from '../stage.ts';
import { watchAccounts } from './accounts-watch.ts';
import { compareBill } from './bill.ts';
import type { BotControl } from './bot-control.ts';
import type { Person } from './cast.ts';
import type { FaultPanel } from './fault-panel.ts';
import type { PanelView } from './view.ts';
import type { Viewer } from './viewer.ts';
import { viewCommands, viewLatest, viewWorld } from './world-view.ts';

export type PanelParts = {
  readonly stage: Pick<Stage, 'discord' | 'provider' | 'dataDirectory'>;
  readonly people: readonly Person[];
  readonly bot: BotControl;
  readonly faults: FaultPanel;
  readonly usesRealProvider: boolean;
};

const MS_PER_SECOND = 1_000;

/** Answers what stands beside the channel for one viewer, as it is right now. */
export function createPanel(parts: PanelParts): (viewer: Viewer) => PanelView {
  const { discord, provider, dataDirectory } = parts.stage;
  const accounts = watchAccounts(dataDirectory);
  const bills = parts.usesRealProvider ? undefined : provider.bills;
  return (viewer) => ({
    world: viewWorld(discord.world, parts.people, parts.usesRealProvider),
    commands: viewCommands(discord, viewer),
    latest: viewLatest(discord, viewer),
    // In whole seconds, or it would be new at every look.
    clock: { offsetMs: Math.round((discord.clock.now() - Date.now()) / MS_PER_SECOND) * MS_PER_SECOND },
    bot: parts.bot.view(),
    faults: parts.faults.view(),
    bill: viewer.guild
      ? compareBill({ guild: viewer.guild, atMs: discord.clock.now(), bills, accounts: accounts() })
      : null,
  });
}
