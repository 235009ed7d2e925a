import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/**
 * A rule of the linter that is written wrongly says nothing, and silence looks like order. So the rules that keep the
 * house in order are tried on code that breaks them.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** From left to right, as imports may run. What stands in one place does not import each other. */
const LAYERS = [
  ['main'],
  ['app'],
  ['composition'],
  ['commands', 'http', 'tools'],
  ['discord'],
  ['services'],
  ['billing'],
  ['storage'],
];

/** One file of each kind that the rules tell apart, and the libraries that it may import. */
const PLACES = [
  { file: 'src/main.ts', layer: 'main', libraries: [] },
  { file: 'src/app.ts', layer: 'app', libraries: [] },
  { file: 'src/composition.ts', layer: 'composition', libraries: [] },
  { file: 'src/commands/verb.ts', layer: 'commands', libraries: ['discord.js'] },
  { file: 'src/http/server.ts', layer: 'http', libraries: [] },
  { file: 'src/discord/gateway.ts', layer: 'discord', libraries: ['discord.js'] },
  { file: 'src/tools/verification.ts', layer: 'tools', libraries: [] },
  { file: 'src/services/queue.ts', layer: 'services', libraries: [] },
  { file: 'src/billing/ledger.ts', layer: 'billing', libraries: [] },
  { file: 'src/storage/store.ts', layer: 'storage', libraries: ['keyv', '@keyv/sqlite'] },
] as const;

/** What knows less than its layer may: each folder within the services, and the chart, with all that it may import. */
const UNITS = [
  { file: 'src/services/providers/provider.ts', knows: [], libraries: ['openai', 'openai/resources/images'] },
  { file: 'src/services/images/masks.ts', knows: ['src/services/providers/sizes.ts'], libraries: ['sharp'] },
  { file: 'src/services/queue/line.ts', knows: [], libraries: [] },
  {
    file: 'src/services/spool/files.ts',
    knows: ['src/services/providers/sizes.ts', 'src/storage/store.ts'],
    libraries: [],
  },
  {
    file: 'src/services/usage/report.ts',
    knows: ['src/services/one-by-one.ts', 'src/billing/money.ts', 'src/storage/store.ts'],
    libraries: [],
  },
  {
    file: 'src/services/usage/usage-chart.ts',
    knows: ['src/billing/money.ts'],
    libraries: ['echarts', 'echarts/core', '@resvg/resvg-js'],
  },
] as const;
const AROUND_THE_UNITS = [
  'src/services/providers/sizes.ts',
  'src/services/images/pixels.ts',
  'src/services/queue/turns.ts',
  'src/services/spool/folders.ts',
  'src/services/usage/rollups.ts',
  'src/services/one-by-one.ts',
  'src/services/job.ts',
  'src/billing/money.ts',
  'src/storage/store.ts',
  'src/discord/gateway.ts',
];
const EMULATORS = [
  'sandbox/discord/gateway.ts',
  'sandbox/provider/router.ts',
  'sandbox/page/routes.ts',
  'sandbox/page/client/main.ts',
];

const LIBRARIES = [
  'discord.js',
  'openai',
  'openai/resources/images',
  'sharp',
  'keyv',
  '@keyv/sqlite',
  'echarts',
  'echarts/core',
  '@resvg/resvg-js',
];
const AROUND_THE_PROGRAM = ['sandbox/stage.ts', 'test/audit.ts'];

