/**
 * `node scripts/node.mjs PROGRAM` runs a program on Node.js 24 or newer: the one that runs this, or where that is too
 * old, the one that `npm ci` brought along.
 *
 * It does not rely on the link in node_modules/.bin, because npm 10 removes that one again together with the package
 * for the other kind of processor. It is plain JavaScript, so that an old Node.js can run it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const REQUIRED_MAJOR = 24;
const EXIT_FAILURE = 1;
/** What shells add to the number of a signal that ended a program. */
const EXIT_BY_SIGNAL = 128;

const node = findNode();
if (node === undefined) {
  console.error(
    `Easel needs Node.js ${REQUIRED_MAJOR} or newer, and this is ${process.version}.\n` +
      'On Linux (x64, arm64) `npm ci` brings a suitable one for every npm script; if it was just run,\n' +
      'the optional package "node-linux-…" could not be downloaded: run `npm ci` again with a connection to the registry.\n' +
      'Elsewhere, install Node.js 24 or newer from https://nodejs.org.',
  );
  process.exit(EXIT_FAILURE);
}

const program = spawn(node, process.argv.slice(2), {
  stdio: 'inherit',
  env: {
    // What was compiled once need not be again, which is half of what a short test takes.
    NODE_COMPILE_CACHE: fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)),
    ...process.env,
    // What the program starts by the name `node` has to be the same one.
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
  },
});
// The program decides when it ends. A terminal sends its Ctrl+C to both; other signals come here only.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => program.kill('SIGTERM'));
program.on('exit', (code, signal) => process.exit(code ?? EXIT_BY_SIGNAL + constants.signals[signal]));

/** The path of a suitable Node.js, or undefined. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= REQUIRED_MAJOR) return process.execPath;
  const brought = new URL(`../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url);
  return existsSync(brought) ? fileURLToPath(brought) : undefined;
}
