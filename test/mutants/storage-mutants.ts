import { POSTGRES_URL, REDIS_URL } from '../contracts/servers.ts';
import type { Mutant } from './mutant.ts';

const SQLITE = 'src/storage/sqlite-backend.ts';
const PLAIN = 'src/storage/plain-backend.ts';
const POSTGRES = 'src/storage/postgres-backend.ts';
const REDIS = 'src/storage/redis-backend.ts';
const SQLITE_TESTS = 'test/storage/sqlite-store.test.ts';

/** Bugs in what makes a commit whole, and durable. */
export const storageMutants: readonly Mutant[] = [
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
];
