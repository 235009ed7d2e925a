import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  dayOfSnowflake,
  endOfDayOfSnowflake,
  endOfPeriod,
  formatPeriod,
  parsePeriod,
  periodOf,
  periodOfSnowflake,
  previousPeriod,
  startOfPeriod,
  timeOfSnowflake,
} from '../../src/billing/period.ts';

const DISCORD_EPOCH_MS = Date.UTC(2015, 0, 1);
const DAY_MS = 24 * 60 * 60_000;

function snowflakeAt(at: number, increment = 0n): string {
  return ((BigInt(at - DISCORD_EPOCH_MS) << 22n) | increment).toString();
}

const periods = fc
  .record({ year: fc.integer({ min: 2015, max: 2100 }), month: fc.integer({ min: 1, max: 12 }) })
  .map(({ year, month }) => `${year}${String(month).padStart(2, '0')}`);

describe('periodOfSnowflake', () => {
  it("reads the moment of Discord's own example, 2016-04-30T11:18:25.796Z", () => {
    assert.equal(periodOfSnowflake('175928847299117063'), '201604');
  });

  it('changes with the first millisecond of a month in UTC', () => {
    const midnight = Date.UTC(2026, 11, 1);
    const lastOfItsMillisecond = (1n << 22n) - 1n;
    assert.equal(periodOfSnowflake(snowflakeAt(midnight - 1, lastOfItsMillisecond)), '202611');
    assert.equal(periodOfSnowflake(snowflakeAt(midnight)), '202612');
  });

  it('refuses what is no snowflake', () => {
    assert.throws(() => periodOfSnowflake('not-an-id'), SyntaxError);
  });
});

describe('the day of a snowflake', () => {
  it("is that of Discord's own example, and ends with it", () => {
    const example = '175928847299117063';
    assert.equal(timeOfSnowflake(example), Date.UTC(2016, 3, 30, 11, 18, 25, 796));
    assert.equal(dayOfSnowflake(example), '20160430');
    assert.equal(endOfDayOfSnowflake(example), Date.UTC(2016, 4, 1));
  });

  it('changes with the first millisecond of a day in UTC, and belongs to its month', () => {
    const moments = fc.date({ min: new Date(DISCORD_EPOCH_MS), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(moments, (moment) => {
        const id = snowflakeAt(moment.getTime());
        const end = endOfDayOfSnowflake(id);
        assert.ok(end > moment.getTime() && end - moment.getTime() <= DAY_MS);
        assert.equal(dayOfSnowflake(snowflakeAt(end - 1)), dayOfSnowflake(id));
        assert.notEqual(dayOfSnowflake(snowflakeAt(end)), dayOfSnowflake(id));
        assert.equal(dayOfSnowflake(id).slice(0, 6), periodOfSnowflake(id));
      }),
    );
  });
});

describe('months', () => {
  it('follow each other without gaps, over the turn of the year as well', () => {
    assert.equal(previousPeriod('202601'), '202512');
    assert.equal(endOfPeriod('202612'), Date.UTC(2027, 0, 1));
    fc.assert(
      fc.property(periods, (period) => {
        assert.equal(periodOf(endOfPeriod(period) - 1), period);
        assert.equal(periodOf(startOfPeriod(period)), period);
        assert.equal(startOfPeriod(period), endOfPeriod(previousPeriod(period)));
        assert.equal(previousPeriod(periodOf(endOfPeriod(period))), period);
      }),
    );
  });

  it('are read as people write them', () => {
    assert.equal(parsePeriod('2026-11'), '202611');
    assert.equal(parsePeriod(' 202611 '), '202611');
    fc.assert(fc.property(periods, (period) => assert.equal(parsePeriod(formatPeriod(period)), period)));
  });

  it('are not read from anything else', () => {
    for (const text of ['', '2026-13', '2026-00', '2026-1', '26-11', '2026-11-01', 'november', '2026--11']) {
      assert.equal(parsePeriod(text), undefined, text);
    }
  });
});
