import type { Mutant } from './mutant.ts';

const JOBS = 'src/services/image-jobs.ts';
const UNDER_WAY = 'src/services/job-under-way.ts';
const RECORDS = 'src/services/spool/record-file.ts';
const RECOVERY = 'src/services/job-recovery.ts';
const RESERVATION = 'src/services/reservation.ts';
const HOLDS = 'src/services/hold-expiry.ts';
const JOB_TESTS = 'test/services/image-jobs.test.ts';
const CANCELLING_TESTS = 'test/services/job-cancelling.test.ts';
const AFTERWARDS = 'test/scenarios/results-afterwards.test.ts';
const RESERVATION_TESTS = 'test/services/reservation.test.ts';
const RECOVERY_TESTS = 'test/services/job-recovery.test.ts';
const HOLD_TESTS = 'test/services/hold-expiry.test.ts';
const RECORD_TESTS = 'test/services/spool/record-file.test.ts';
const SPOOL_TESTS = 'test/services/spool/spool.test.ts';

/** Bugs on the way of a job, from its request to its recovery. */
export const jobMutants: readonly Mutant[] = [
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
    name: 'a hold whose dispatch failed stays, as if its call had gone out',
    edits: [{ file: HOLDS, find: 'await ledger.void(hold.ref, hold.reason);', replace: '' }],
    killers: [RESERVATION_TESTS],
  },
  {
    name: 'holds whose time is over stand in the way of who asks',
    edits: [
      {
        file: RESERVATION,
        find: '(await expireHolds(job)) > 0',
        replace: '(await expireHolds(job)) < 0',
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
        file: 'src/services/spool/folder-names.ts',
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
        file: 'src/services/spool/spool.ts',
        find: 'openResultSink(pathOf(name), shelf, patiently, () => names.note(name))',
        replace: 'openResultSink(pathToWrite(name), shelf, patiently)',
      },
    ],
    killers: [SPOOL_TESTS, 'test/services/spool/idle-folders.test.ts'],
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
        find: 'if (lease.isAlive(jobOnDisk.owner)) return kept;',
        replace: 'if (lease.isAlive(jobOnDisk.owner) || kept) return kept;',
      },
    ],
    killers: ['test/services/kept-results.test.ts'],
  },
  {
    name: 'what a dead process has left of a request is in the way of what is left of it here',
    edits: [{ file: 'src/services/spool/spool.ts', find: 'if (idle.has(to)) {', replace: 'if (idle.has(from)) {' }],
    killers: [SPOOL_TESTS],
  },
  {
    name: 'after a loss of power a job comes back to the pictures of the next one',
    edits: [{ file: 'src/services/spool/spool.ts', find: '      await makeOwnerDurable();\n', replace: '' }],
    killers: [SPOOL_TESTS],
  },
  {
    name: 'a picture ends with what a longer one has left behind it',
    edits: [{ file: 'src/services/spool/durable-file.ts', find: '    ftruncateSync(file, sizeBytes);\n', replace: '' }],
    killers: ['test/services/spool/idle-folders.test.ts'],
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
    edits: [
      { file: 'src/services/queue/fair-queue.ts', find: "if (isClosed) return { refused: 'stopping' };", replace: '' },
    ],
    killers: ['test/services/queue/fair-queue.test.ts'],
  },
  {
    name: 'a call goes out for somebody who has cancelled',
    edits: [
      {
        file: 'src/services/provider-call.ts',
        find: 'if (cancellation.signal.aborted) {',
        replace: 'if (cancellation.signal.aborted && false) {',
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
        find: "const onDisk = cancelledAt === 'dispatching' ? settled : note();",
        replace: "const onDisk = cancelledAt === 'dispatching' ? settled : Promise.resolve();",
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
    name: 'a failure cost nothing because its words speak of a channel',
    edits: [
      {
        file: 'src/services/providers/provider-errors.ts',
        find: 'if (status === 503 && (',
        replace: 'if (status >= 500 && (',
      },
    ],
    killers: ['test/services/providers/provider-errors.test.ts'],
  },
  {
    name: 'news on the way to the picture is taken for an answer without one',
    edits: [
      {
        file: 'src/services/providers/image-event-reader.ts',
        find: 'answer.toldCount > 0',
        replace: 'answer.toldCount >= 0',
      },
    ],
    killers: ['test/services/providers/image-event-reader.test.ts'],
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
        find: "if (delivery.state === 'later' || job.keptUntil !== undefined) return delivery;",
        replace: "if (delivery.state === 'later') return delivery;",
      },
    ],
    killers: ['test/services/job-conclusion.test.ts', AFTERWARDS],
  },
  {
    name: 'what could not be put away is brought again',
    edits: [{ file: 'src/services/job-conclusion.ts', find: 'brought.set(id, delivery);', replace: '' }],
    killers: ['test/services/job-conclusion.test.ts'],
  },
  {
    name: 'a receipt that could not be written down is forgotten',
    edits: [{ file: 'src/services/receipt-record.ts', find: 'unwritten.set(id, receipt);', replace: '' }],
    killers: ['test/services/job-resumption.test.ts'],
  },
  {
    name: 'a budget that was closed while pictures came in is spent from',
    edits: [
      {
        file: 'src/services/image-jobs.ts',
        find: 'pictures.images.length > 0 ? await admission.confirm(admitted) :',
        replace: 'pictures.images.length > 99 ? await admission.confirm(admitted) :',
      },
    ],
    killers: ['test/services/image-jobs.test.ts'],
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
];
