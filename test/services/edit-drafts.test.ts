import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createEditDrafts } from '../../src/services/edit-drafts.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createRequest } from './job-fixture.ts';

const MINUTE_MS = 60_000;
const GUILD = 'guild';

function open() {
  const time = { now: 0 };
  const database = createMemoryDatabase();
  const outside = { now: () => time.now, random: () => 0, sleep: async () => undefined };
  const drafts = createEditDrafts({ ...outside, store: database.connect() });
  const ask = async (id: string, member = 'mira') =>
    drafts.open({ request: createRequest({ id, guild: GUILD, member }), pictures: [] });
  const invite = async (id: string, press: string) =>
    drafts.invite(GUILD, id, { id: press, roles: [], address: { token: press } });
  const known = async (ids: readonly string[]) => {
    const found = await Promise.all(ids.map(async (id) => drafts.read(GUILD, id)));
    return found.flatMap((draft) => draft?.request.id ?? []);
  };
  return { drafts, time, database, ask, invite, known };
}

describe('drafts of edits', () => {
  it('are taken once, by whoever is first', async () => {
    const { drafts, ask } = open();
    await ask('1');
    const taken = await Promise.all([1, 2, 3].map(async () => drafts.take(GUILD, '1')));
    assert.equal(taken.filter((draft) => draft !== undefined).length, 1);
    assert.equal(await drafts.read(GUILD, '1'), undefined);
  });

  it('are taken by a press only where it was the last one', async () => {
    const { drafts, ask, invite } = open();
    await ask('1');
    assert.equal(await drafts.takeInvited(GUILD, '1', '7'), undefined);
    await invite('1', '7');
    await invite('1', '8');
    assert.equal(await drafts.takeInvited(GUILD, '1', '7'), undefined);
    assert.equal((await drafts.takeInvited(GUILD, '1', '8'))?.invitation.address['token'], '8');
    assert.equal(await invite('1', '9'), undefined);
  });

  it('are put back as they were, and no longer for that', async () => {
    const { drafts, ask, invite, time, known } = open();
    await ask('1');
    const invited = await invite('1', '7');
    const taken = (await drafts.takeInvited(GUILD, '1', '7')) ?? assert.fail('there was nothing to take');
    time.now = 9 * MINUTE_MS;
    await ask('2');
    await drafts.putBack(taken);
    assert.deepEqual(await drafts.read(GUILD, '1'), invited);
    assert.ok(await drafts.takeInvited(GUILD, '1', '7'));
    await drafts.putBack(taken);
    time.now = 15 * MINUTE_MS;
    assert.deepEqual(await known(['1', '2']), ['2']);
  });

  it('are kept for another press where a link has ended', async () => {
    const { drafts, time, ask, invite } = open();
    await ask('1');
    await invite('1', '7');
    time.now = 10 * MINUTE_MS - 1;
    assert.ok(await drafts.readInvited(GUILD, '1', '7'));
    time.now += 1;
    assert.equal(await drafts.readInvited(GUILD, '1', '7'), undefined);
    assert.equal(await drafts.takeInvited(GUILD, '1', '7'), undefined);
    assert.equal((await invite('1', '8'))?.invitation.until, 20 * MINUTE_MS);
    assert.ok(await drafts.takeInvited(GUILD, '1', '8'));
  });

  it('with a link that was stored without its end ask for another press', async () => {
    const { drafts, database, ask, invite } = open();
    const draft = await ask('1');
    const store = database.connect();
    const stored = await store.read(`edit-drafts:{${GUILD}}`);
    const next = [{ ...draft, invitation: { id: '7', roles: [], address: {} } }];
    await store.commit({ guard: { key: `edit-drafts:{${GUILD}}`, expected: stored?.version, next }, writes: [] });
    assert.equal(await drafts.takeInvited(GUILD, '1', '7'), undefined);
    await invite('1', '8');
    assert.ok(await drafts.takeInvited(GUILD, '1', '8'));
  });

  it('are forgotten after a quarter of an hour, counted from the last press', async () => {
    const { drafts, time, ask, invite, known, database } = open();
    await ask('1');
    await ask('2');
    time.now = 10 * MINUTE_MS;
    await invite('2', '7');
    time.now = 15 * MINUTE_MS;
    assert.deepEqual(await known(['1', '2']), ['2']);
    time.now = 25 * MINUTE_MS;
    assert.deepEqual(await known(['1', '2']), []);
    assert.equal(await drafts.takeInvited(GUILD, '2', '7'), undefined);
    assert.doesNotMatch(JSON.stringify(database.rows()), /mira/, 'they are not kept either');
  });

  it('are bounded for each member and each server, and another server has its own', async () => {
    const { drafts, ask, known } = open();
    for (const id of ['1', '2', '3', '4', '5', '6']) await ask(id);
    assert.deepEqual(await known(['1', '2', '3', '4', '5', '6']), ['2', '3', '4', '5', '6']);
    const others = Array.from({ length: 60 }, (_, index) => String(100 + index));
    for (const id of others) await ask(id, `member ${id}`);
    assert.equal((await known([...others, '6'])).length, 50);
    assert.equal(await drafts.read('another guild', '159'), undefined);
  });
});