describe('the rules of the house', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'easel-architecture-'));
    await cp(join(ROOT, '.oxlintrc.json'), join(directory, '.oxlintrc.json'));
  });
  after(async () => rm(directory, { recursive: true, force: true }));

  /** Answers which lines of which files the linter refuses by one rule, each as `file: line`. */
  async function refusedLines(rule: string, linesByFile: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
    await rm(join(directory, 'src'), { recursive: true, force: true });
    for (const [file, lines] of linesByFile) {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(join(directory, file), `${lines.join('\n')}\n`);
    }
    const { diagnostics } = await lint(directory);
    return diagnostics
      .filter(({ code }) => code === rule)
      .map(({ filename, labels }) => `${filename}: ${linesByFile.get(filename)?.[(labels[0]?.span.line ?? 0) - 1]}`)
      .toSorted();
  }

  it('know every folder of the program', async () => {
    const entries = await readdir(join(ROOT, 'src'), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const known: readonly string[] = PLACES.map(({ layer }) => layer);
    assert.deepEqual(
      folders.filter((folder) => !known.includes(folder)),
      [],
    );
  });

  it('know every folder within the services', async () => {
    const entries = await readdir(join(ROOT, 'src/services'), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `src/services/${name}`);
    assert.deepEqual(folders.toSorted(), [...new Set(UNITS.map(({ file }) => posix.dirname(file)))].toSorted());
  });

  it('let imports run one way only', async () => {
    const targets = PLACES.map(({ file, layer }) => ({ file: file.replace(/\/(\w+)\/.*/, '/$1/other.ts'), layer }));
    const linesByFile = new Map<string, string[]>();
    const wrong: string[] = [];
    for (const place of PLACES) {
      const { allowed, refused } = importsOf(place, targets);
      linesByFile.set(place.file, [...allowed, ...refused]);
      wrong.push(...refused.map((line) => `${place.file}: ${line}`));
    }
    for (const { file, knows } of UNITS) {
      const own = AROUND_THE_UNITS.filter((target) => posix.dirname(target) === posix.dirname(file));
      const allowed: readonly string[] = [...own, ...knows];
      const strangers = AROUND_THE_UNITS.filter((target) => !allowed.includes(target));
      const refused = strangers.flatMap((target) => importLines(file, target));
      linesByFile.set(file, [...allowed.flatMap((target) => importLines(file, target)), ...refused]);
      wrong.push(...refused.map((line) => `${file}: ${line}`));
    }
    assert.deepEqual(await refusedLines('eslint(no-restricted-imports)', linesByFile), wrong.toSorted());
  });

  it('give each library its one place', async () => {
    const places = [...PLACES, ...UNITS];
    const lines = LIBRARIES.flatMap((library) => importOf(library));
    const wrong = places.flatMap(({ file, libraries }) =>
      LIBRARIES.filter((library) => !libraries.some((own) => own === library))
        .flatMap(importOf)
        .map((line) => `${file}: ${line}`),
    );
    const linesByFile = new Map(places.map(({ file }) => [file, lines]));
    assert.deepEqual(await refusedLines('eslint(no-restricted-imports)', linesByFile), wrong.toSorted());
  });

  it('keep the emulators apart from what they judge', async () => {
    const wrong = EMULATORS.flatMap((file) =>
      ['src/billing/money.ts', 'test/audit.ts'].flatMap((target) =>
        importLines(file, target).map((line) => `${file}: ${line}`),
      ),
    );
    const linesByFile = new Map(
      EMULATORS.map((file) => [
        file,
        ['src/billing/money.ts', 'test/audit.ts', 'sandbox/stage.ts'].flatMap((target) => importLines(file, target)),
      ]),
    );
    assert.deepEqual(await refusedLines('eslint(no-restricted-imports)', linesByFile), wrong.toSorted());
  });

  it('let only the edge of the process read the environment', async () => {
    const line = 'export const environment = process.env;';
    const linesByFile = new Map([...PLACES.map(({ file }) => file), 'src/config.ts'].map((file) => [file, [line]]));
    const wrong = [...linesByFile.keys()].filter((file) => file !== 'src/main.ts').map((file) => `${file}: ${line}`);
    assert.deepEqual(await refusedLines('node(no-process-env)', linesByFile), wrong.toSorted());
  });
});

type Place = { readonly file: string; readonly layer: string };

/** The imports of one place that are in order, and those that are not. */
function importsOf(place: Place, targets: readonly Place[]): { allowed: string[]; refused: string[] } {
  const allowed: string[] = [];
  const refused: string[] = AROUND_THE_PROGRAM.flatMap((file) => importLines(place.file, file));
  for (const target of targets.filter(({ file }) => file !== place.file)) {
    const isAllowed = target.layer === place.layer || rankOf(target.layer) > rankOf(place.layer);
    (isAllowed ? allowed : refused).push(...importLines(place.file, target.file));
  }
  return { allowed: [...new Set(allowed)], refused: [...new Set(refused)] };
}

function rankOf(layer: string): number {
  return LAYERS.findIndex((names) => names.includes(layer));
}

function importLines(from: string, to: string): string[] {
  const path = posix.relative(posix.dirname(from), to);
  return importOf(path.startsWith('.') ? path : `./${path}`);
}

/** Types count like values: what is known by its type is known. */
function importOf(specifier: string): string[] {
  return [`import '${specifier}';`, `import type { ${specifier.replaceAll(/\W/g, '_')} } from '${specifier}';`];
}

const reportSchema = z.object({
  diagnostics: z.array(
    z.object({
      code: z.string(),
      filename: z.string(),
      labels: z.array(z.object({ span: z.object({ line: z.number() }) })),
    }),
  ),
});

/** Runs the linter in a directory. It exits with 1 where it found something, which here it always does. */
async function lint(directory: string): Promise<z.infer<typeof reportSchema>> {
  const linter = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const report = await new Promise<string>((resolve) => {
    execFile(process.execPath, [linter, '--format=json'], { cwd: directory }, (_error, stdout) => resolve(stdout));
  });
  return reportSchema.parse(JSON.parse(report));
}
