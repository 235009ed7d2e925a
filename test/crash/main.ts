import { randomBytes } from 'node:crypto';
import type { CampaignReport } from './campaign.ts';
import { addTallies } from './crash-site.ts';
import { killAtEveryStep, killAtEveryStepOfTheNext, killDuringFirstStart, killDuringRecovery } from './every-step.ts';
import { killOnTheWire } from './on-the-wire.ts';
import { killAtEveryStepOfPaintedEdit } from './painted-edit.ts';
import { killUnderLoad } from './random-load.ts';
import { declined, imagine, privateEdit, reencoded, refused, unpriced } from './scenes.ts';

/**
 * Kills real bots by SIGKILL at every durable step, again while they recover, on the wire, and at random moments under
 * load, and holds what is left against the provider's bills and Discord's messages.
 *
 *   CRASH_SEED     repeats the random part of an earlier run
 *   CRASH_ROUNDS   how many rounds of random load, 2 if left out
 *   CRASH_LANES    how many campaigns run side by side, 2 if left out
 *
 * Words on the command line choose the campaigns whose descriptions contain one of them.
 */

const seed = process.env['CRASH_SEED'] ?? randomBytes(4).toString('hex');
const rounds = Number(process.env['CRASH_ROUNDS'] ?? 2);
const lanes = Number(process.env['CRASH_LANES'] ?? 2);
const chosenWords = process.argv.slice(2);

/** Up to here a request goes the way of every other. */
const DISPATCHED = 'INSERT dispatch #1';
const after = (step: string) => ({ step, moment: 'after', from: 'job' }) as const;
const RESERVED = after('INSERT reserve #1');
const RECEIPT_WRITTEN = after('write spool/JOB/receipt.json #1');
/** What ends a call is written in one transaction with the record of its result, the first of its kind in a request. */
const BOOKED = after('COMMIT #1');

type Campaign = readonly [description: string, run: () => Promise<CampaignReport>];

// The longest come first, so that no lane is left with one of them at the end.
const campaigns: readonly Campaign[] = [
  ['every step of an edit', async () => killAtEveryStep(privateEdit)],
  ['every step of a painted edit', killAtEveryStepOfPaintedEdit],
  ['every step of an imagine', async () => killAtEveryStep(imagine)],
  ['every step of the next imagine', async () => killAtEveryStepOfTheNext(imagine)],
  ['recovery after a receipt, edit', async () => killDuringRecovery(privateEdit, RECEIPT_WRITTEN)],
  ['recovery after a reservation', async () => killDuringRecovery(imagine, RESERVED)],
  ['recovery after a dispatch', async () => killDuringRecovery(imagine, after(DISPATCHED))],
  ['recovery after a post', async () => killDuringRecovery(imagine, BOOKED)],
  ['recovery after an unknown', async () => killDuringRecovery(unpriced, BOOKED)],
  ['every step without usage', async () => killAtEveryStep(unpriced, DISPATCHED)],
  ['every step after a post that is shown re-encoded', async () => killAtEveryStep(reencoded, 'INSERT post #1')],
  ['every step of a refusal', async () => killAtEveryStep(refused, DISPATCHED)],
  ['every step of a moderated request', async () => killAtEveryStep(declined, DISPATCHED)],
  ['on the wire', killOnTheWire],
  ['the first start', async () => killDuringFirstStart(imagine)],
  ...Array.from({ length: rounds }, (_, round) => loadOf(round)),
];

function loadOf(round: number): Campaign {
  return [`load, round ${round + 1}`, async () => killUnderLoad(`${seed}/${round + 1}`, round % 2 === 0 ? 1 : 2)];
}

async function main(): Promise<void> {
  console.log(`seed ${seed}`);
  const isChosen = ([description]: Campaign): boolean => chosenWords.some((word) => description.includes(word));
  const waiting = chosenWords.length === 0 ? [...campaigns] : campaigns.filter(isChosen);
  const reports: CampaignReport[] = [];
  const runLane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const report = await next[1]();
      reports.push(report);
      console.log(describe(report));
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  console.log(conclude(reports));
}

function describe({ name, kills, misses, tally }: CampaignReport): string {
  const { posted, unknown, voided, bills } = tally;
  const missed = misses === 0 ? '' : `, ${misses} kills that came too late`;
  const told = Object.entries({
    answered: tally.answered,
    unacknowledged: tally.unacknowledged,
    'left thinking': tally['left thinking'],
    'told twice': tally['told twice'],
    'left asked': tally['left asked'],
  });
  const members = told.filter(([, count]) => count > 0).map(([verdict, count]) => `${count} ${verdict}`);
  return `${name}: ${kills} kills${missed}; ${members.join(', ')}; ${bills} bills; ${posted} posted, ${unknown} unknown, ${voided} void`;
}

function conclude(reports: readonly CampaignReport[]): string {
  const [first, ...others] = reports;
  if (!first) throw new Error('no campaign has been chosen');
  const total = others.reduce(
    (sum, { kills, misses, tally }) => ({
      ...sum,
      kills: sum.kills + kills,
      misses: sum.misses + misses,
      tally: addTallies(sum.tally, tally),
    }),
    { ...first, name: 'in all' },
  );
  return [
    describe(total),
    'Nothing was lost, nothing was paid twice, no money is held and no job is left.',
    'Left thinking: killed between the acknowledgement and the first trace of the job, before anything was held or paid.',
    'Left asked: killed between taking a painted mask and the first trace of its job; whoever painted is told to ask again.',
    'Told twice: private words of a moderated request, sent again to the same member, as Discord cannot tell a copy.',
  ].join('\n');
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(`The promise does not hold. Repeat with CRASH_SEED=${seed}.`);
  process.exit(1);
}
