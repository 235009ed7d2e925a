import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { renderMessage } from '../../sandbox/discord/render.ts';
import { readBooks } from '../audit.ts';
import { courseOf } from '../scenarios/requests.ts';
import { runLife } from './campaign.ts';
import type { CrashSite } from './crash-site.ts';
import { createCrashSite } from './crash-site.ts';
import type { Scene, Trial } from './scenes.ts';
import { imagine, privateEdit, unpriced } from './scenes.ts';
import { judgeTrial, messagesOf } from './verdict.ts';

/** The kills that tell most, in a few seconds. `npm run test:crash` kills everywhere else. */

type Point = {
  readonly when: string;
  readonly scene: Scene;
  /** The step after which the bot is killed; see kill-switch.ts. */
  readonly step: string;
  /** What the ledger goes through, the part before the kill included. */
  readonly course: string;
  readonly answer: RegExp;
};

const MADE = /-1\.(png|jpg)/;

const POINTS: readonly Point[] = [
  {
    when: 'before any money is held',
    scene: imagine,
    step: 'write spool/JOB/job.json #2',
    course: '',
    answer: /restarted before your request went out.*You were not charged/,
  },
  {
    when: 'with money held',
    scene: imagine,
    step: 'INSERT reserve #1',
    course: 'reserve void',
    answer: /restarted before your request went out.*You were not charged/,
  },
  {
    when: 'when the call may have gone out',
    scene: imagine,
    step: 'INSERT dispatch #1',
    course: 'reserve dispatch unknown',
    answer: /its answer is lost.*did not ask twice/,
  },
  {
    when: 'with the answer on disk',
    scene: privateEdit,
    step: 'write spool/JOB/receipt.json #1',
    course: 'reserve dispatch post',
    answer: MADE,
  },
  {
    when: 'with an answer on disk that does not tell its price',
    scene: unpriced,
    step: 'write spool/JOB/receipt.json #1',
    course: 'reserve dispatch unknown',
    answer: MADE,
  },
  {
    when: 'when the call is booked',
    scene: imagine,
    step: 'COMMIT #1',
    course: 'reserve dispatch post',
    answer: MADE,
  },
  {
    when: 'in the middle of clearing a delivered job away',
    scene: unpriced,
    step: 'appendFile receipts/DAY.jsonl #1',
    course: 'reserve dispatch unknown',
    answer: MADE,
  },
];

describe('a bot that is killed', () => {
  let site: CrashSite;
  const trials = new Map<Point, Trial>();

  before(async () => {
    site = await createCrashSite();
    // Each bot recovers what the one before it left, until it is killed itself.
    for (const point of POINTS) {
      const order = { step: point.step, moment: 'after', from: 'job' } as const;
      const { trial, isKilled } = await runLife(site, point.scene, order);
      assert.ok(isKilled, `the bot was not killed ${point.when}`);
      trials.set(point, trial);
    }
    await site.start();
    await site.settled();
  });
  after(async () => site.close());

  for (const point of POINTS) {
    it(`${point.when}, loses nothing and pays nothing twice`, () => {
      const { stage } = site;
      const trial = trials.get(point) ?? assert.fail('there was no such kill');
      assert.equal(courseOf(stage, trial.interaction), point.course);
      assert.equal(judgeTrial(stage, readBooks(stage.dataDirectory), trial), 'answered');
      assert.match(messagesOf(stage, trial).map(renderMessage).join('\n'), point.answer);
    });
  }

  it('leaves books that add up to what the provider billed', () => {
    const { answered, held, bills, posted, unknown } = site.judge();
    assert.deepEqual(
      { answered, held, bills, posted, unknown },
      { answered: 7, held: 0, bills: 4, posted: 2, unknown: 3 },
    );
  });
});
