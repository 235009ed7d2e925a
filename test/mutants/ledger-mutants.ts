import type { Mutant } from './mutant.ts';

const ACCOUNT = 'src/billing/guild-account.ts';
const LEDGER = 'src/billing/ledger.ts';
const MOVEMENTS = 'src/billing/movements.ts';
const RANDOM_RUNS = 'test/billing/ledger-properties.test.ts';
const ACCOUNT_TESTS = 'test/billing/guild-account.test.ts';
const MEMBER_TESTS = 'test/billing/member-account.test.ts';
const LEDGER_TESTS = 'test/billing/ledger.test.ts';
const ADJUST_TESTS = 'test/tools/adjust.test.ts';
const MEMORY_TESTS = 'test/billing/account-memory.test.ts';

/** Bugs in the books: entries, budgets, and what is replayed of them. */
export const ledgerMutants: readonly Mutant[] = [
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
    name: 'two corrections that were worked out from the same cost are both booked',
    edits: [
      {
        file: ACCOUNT,
        find: 'if (order.onlyFrom !== undefined && order.onlyFrom !== current?.amount) {',
        replace: 'if (order.onlyFrom !== undefined && current === undefined) {',
      },
    ],
    killers: [ACCOUNT_TESTS, ADJUST_TESTS],
  },
  {
    name: 'a correction is booked without what it was worked out from',
    edits: [
      {
        file: 'src/tools/call-corrections.ts',
        find: '{ amount: cost - posted, ...why }, posted)',
        replace: '{ amount: cost - posted, ...why })',
      },
    ],
    killers: [ADJUST_TESTS],
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
];
