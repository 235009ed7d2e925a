import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { BotStartError } from './bot-process.ts';
import { readCommandLine, splitWords } from './command-line.ts';
import type { CommandResult } from './command-runner.ts';
import { createCommandRunner } from './command-runner.ts';
import { createStage } from './stage.ts';
import { createBotControl } from './page/bot-control.ts';
import { addCast } from './page/cast.ts';
import { openBrowser } from './page/open-browser.ts';
import { startPageServer } from './page/page-server.ts';
import { reachablePainter } from './painter-address.ts';

/**
 * `npm run sandbox` runs the real bot between an emulated Discord and an emulated provider. With a command it runs
 * that one and ends; without one it serves a page that looks like Discord, and waits for commands at the terminal as
 * well, one a line. With OPENAI_API_KEY and OPENAI_BASE_URL set it uses that provider, and real money.
 */

const EXIT_FAILURE = 1;
const OUTPUT_DIRECTORY = 'sandbox-output';
const HELP = [
  'Type a command as you would in Discord, with its options as flags:',
  '  imagine --prompt "a red fox in snow" --quality low --count 2',
  '  edit --image photo.jpg --mask mask.png --prompt "a calm lake"',
  '  usage --export                        (as an administrator)',
  '  settings limit --member mira --usd 2.50',
  '  quota',
  'Press a button under the last answer by what is written on it; where it opens a form, with its answers as flags:',
  '  press vary',
  '  press edit --prompt "a hat, please" --part left',
  'help shows this again, exit ends the sandbox.',
].join('\n');

/** Where the page is unless something else is there, so that people find it again. */
const PAGE_PORT = 8790;

const words = process.argv.slice(2);
let hasTyped = false;
const { OPENAI_API_KEY: key, OPENAI_BASE_URL: baseUrl } = process.env;
const realProvider = key && baseUrl ? { OPENAI_API_KEY: key, OPENAI_BASE_URL: baseUrl } : undefined;
const stage = await createStage({
  environment: {
    DEFAULT_GUILD_BUDGET_USD: '10.00',
    // A single command ends by itself, so it cannot wait until somebody has painted.
    ...(words.length === 0 ? await reachablePainter() : {}),
    ...realProvider,
    ...chosenModels(),
  },
});
const runner = createCommandRunner(stage, OUTPUT_DIRECTORY);
try {
  await (words.length > 0 ? runOnce() : receive());
} catch (error) {
  if (!(error instanceof BotStartError)) throw error;
  console.error(error.message);
  process.exitCode = EXIT_FAILURE;
} finally {
  await stage.close();
}

async function runOnce(): Promise<void> {
  await stage.startBot();
  await run(words);
}

/** Serves the page until somebody at the terminal has had enough, or a signal comes. */
async function receive(): Promise<void> {
  const isOver = askedToEnd();
  const page = await startPageServer({
    stage,
    people: addCast(stage),
    createBot: (onChange) => createBotControl(stage, onChange),
    port: PAGE_PORT,
    usesRealProvider: realProvider !== undefined,
  });
  const started = page.bot.start();
  try {
    await Promise.race([isOver, started.then(async () => accompany(page.address, isOver))]);
  } finally {
    // A bot that is only just starting would outlive its stage.
    await started.catch(() => undefined);
    await page.close();
    process.stdin.destroy();
  }
}

/** Shows the way to the page, and takes commands meanwhile. */
async function accompany(address: string, isOver: Promise<unknown>): Promise<void> {
  console.log(`Open ${address} to try it as in Discord.`);
  openBrowser(address, process.env);
  await converse();
  // Without a terminal there is nobody to say exit: where nothing came in either, the page stays until a signal.
  if (!hasTyped && !process.stdin.isTTY) await isOver;
}

/** Resolves when this process is asked to end. */
async function askedToEnd(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

/** Runs one command and shows what a member would see. */
async function run(command: readonly string[]): Promise<void> {
  try {
    const { text, savedPaths } = await carryOut(command);
    console.log(text);
    savedPaths.forEach((path) => console.log(`saved ${path}`));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = EXIT_FAILURE;
  }
}

async function carryOut([first = '', ...rest]: readonly string[]): Promise<CommandResult> {
  if (first !== 'press') return runner.type(readCommandLine([first, ...rest]));
  const { name, options } = readCommandLine(rest);
  return runner.press(name, options);
}

async function converse(): Promise<void> {
  console.log(
    `Easel is running in the sandbox; nothing here costs money${realProvider ? ' but the provider you named' : ''}.`,
  );
  console.log(HELP);
  const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  // One after another, also where lines come faster than commands end, as from a file.
  let turn = Promise.resolve();
  let isOpen = true;
  terminal.once('close', () => {
    isOpen = false;
  });
  terminal.on('line', (line) => {
    turn = turn.then(async () => {
      const typed = splitWords(line);
      hasTyped ||= typed.length > 0;
      if (typed[0] === 'exit') return terminal.close();
      if (typed[0] === 'help') console.log(HELP);
      else if (typed.length > 0) await run(typed);
      return isOpen ? terminal.prompt() : undefined;
    });
  });
  terminal.prompt();
  await once(terminal, 'close');
  await turn;
}

/** A real provider may have other models than the emulated one. */
function chosenModels(): Record<string, string> {
  const { IMAGE_MODELS: models } = process.env;
  return models ? { IMAGE_MODELS: models } : {};
}
