import type { EmulatedDiscord } from '../discord/emulated-discord.ts';
import type { EmulatedProvider } from '../provider/emulated-provider.ts';
import type { EndingFault, Fault } from '../provider/faults.ts';
import type { FaultMode, FaultView } from './view.ts';

/** What can be made to go wrong from the page, and whether it is. */
export type FaultPanel = {
  view(): readonly FaultView[];
  /** False where there is no such fault. */
  set(id: string, mode: FaultMode): boolean;
};

/** A fault that has been switched on. */
type ArmedFault = { timesUsed(): number; remove(): void };

type FaultOffer = Pick<FaultView, 'id' | 'side' | 'title' | 'description'> & {
  /** @param times how often it happens; undefined for always. */
  arm(times: number | undefined): ArmedFault;
};

const SLOW_MS = 15_000;
const BUSY_RETRY_AFTER_SECONDS = 5;
const DISCORD_SLOW_MS = 2_000;
const HTTP_UNAVAILABLE = 503;

/** The provider's faults are left out where the provider is a real one. */
export function createFaultPanel(
  discord: Pick<EmulatedDiscord, 'faults'>,
  provider: Pick<EmulatedProvider, 'faults'> | undefined,
): FaultPanel {
  const offers = [...(provider === undefined ? [] : providerOffers(provider)), ...discordOffers(discord)];
  const armed = new Map<string, { readonly mode: FaultMode; readonly fault: ArmedFault }>();
  return {
    view: () =>
      offers.map(({ id, side, title, description }) => ({
        id,
        side,
        title,
        description,
        ...describeArmed(armed.get(id)),
      })),
    set(id, mode) {
      const offer = offers.find((candidate) => candidate.id === id);
      if (offer === undefined) return false;
      armed.get(id)?.fault.remove();
      if (mode === 'off') armed.delete(id);
      else armed.set(id, { mode, fault: offer.arm(mode === 'next' ? 1 : undefined) });
      return true;
    },
  };
}

/** A fault for the next time only is off again once it has happened. */
function describeArmed(
  entry: { readonly mode: FaultMode; readonly fault: ArmedFault } | undefined,
): Pick<FaultView, 'mode' | 'timesUsed'> {
  const timesUsed = entry?.fault.timesUsed() ?? 0;
  const isOver = entry?.mode === 'next' && timesUsed > 0;
  return { mode: entry === undefined || isOver ? 'off' : entry.mode, timesUsed };
}

/** A fault that refuses. */
function refuse(fault: Omit<EndingFault & { kind: 'refuse' }, 'kind'>): () => Fault {
  return () => ({ kind: 'refuse', ...fault });
}

function providerOffers({ faults }: Pick<EmulatedProvider, 'faults'>): FaultOffer[] {
  const offer = (id: string, title: string, description: string, fault: () => Fault): FaultOffer => ({
    id,
    side: 'provider',
    title,
    description,
    arm(times) {
      const handle = faults.add({ ...fault(), ...(times === undefined ? {} : { times }) });
      return { timesUsed: () => handle.timesUsed, remove: () => handle.remove() };
    },
  });
  return [
    offer('slow', 'Slow', 'Takes fifteen seconds longer.', () => ({ kind: 'delay', delayMs: SLOW_MS, at: 'start' })),
    offer(
      'busy',
      'Busy (429)',
      'Asks to come back in five seconds. Nothing is billed.',
      refuse({ refusal: 'slow_down', retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS }),
    ),
    offer('cut-off', 'Cut off after billing', 'Bills the call, and breaks off halfway through the answer.', () => ({
      kind: 'bill-then-cut',
    })),
    offer('down', 'Server error (500)', 'Bills the call, and answers with an error.', () => ({
      kind: 'server-error',
      status: 500,
    })),
    offer(
      'quota',
      'Out of quota',
      "The operator's account is used up. Nothing is billed.",
      refuse({ refusal: 'insufficient_quota' }),
    ),
    offer(
      'moderated-request',
      'Request moderated',
      'The safety system declines the request. Nothing is billed.',
      refuse({ refusal: 'moderation_blocked_input' }),
    ),
    offer(
      'moderated-result',
      'Result moderated',
      'The safety system declines what was made. Nothing is billed.',
      refuse({ refusal: 'moderation_blocked_output' }),
    ),
    offer('retired', 'Model retired', 'The model of the next call is gone; the others are still there.', () => {
      let retiredModel: string | undefined;
      return {
        kind: 'refuse',
        refusal: 'model_not_found',
        when: ({ model }) => model === (retiredModel ??= model),
      };
    }),
  ];
}

function discordOffers({ faults }: Pick<EmulatedDiscord, 'faults'>): FaultOffer[] {
  const offer = (
    id: string,
    title: string,
    description: string,
    fault: Parameters<typeof faults.add>[0],
  ): FaultOffer => ({
    id,
    side: 'discord',
    title,
    description,
    arm(times) {
      const handle = faults.add({ ...fault, times: times ?? Infinity });
      return { timesUsed: () => handle.spoiled(), remove: () => handle.remove() };
    },
  });
  return [
    offer('uploads', 'Uploads fail (503)', 'Whatever carries a file is refused; words still get through.', {
      route: 'any',
      kind: 'status',
      status: HTTP_UNAVAILABLE,
      onlyUploads: true,
    }),
    offer('discord-slow', 'Discord is slow', 'Every request of the bot takes two seconds longer.', {
      route: 'any',
      kind: 'delay',
      delayMs: DISCORD_SLOW_MS,
    }),
    offer('edits', 'Edits fail (500)', 'An answer to a command cannot be edited.', {
      route: 'PATCH original',
      kind: 'status',
      status: 500,
    }),
  ];
}
