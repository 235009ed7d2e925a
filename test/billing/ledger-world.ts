import type { Applied, Charge, Entry, Refusal, RequestDetails } from '../../src/billing/guild-account.ts';
import type { MemberLimits } from '../../src/billing/member-account.ts';
import type { TransferRef } from '../../src/billing/movements.ts';
import type { Ledger } from '../../src/billing/ledger.ts';
import { createLedger } from '../../src/billing/ledger.ts';
import { chargeOf, details as anyDetails } from './account-fixture.ts';
import type { CallEnding, Errand, Scenario } from './ledger-scenario.ts';
import { PROCESSES } from './ledger-scenario.ts';
import type { MemoryDatabase, Wire } from './memory-store.ts';
import { createMemoryDatabase } from './memory-store.ts';

/** The budget of every guild in these runs. */
export const LIMIT = 100;
/** The limits of every member in these runs: less than the budget, so that they are the ones to bind now and then. */
export const MEMBER_LIMITS: MemberLimits = { nanoUsdPerMonth: 70, imagesPerDay: 5, openHolds: 2 };
export const GUILDS = ['even', 'odd'] as const;
export const PERIOD = '202611';

/** The scheduler's steps are this world's milliseconds. */
const LONG_AFTER_STEPS = 1_000_000;

/** A call as the provider knows it. */
export type ProviderCall = {
  readonly transfer: string;
  readonly requestId: string;
  /** What was billed for it; undefined where nothing was made. */
  readonly charge: Charge | undefined;
  /** Whether the caller was told, so that it may call again. */
  readonly isKnownToBeNothing: boolean;
};

type Receipt = {
  readonly ref: TransferRef;
  readonly details: RequestDetails;
  readonly outcome: Charge | 'nothing-made' | 'not-known';
};

/** What is left when a scenario is over. */
export type Aftermath = {
  readonly database: MemoryDatabase;
  readonly calls: readonly ProviderCall[];
  /** What came of calls and was written down, by transfer. All of it has been settled. */
  readonly receipts: ReadonlyMap<string, Receipt>;
  /** Why somebody was refused, each time that it happened. */
  readonly refusals: readonly Refusal['refused'][];
  /** The entries that somebody was told to be in the journal. */
  readonly acknowledged: readonly { readonly guild: string; readonly entry: Entry }[];
  /** Whatever was thrown, which nothing should be. */
  readonly failures: readonly unknown[];
  /** Errands of processes that lived and that never came to their end. */
  readonly unfinished: readonly Errand[];
};

/** An id of November 2026, so that its month is the one above. */
const FIRST_SNOWFLAKE = (BigInt(Date.UTC(2026, 10, 15) - Date.UTC(2015, 0, 1)) << 22n) + 1n;

function refOf(transfer: number): TransferRef {
  return { guild: GUILDS[transfer % 2 === 0 ? 0 : 1], transfer: (FIRST_SNOWFLAKE + BigInt(transfer)).toString() };
}

/** Plays a scenario to its end, and then lets a fresh process recover what the dead ones left behind. */
export async function play(scenario: Scenario, options: { readonly atomic: boolean }): Promise<Aftermath> {
  const { scheduler, errands } = scenario;
  const world = createWorld(scenario, options);
  const processes = Array.from({ length: PROCESSES }, (_, number) => world.startProcess(number));
  const unfinished = new Set(errands);
  for (const errand of errands) {
    const process = processes[errand.process];
    if (!process) throw new RangeError(`there is no process ${errand.process}`);
    process.run(errand).then(
      () => unfinished.delete(errand),
      (error: unknown) => world.failures.push(error),
    );
  }
  await scheduler.waitIdle();
  await world.recover();
  return { ...world, unfinished: [...unfinished].filter(({ process }) => !processes[process]?.isDead) };
}

function createWorld({ scheduler, delays, crashes, holdSteps }: Scenario, options: { readonly atomic: boolean }) {
  const database = createMemoryDatabase(options);
  const provider = createProvider();
  const receipts = new Map<string, Receipt>();
  const acknowledged: { guild: string; entry: Entry }[] = [];
  const refusals: Refusal['refused'][] = [];
  let clock = 0;
  const nextDelay = (): number => delays.next().value ?? 0;

  async function wait(steps: number, label: string): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await scheduler.schedule(Promise.resolve(), label);
      clock += 1;
    }
  }

  function createAccountant(ledger: Ledger) {
    return createActor({ ledger, provider, receipts, acknowledged, refusals, holdUntil: () => clock + holdSteps });
  }

  function startProcess(number: number) {
    const crash = crashes.find(({ process }) => process === number);
    const never = new Promise<never>(() => undefined);
    let isDead = false;
    let commits = 0;
    const pause = async (label: string, steps = nextDelay()): Promise<void> => {
      await wait(steps, label);
      if (isDead) await never;
    };
    const wire: Wire = {
      async send(label) {
        if (isDead) await never;
        // What is on its way when a process dies arrives all the same.
        await wait(1 + nextDelay(), `process ${number}: ${label}`);
      },
      receive: async (label) => pause(`process ${number} hears of: ${label}`),
      async passCommitPoint(point) {
        if (point === 'before') commits += 1;
        if (crash?.commit !== commits || crash.point !== point) return;
        isDead = true;
        await never;
      },
    };
    const ledger = createLedger({
      store: database.connect(wire),
      now: () => clock,
      random: () => 0,
      sleep: async () => pause('lost a race'),
    });
    const actor = createAccountant(ledger);
    return {
      get isDead() {
        return isDead;
      },
      run: async (errand: Errand) => {
        await wait(errand.startsAfter, `process ${number}: ${errand.aim.kind} sets out`);
        await actor.run(errand, pause);
      },
    };
  }

  async function recover(): Promise<void> {
    clock += LONG_AFTER_STEPS;
    const ledger = createLedger({
      store: database.connect(),
      now: () => clock,
      random: () => 0,
      sleep: async () => undefined,
    });
    const actor = createAccountant(ledger);
    for (const receipt of receipts.values()) await actor.settle(receipt);
    for (const guild of GUILDS) await ledger.expireHolds(guild, PERIOD);
  }

  const failures: unknown[] = [];
  return { database, calls: provider.calls, receipts, refusals, acknowledged, failures, startProcess, recover };
}

