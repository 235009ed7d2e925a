import { POSTGRES_URL, REDIS_URL } from '../contracts/servers.ts';

/** A bug that somebody could write into the program by mistake, and the tests that must not let it through. */
export type Mutant = {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Every one of these test files has to fail by itself. */
  readonly killers: readonly string[];
  /** The server without which the killers leave their tests out. */
  readonly server?: string;
};

/** Replaces a piece of a source file that must be there exactly once. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };

const ACCOUNT = 'src/billing/guild-account.ts';
const LEDGER = 'src/billing/ledger.ts';
const MOVEMENTS = 'src/billing/movements.ts';
const SQLITE = 'src/storage/sqlite-backend.ts';
const PLAIN = 'src/storage/plain-backend.ts';
const POSTGRES = 'src/storage/postgres-backend.ts';
const REDIS = 'src/storage/redis-backend.ts';
const JOBS = 'src/services/image-jobs.ts';
const UNDER_WAY = 'src/services/job-under-way.ts';
const RECORDS = 'src/services/record-file.ts';
const RECOVERY = 'src/services/job-recovery.ts';
const RESERVATION = 'src/services/reservation.ts';
const HOLDS = 'src/services/hold-expiry.ts';

const RANDOM_RUNS = 'test/billing/ledger-properties.test.ts';
const ACCOUNT_TESTS = 'test/billing/guild-account.test.ts';
const MEMBER_TESTS = 'test/billing/member-account.test.ts';
const LEDGER_TESTS = 'test/billing/ledger.test.ts';
const MEMORY_TESTS = 'test/billing/account-memory.test.ts';
const JOB_TESTS = 'test/services/image-jobs.test.ts';
const CANCELLING_TESTS = 'test/services/job-cancelling.test.ts';
const BUTTON_TROUBLE = 'test/scenarios/button-trouble.test.ts';
const AFTERWARDS = 'test/scenarios/results-afterwards.test.ts';
const RESERVATION_TESTS = 'test/services/reservation.test.ts';
const RECOVERY_TESTS = 'test/services/job-recovery.test.ts';
const HOLD_TESTS = 'test/services/hold-expiry.test.ts';
const RECORD_TESTS = 'test/services/record-file.test.ts';
const SPOOL_TESTS = 'test/services/spool.test.ts';
const SQLITE_TESTS = 'test/storage/sqlite-store.test.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'the head is written before the entry',
    edits: [
      {
        file: SQLITE,
        find: '  function commitOne({ guardKey, expected, rows }: AtomicChange): boolean {',
        replace: `  function commitOne(change: AtomicChange): boolean {
    const guard = change.rows.filter(({ key }) => key === change.guardKey);
    const others = change.rows.filter(({ key }) => key !== change.guardKey);
    return (
      commitRows({ ...change, rows: guard }) && commitRows({ ...change, expected: guard[0]?.value, rows: others })
    );
  }

  function commitRows({ guardKey, expected, rows }: AtomicChange): boolean {`,
      },
    ],
    killers: [SQLITE_TESTS],
  },
  {
    name: 'SQLite does not compare',
    edits: [
      {
        file: SQLITE,
        find: 'WHERE (SELECT value FROM ${table} WHERE key = ? AND namespace = ?) IS ?',
        replace: 'WHERE (SELECT value FROM ${table} WHERE key = ? AND namespace = ?) IS ? OR TRUE',
      },
    ],
    killers: [SQLITE_TESTS],
  },
  {
    name: 'SQLite writes a group of commits one by one',
    edits: [
      {
        file: SQLITE,
        find: 'if (changes.length === 1) return changes.map(commitOne);',
        replace: 'if (changes.length > 0) return changes.map(commitOne);',
      },
    ],
    killers: [SQLITE_TESTS],
  },
  {
    name: 'SQLite reports a commit before it is on the disk',
    edits: [{ file: SQLITE, find: 'PRAGMA synchronous = FULL', replace: 'PRAGMA synchronous = OFF' }],
    killers: [SQLITE_TESTS],
  },
  {
    name: 'SQLite keeps no journal on the disk',
    edits: [{ file: SQLITE, find: 'PRAGMA journal_mode = WAL;', replace: 'PRAGMA journal_mode = MEMORY;' }],
    killers: [SQLITE_TESTS],
  },
  {
    name: 'a group of commits is told of before it is written',
    edits: [
      {
        file: 'src/storage/commit-groups.ts',
        find: 'const answers = await writeAll(',
        replace: 'for (const { resolve } of group) resolve(true);\n      const answers = await writeAll(',
      },
    ],
    killers: [SQLITE_TESTS, 'test/storage/commit-groups.test.ts'],
  },
  {
    name: 'PostgreSQL does not compare',
    server: POSTGRES_URL,
    edits: [
      { file: POSTGRES, find: 'AND value = $4 RETURNING key', replace: 'AND $4::text IS NOT NULL RETURNING key' },
    ],
    killers: ['test/storage/postgres-store.test.ts'],
  },
  {
    name: 'Redis does not compare',
    server: REDIS_URL,
    edits: [{ file: REDIS, find: 'elseif current ~= ARGV[2] then', replace: 'elseif false then' }],
    killers: ['test/storage/redis-store.test.ts'],
  },
  {
    name: 'a plain store does not write down what it intends',
    edits: [{ file: PLAIN, find: 'await writeText(INTENT_KEY, JSON.stringify({ value: rows }));', replace: '' }],
    killers: ['test/storage/plain-store.test.ts'],
  },
  {
    name: 'a plain store lets two processes in',
    edits: [
      {
        file: PLAIN,
        find: 'const lock = takeFileLock(lockPath);',
        replace: 'const lock = takeFileLock(`${lockPath}.${Math.random()}`);',
      },
    ],
    killers: ['test/storage/plain-store.test.ts'],
  },
  {
    name: 'no mutex, and no comparison with what was read',
    edits: [
      {
        file: MOVEMENTS,
        find: 'return mutex.run(key, async () =>',
        replace: 'return Promise.resolve(key).then(async () =>',
      },
      {
        file: MOVEMENTS,
        find: 'guard: { key, expected: head?.version, next: outcome.head },',
        replace: 'guard: { key, expected: (await store.read(key))?.version, next: outcome.head },',
      },
    ],
    killers: [RANDOM_RUNS],
  },
  {
    name: 'whose request it is is asked once, before there is one',
    edits: [
      {
        file: MOVEMENTS,
        find: 'if (found !== expected) return readPartsOf(order, found);',
        replace: 'if (found === null) return readPartsOf(order, found);',
      },
    ],
    killers: [LEDGER_TESTS],
  },
  {
    name: 'an empty piece of an answer is waited for',
    edits: [
      {
        file: 'src/services/providers/incoming-body.ts',
        find: 'if (piece.length === 0) return;',
        replace: '',
      },
    ],
    killers: ['test/services/providers/incoming-body.test.ts'],
  },
  {
    name: 'a request is refused on what is remembered of its account',
    edits: [
      {
        file: MOVEMENTS,
        find: 'if (outcome && outcome !== lostRace && outcome.refused === undefined) return outcome;',
        replace: 'if (outcome && outcome !== lostRace) return outcome;',
      },
    ],
    killers: [MEMORY_TESTS],
  },
  {
    name: 'what is remembered of an account outlives what another process has done to it',
    edits: [
      {
        file: 'src/billing/account-memory.ts',
        find: 'const stillTrue = before?.head.version === guardedBy ? before : undefined;',
        replace: 'const stillTrue = before;',
      },
    ],
    killers: [RANDOM_RUNS, MEMORY_TESTS],
  },
  {
    name: 'no dedupe: a transfer can be reserved again',
    edits: [
      {
        file: ACCOUNT,
        find: "if (movement.type === 'reserve' && current) return { refused: 'duplicate', transfer: current };",
        replace: '',
      },
      {
        file: ACCOUNT,
        find: "const isInOrder = allowedAfter[current?.type ?? 'nothing'].includes(movement.type);",
        replace:
          "const isInOrder = movement.type === 'reserve' || allowedAfter[current?.type ?? 'nothing'].includes(movement.type);",
      },
    ],
    killers: [RANDOM_RUNS, ACCOUNT_TESTS],
  },
  {
    name: 'no hold: a reservation takes nothing from the budget',
    edits: [{ file: ACCOUNT, find: 'totals.held += movement.amount;', replace: '' }],
    killers: [RANDOM_RUNS, ACCOUNT_TESTS],
  },
  {
    name: 'a hold whose dispatch failed stays, as if its call had gone out',
    edits: [{ file: HOLDS, find: 'await ledger.void(hold.ref, hold.reason);', replace: '' }],
    killers: [RESERVATION_TESTS],
  },
  {
    name: 'holds whose time is over stand in the way of who asks',
    edits: [
      {
        file: RESERVATION,
        find: '(await ledger.expireHolds(guild, period)) > 0',
        replace: '(await ledger.expireHolds(guild, period)) < 0',
      },
    ],
    killers: [RESERVATION_TESTS],
  },
  {
    name: 'the hold of a call is over when it goes out',
    edits: [{ file: RESERVATION, find: 'now() + parts.callMsMax + DISPATCH_MARGIN_MS', replace: 'now()' }],
    killers: [RESERVATION_TESTS],
  },
  {
    name: 'the hold of a call leaves it no time to repeat itself',
    edits: [
      {
        file: 'src/services/provider-call.ts',
        find: 'return RETRY_WINDOW_MS + timeoutMs;',
        replace: 'return timeoutMs;',
      },
    ],
    killers: ['test/services/provider-call.test.ts'],
  },
  {
    name: 'a reservation whose store failed frees the hold of another process, whose call is out',
    edits: [
      {
        file: RESERVATION,
        find: 'await ledger.voidUndispatched(refOf(job), reason);',
        replace: 'await ledger.void(refOf(job), reason);',
      },
    ],
    killers: [RESERVATION_TESTS],
  },
  {
    name: 'the folder of a paid result can be lost with the power, and everything in it',
    edits: [
      {
        file: 'src/services/folder-names.ts',
        find: 'if (unsure.has(OWN_NAME)) await syncNames(dirname(folder));',
        replace: '',
      },
    ],
    killers: [SPOOL_TESTS],
  },
  {
    name: 'the name of a picture is taken for durable that never had a file',
    edits: [
      {
        file: 'src/services/spool.ts',
        find: 'openResultSink(pathOf(name), shelf, patiently, () => names.note(name))',
        replace: 'openResultSink(pathToWrite(name), shelf, patiently)',
      },
    ],
    killers: [SPOOL_TESTS, 'test/services/idle-folders.test.ts'],
  },
  {
    name: 'what is kept is brought again with every sweep',
    edits: [{ file: RECOVERY, find: 'if (job.keptUntil !== undefined) return;', replace: '' }],
    killers: [RECOVERY_TESTS],
  },
  {
    name: 'what is kept for somebody is offered to everybody in their server',
    edits: [
      {
        file: 'src/services/kept-results.ts',
        find: 'request.guild === guild && request.member === member',
        replace: 'request.guild === guild || request.member === member',
      },
    ],
    killers: ['test/scenarios/delivery.test.ts'],
  },
  {
    name: 'what is kept for a member of one server is offered to them in others',
    edits: [
      {
        file: 'src/services/kept-results.ts',
        find: 'request.guild === guild && request.member === member',
        replace: 'request.member === member',
      },
    ],
    killers: ['test/scenarios/delivery.test.ts'],
  },
  {
    name: 'what is kept is dropped under a fetch',
    edits: [{ file: RECOVERY, find: 'job.keptUntil + FETCH_MS_MAX <= now()', replace: 'job.keptUntil <= now()' }],
    killers: [RECOVERY_TESTS],
  },
  {
    name: 'what is fetched may be taken over under the fetch',
    edits: [
      {
        file: 'src/services/kept-results.ts',
        find: 'if (!jobOnDisk || lease.isAlive(jobOnDisk.owner)) return jobOnDisk && kept;',
        replace: 'if (!jobOnDisk || lease.isAlive(jobOnDisk.owner) || kept) return jobOnDisk && kept;',
      },
    ],
    killers: ['test/services/kept-results.test.ts'],
  },
  {
    name: 'after a loss of power a job comes back to the pictures of the next one',
    edits: [{ file: 'src/services/spool.ts', find: '      await makeOwnerDurable();\n', replace: '' }],
    killers: [SPOOL_TESTS],
  },
  {
    name: 'a picture ends with what a longer one has left behind it',
    edits: [{ file: 'src/services/durable-file.ts', find: '    ftruncateSync(file, sizeBytes);\n', replace: '' }],
    killers: ['test/services/idle-folders.test.ts'],
  },
  {
    name: 'pictures of other jobs are kept with a result for a day',
    edits: [{ file: 'src/services/job-journal.ts', find: '      await job.folder.removeLeftovers();\n', replace: '' }],
    killers: ['test/services/job-journal.test.ts'],
  },
  {
    name: 'holds are called over before it is booked what is known of their calls',
    edits: [
      {
        file: RECOVERY,
        find: '    recoverJobs,\n    async () => holds.expire(stopping.signal),\n',
        replace: '    async () => holds.expire(stopping.signal),\n    recoverJobs,\n',
      },
    ],
    killers: [RECOVERY_TESTS],
  },
  {
    name: 'an outcome that is on its way is sent off again',
    edits: [{ file: RECOVERY, find: ' && !deliveries.has(id)', replace: '' }],
    killers: [RECOVERY_TESTS],
  },
  {
    name: 'what another process has left of a request is told after its end, and over it',
    edits: [
      {
        file: RECOVERY,
        find: 'if (!job.plan && ended.has(job.request.id)) return journal.end(job);',
        replace: '',
      },
    ],
    killers: [RECOVERY_TESTS],
  },
  {
    name: 'what another process has left of a request is taken over before ours is gone',
    edits: [
      {
        file: RECOVERY,
        find: 'filter(({ id }) => !jobs.isRunning(id)',
        replace: 'filter(({ id, owner }) => (owner !== lease.owner || !jobs.isRunning(id))',
      },
      {
        file: RECOVERY,
        find: 'new Map([...others, ...ours].map((job) => [job.id, job]))',
        replace: 'new Map([...others, ...ours].map((job) => [job.folder, job]))',
      },
    ],
    killers: [RECOVERY_TESTS],
  },
  {
    name: 'servers with holds are looked for at the start only',
    edits: [
      {
        file: HOLDS,
        find: 'if (now() - listedAt < LIST_INTERVAL_MS) return;',
        replace: 'if (listedAt > 0) return;',
      },
    ],
    killers: [HOLD_TESTS],
  },
  {
    name: 'what a member has in flight is not counted',
    edits: [
      {
        file: ACCOUNT,
        find: 'const own = holds.filter(({ member: holder }) => holder === movement.details.member);',
        replace: 'const own = holds.filter(() => false);',
      },
    ],
    killers: [RANDOM_RUNS, MEMBER_TESTS],
  },
  {
    name: 'what is held does not count against the budget',
    edits: [
      {
        file: ACCOUNT,
        find: 'return limit - spentOrHeld(head);',
        replace: 'return limit - head.settled - head.exposure;',
      },
    ],
    killers: [RANDOM_RUNS, ACCOUNT_TESTS],
  },
  {
    name: 'what is not known does not count against the budget',
    edits: [
      {
        file: ACCOUNT,
        find: 'return limit - spentOrHeld(head);',
        replace: 'return limit - head.settled - head.held;',
      },
    ],
    killers: [RANDOM_RUNS, ACCOUNT_TESTS],
  },
  {
    name: 'the limits of a member are checked outside the commit',
    edits: [
      {
        file: LEDGER,
        find: 'import { periodOfSnowflake, periodsBack }',
        replace: 'import { dayOfSnowflake, periodOfSnowflake, periodsBack }',
      },
      {
        file: LEDGER,
        find: `reserve: async (ref, { limit, memberLimits = {}, ...order }) =>
      move(ref, { type: 'reserve', ...order }, { limit, memberLimits }),`,
        replace: `reserve: async (ref, { limit, memberLimits = {}, ...order }) => {
      const { nanoUsdPerMonth = Infinity, imagesPerDay = Infinity } = memberLimits;
      const member = await readMember(ref.guild, periodOfSnowflake(ref.transfer), order.details.member);
      const remaining = nanoUsdPerMonth - member.settled - member.held - member.exposure;
      if (order.amount > remaining) return { refused: 'over-member-budget', remaining };
      const imagesLeft = imagesPerDay - (member.imagesByDay[dayOfSnowflake(ref.transfer)] ?? 0);
      if (order.details.count > imagesLeft) return { refused: 'too-many-images', remaining: imagesLeft };
      return move(ref, { type: 'reserve', ...order }, { limit });
    },`,
      },
    ],
    killers: [RANDOM_RUNS, LEDGER_TESTS],
  },
  {
    name: "a member's part is written apart from the head",
    edits: [
      {
        file: MOVEMENTS,
        find: `        { key: memberKey(guild, period, outcome.transfer.member), value: outcome.member },
      ],
    });
    if (version === undefined) return lostRace;`,
        replace: `      ],
    });
    if (version === undefined) return lostRace;
    const partKey = memberKey(guild, period, outcome.transfer.member);
    const memberPart = await store.read(partKey);
    await store.commit({ guard: { key: partKey, expected: memberPart?.version, next: outcome.member }, writes: [] });`,
      },
    ],
    killers: [RANDOM_RUNS],
  },
  {
    name: 'images that were not made still count',
    edits: [
      {
        file: ACCOUNT,
        find: "if (movement.type === 'void' || movement.type === 'release') return { ...imagesByDay, [day]: before - images };",
        replace: '',
      },
    ],
    killers: [RANDOM_RUNS, MEMBER_TESTS],
  },
  {
    name: 'a refusal that turns up late takes what it frees from what is held',
    edits: [
      {
        file: ACCOUNT,
        find: 'if (isExposed) totals.exposure -= held;\n      else totals.held -= held;',
        replace: 'totals.held -= held;',
      },
    ],
    killers: [RANDOM_RUNS, ACCOUNT_TESTS],
  },
  {
    name: 'a refusal that turns up late does not end what is unknown',
    edits: [{ file: ACCOUNT, find: "unknown: ['post', 'void', 'release'],", replace: "unknown: ['post', 'release']," }],
    killers: [RANDOM_RUNS, ACCOUNT_TESTS, 'test/services/job-resumption.test.ts'],
  },
  {
    name: 'expiry frees a call that went out',
    edits: [
      {
        file: LEDGER,
        find: "{ type: 'unknown', reason: 'expired' }, { onlyAfter: 'dispatch' }",
        replace: "{ type: 'void', reason: 'expired' }, { onlyAfter: 'dispatch' }",
      },
    ],
    killers: [RANDOM_RUNS, LEDGER_TESTS],
  },
  {
    name: 'expiry believes what it read before its commit',
    edits: [
      {
        file: LEDGER,
        find: "{ type: 'void', reason: 'expired' }, { onlyAfter: 'reserve' }",
        replace: "{ type: 'void', reason: 'expired' }",
      },
    ],
    killers: [RANDOM_RUNS],
  },
  {
    name: 'a hold whose time is over can still go out',
    edits: [
      {
        file: ACCOUNT,
        find: "if (movement.type === 'dispatch' && (!hold || hold.expiresAt <= order.at)) return { refused: 'expired' };",
        replace: '',
      },
    ],
    killers: [ACCOUNT_TESTS],
  },
  {
    name: 'a call is made though the ledger refused to let it go out',
    edits: [
      {
        file: JOBS,
        find: 'return refusal ? refused(refusal) : callAndSettle(current);',
        replace: 'return callAndSettle(current);',
      },
    ],
    killers: [JOB_TESTS],
  },
  {
    name: 'the month of a request is that of the clock',
    edits: [
      {
        file: MOVEMENTS,
        find: 'const period = periodOfSnowflake(ref.transfer);',
        replace: 'const period = new Date(now()).toISOString().slice(0, 7).replace("-", "");',
      },
    ],
    killers: [LEDGER_TESTS],
  },
  {
    name: 'a call that may have been charged is made again',
    edits: [
      {
        file: 'src/services/provider-call.ts',
        find: "if (!(error instanceof ProviderFailure) || error.charged !== 'no' || retry >= RETRIES_MAX) return false;",
        replace: 'if (!(error instanceof ProviderFailure) || retry >= RETRIES_MAX) return false;',
      },
    ],
    killers: ['test/services/provider-call.test.ts'],
  },
  {
    name: 'a stopping process begins a call that it might not see the end of',
    edits: [
      {
        file: 'src/services/provider-call.ts',
        find: "if (closing.aborted) throw new ProviderFailure('stopping', 'no', { message: 'the process is stopping' });",
        replace: '',
      },
    ],
    killers: ['test/services/provider-call.test.ts'],
  },
  {
    name: 'the line goes on when it is closed',
    edits: [{ file: 'src/services/fair-queue.ts', find: "if (isClosed) return { refused: 'stopping' };", replace: '' }],
    killers: ['test/services/fair-queue.test.ts'],
  },
  {
    name: 'a call goes out for somebody who has cancelled',
    edits: [
      {
        file: 'src/services/provider-call.ts',
        find: "if (recall.signal.aborted) throw new ProviderFailure('cancelled', 'no', { message: 'cancelled by the member' });",
        replace: '',
      },
    ],
    killers: ['test/services/provider-call.test.ts'],
  },
  {
    name: 'a job whose call is out is said to be cancelled for nothing',
    edits: [
      {
        file: UNDER_WAY,
        find: "return cancelledAt === 'out' ? 'running' : 'cancelled';",
        replace: "return 'cancelled';",
      },
    ],
    killers: [CANCELLING_TESTS],
  },
  {
    name: 'that a job was cancelled is not written down',
    edits: [
      {
        file: UNDER_WAY,
        find: "const onDisk = cancelledAt === 'settling' ? settled : note();",
        replace: "const onDisk = cancelledAt === 'settling' ? settled : Promise.resolve();",
      },
    ],
    killers: [CANCELLING_TESTS],
  },
  {
    name: 'a bill is booked before its receipt is on disk',
    edits: [
      {
        file: JOBS,
        find: `      await journal.writeReceipt(current.job, receipt);
      return await completion.complete(current.job, receipt);`,
        replace: `      const outcome = await completion.complete(current.job, receipt);
      await journal.writeReceipt(current.job, receipt);
      return outcome;`,
      },
    ],
    killers: [JOB_TESTS],
  },
  {
    name: 'news that comes late stays over a result',
    edits: [
      {
        file: 'src/discord/delivery.ts',
        find: "sent.result === 'sent' && way === inReply && lateNews",
        replace: "sent.result === 'later' && way === inReply && lateNews",
      },
    ],
    killers: ['test/discord/delivery.test.ts'],
  },
  {
    name: 'what previews cost is not held',
    edits: [
      {
        file: 'src/billing/estimate.ts',
        find: 'call.outputTokensMax + call.partialImages * PARTIAL_IMAGE_TOKENS',
        replace: 'call.outputTokensMax',
      },
    ],
    killers: ['test/billing/estimate.test.ts', 'test/services/call-planning.test.ts'],
  },
  {
    name: 'an input that is told in its parts alone is free',
    edits: [
      {
        file: 'src/billing/token-usage.ts',
        find: 'const input = sum === undefined ? (told ?? undefined) : Math.max(told ?? 0, sum);',
        replace: 'const input = told ?? undefined;',
      },
    ],
    killers: ['test/billing/token-usage.test.ts'],
  },
  {
    name: 'a stream that ends in a refusal cost nothing, whatever came before it',
    edits: [
      {
        file: 'src/services/providers/provider-errors.ts',
        find: "return hasPartialImages ? 'unknown' : claimed;",
        replace: 'return claimed;',
      },
    ],
    killers: ['test/services/providers/openai-images-stream.test.ts'],
  },
  {
    name: 'a preview is taken for the picture',
    edits: [
      {
        file: 'src/services/providers/image-event-reader.ts',
        find: 'yield* this.#keepImage(this.#takers.previews);',
        replace: 'yield* this.#keepImage(this.#takers.writer);',
      },
      {
        file: 'src/services/providers/image-event-reader.ts',
        find: 'this.#imageTaker = isPartial ? this.#takers.previews : this.#takers.writer;',
        replace: 'this.#imageTaker = this.#takers.writer;',
      },
    ],
    killers: ['test/services/providers/image-event-reader.test.ts'],
  },
  {
    name: 'a copy is posted without a look whether the reply has it already',
    edits: [
      {
        file: 'src/discord/delivery.ts',
        find: 'return posted ?? postMessage(',
        replace: 'return (posted && undefined) ?? postMessage(',
      },
    ],
    killers: [AFTERWARDS],
  },
  {
    name: 'what stands in its message is taken for undelivered while its originals are kept',
    edits: [
      {
        file: 'src/services/kept-results.ts',
        find: 'filter(({ originals }) => originals === undefined)',
        replace: 'filter(() => true)',
      },
    ],
    killers: ['test/services/job-conclusion.test.ts'],
  },
  {
    name: 'a result is told of again when it is fetched',
    edits: [
      {
        file: 'src/services/job-conclusion.ts',
        find: 'if (job.keptUntil === undefined) parts.onEnd(',
        replace: 'parts.onEnd(',
      },
    ],
    killers: ['test/services/job-conclusion.test.ts', AFTERWARDS],
  },
  {
    name: 'images that arrived whole are the price of an answer that was cut off',
    edits: [{ file: 'src/services/job-completion.ts', find: 'if (receipt.isCutOff) return undefined;', replace: '' }],
    killers: ['test/services/job-completion.test.ts'],
  },
  {
    name: 'the record of a result is written when its message is there already',
    edits: [
      {
        file: 'src/services/job-completion.ts',
        find: 'records.write(job, receipt.imageCount);',
        replace: 'void setTimeout(() => void records.write(job, receipt.imageCount), 5_000).unref();',
      },
    ],
    killers: ['test/services/job-completion.test.ts', AFTERWARDS],
  },
  {
    name: 'the log channel is shown the prompt of a private result',
    edits: [
      {
        file: 'src/discord/job-log.ts',
        find: '...(isPrivate ? [] : [`> ${prompt}`])',
        replace: '`> ${prompt}`',
      },
    ],
    killers: [AFTERWARDS],
  },
  {
    name: 'a month is pruned, and the prompts of its results stay',
    edits: [
      {
        file: 'src/tools/pruning.ts',
        find: '      ...[...transfers].map((transfer) => resultKey(guild, transfer)),\n',
        replace: '',
      },
    ],
    killers: ['test/tools/pruning.test.ts'],
  },
  {
    name: 'a private result is that of everybody whose button names it',
    edits: [
      {
        file: 'src/commands/posted-result.ts',
        find: 'return record.asked.isPrivate && record.member !== interaction.user.id ? undefined : record;',
        replace: 'return record;',
      },
    ],
    killers: [BUTTON_TROUBLE],
  },
  {
    name: 'an error takes the place of a result that is paid for',
    edits: [
      {
        file: 'src/commands/delete.ts',
        find: "return sayAlone(words.say('delete.failed'));",
        replace: "return replies.edit(interaction, renderText(words.say('delete.failed')));",
      },
    ],
    killers: [BUTTON_TROUBLE],
  },
  {
    name: 'a result does not wait for news that is on its way, and is covered by it',
    edits: [
      {
        file: 'src/discord/progress-message.ts',
        find: 'await within(LAST_NEWS_WAIT_MS_MAX, async () => editing);\n      return isEditing ? { settled: editing } : undefined;',
        replace: 'return undefined;',
      },
    ],
    killers: ['test/discord/progress-message.test.ts'],
  },
  {
    name: 'a line of a record is written right behind what a crash left of the one before',
    edits: [
      {
        file: RECORDS,
        find: '`${LINE_END}${JSON.stringify(record)}${LINE_END}`',
        replace: '`${JSON.stringify(record)}${LINE_END}`',
      },
    ],
    killers: [RECORD_TESTS],
  },
  {
    name: 'a receipt is reported before it is on the disk',
    edits: [{ file: RECORDS, find: 'if (isDurable) await syncData(file);', replace: '' }],
    killers: [SPOOL_TESTS],
  },
  {
    name: 'a cleared record still says what it said, to whoever looks into the file',
    edits: [{ file: RECORDS, find: 'Buffer.alloc(usedBytes, BLANK)', replace: 'Buffer.from(BLANK)' }],
    killers: [RECORD_TESTS],
  },
  {
    name: 'jobs get ahead of the acknowledgements of others',
    edits: [
      {
        file: 'src/discord/acknowledgements.ts',
        find: 'if (unsentCount === 0) return;',
        replace: 'if (unsentCount >= 0) return;',
      },
    ],
    killers: ['test/discord/acknowledgements.test.ts'],
  },
];