function createProvider() {
  const calls: ProviderCall[] = [];
  const add = (transfer: string, cost: number | undefined, isKnownToBeNothing: boolean): Charge | undefined => {
    const requestId = `req_${calls.length + 1}`;
    const charge = cost === undefined ? undefined : chargeOf(cost, requestId);
    calls.push({ transfer, requestId, charge, isKnownToBeNothing });
    return charge;
  };
  return {
    calls,
    /** One try. What the caller hears of it is its outcome. */
    call(transfer: string, cost: number, ending: Exclude<CallEnding, 'busy-then-made'>): Receipt['outcome'] {
      switch (ending) {
        case 'made':
          return add(transfer, cost, false) ?? 'not-known';
        case 'refused':
          add(transfer, undefined, true);
          return 'nothing-made';
        case 'made-without-usage':
        case 'lost-after-it-was-made':
          add(transfer, cost, false);
          return 'not-known';
        case 'lost-before-it-was-made':
          add(transfer, undefined, false);
          return 'not-known';
      }
    },
  };
}

/** Does errands as the bot does its jobs: it reserves, dispatches, calls, keeps a receipt, and settles by it. */
function createActor(parts: {
  ledger: Ledger;
  provider: ReturnType<typeof createProvider>;
  receipts: Map<string, Receipt>;
  acknowledged: { guild: string; entry: Entry }[];
  refusals: Refusal['refused'][];
  /** When a hold that is made now ends. */
  holdUntil: () => number;
}) {
  const { ledger, provider, receipts, acknowledged, refusals, holdUntil } = parts;
  type Pause = (label: string, steps?: number) => Promise<void>;

  function note(ref: TransferRef, outcome: Applied | Refusal): boolean {
    if (outcome.refused !== undefined) {
      refusals.push(outcome.refused);
      return false;
    }
    acknowledged.push({ guild: ref.guild, entry: outcome.entry });
    return true;
  }

  async function settle({ ref, outcome, details }: Receipt): Promise<void> {
    if (outcome === 'nothing-made') note(ref, await ledger.void(ref, 'refused'));
    else if (outcome === 'not-known') note(ref, await ledger.unknown(ref, { reason: 'timeout' }));
    else note(ref, await ledger.post(ref, outcome, details));
  }

  async function request(ref: TransferRef, aim: Extract<Errand['aim'], { kind: 'request' }>, pause: Pause) {
    const details = { ...anyDetails, member: aim.member, count: aim.images };
    const limits = { limit: LIMIT, memberLimits: MEMBER_LIMITS };
    const order = { amount: aim.estimate, ...limits, expiresAt: holdUntil(), details };
    const reserved = await ledger.reserve(ref, order);
    if (reserved.refused !== undefined) {
      // Holds that nobody waits for any more must not stand in the way.
      await ledger.expireHolds(ref.guild, PERIOD);
      if (!note(ref, await ledger.reserve(ref, order))) return;
    } else note(ref, reserved);
    await pause('waits for its turn');
    if (!note(ref, await ledger.dispatch(ref, holdUntil()))) return;
    if (aim.ending === 'busy-then-made') {
      provider.call(ref.transfer, aim.cost, 'refused');
      await pause('tries again later');
    }
    const ending = aim.ending === 'busy-then-made' ? 'made' : aim.ending;
    const receipt = { ref, details, outcome: provider.call(ref.transfer, aim.cost, ending) };
    await pause('waits for the answer');
    receipts.set(ref.transfer, receipt);
    await pause('has its receipt');
    await settle(receipt);
  }

  async function reconcile(ref: TransferRef, isGivenUp: boolean): Promise<void> {
    const charge = provider.calls.findLast(({ transfer }) => transfer === ref.transfer)?.charge;
    if (charge && !isGivenUp) note(ref, await ledger.post(ref, charge, anyDetails));
    else note(ref, await ledger.release(ref, { reason: 'checked', by: 'ada' }));
  }

  return {
    settle,
    async run({ transfer, aim }: Errand, pause: Pause): Promise<void> {
      const ref = refOf(transfer);
      switch (aim.kind) {
        case 'request':
          return request(ref, aim, pause);
        case 'reconcile':
          return reconcile(ref, aim.isGivenUp);
        case 'adjust':
          note(ref, await ledger.adjust(ref, { amount: aim.amount, reason: 'checked', by: 'ada' }));
          return;
        case 'sweep':
          for (let count = 0; count < aim.times; count += 1) {
            await pause('comes to sweep', aim.everySteps);
            await ledger.expireHolds(ref.guild, PERIOD);
          }
      }
    },
  };
}
