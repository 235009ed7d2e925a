import { once } from 'node:events';
import { BotStartError } from './bot-process.ts';
import { createBotControl } from './page/bot-control.ts';
import { addCast } from './page/cast.ts';
import { openBrowser } from './page/open-browser.ts';
import { startPageServer } from './page/page-server.ts';
import { createStage } from './stage.ts';
import { createTerminal } from './terminal.ts';

/**
 * `npm run sandbox` runs the real bot between an emulated Discord and an emulated provider. With a command it runs
 * that one and ends; without one it serves a page that looks like Discord, and takes commands at the terminal, one a
 * line, as well. With OPENAI_API_KEY and OPENAI_BASE_URL set it uses that provider, and real money.
 */

const EXIT_FAILURE = 1;
/** Where the page is unless something else is there, so that people find it again. */
const PAGE_PORT = 8790;

const words = process.argv.slice(2);
const { OPENAI_API_KEY: key, OPENAI_BASE_URL: baseUrl } = process.env;
const realProvider = key && baseUrl ? { OPENAI_API_KEY: key, OPENAI_BASE_URL: baseUrl } : undefined;
const stage = await createStage({
  environment: { DEFAULT_GUILD_BUDGET_USD: '10.00', ...realProvider, ...chosenModels() },
});
const terminal = createTerminal(stage);
const asked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
try {
  await (words.length > 0 ? runOnce() : Promise.race([receive(), asked]));
} catch (error) {
  if (!(error instanceof BotStartError)) throw error;
  console.error(error.message);
  process.exitCode = EXIT_FAILURE;
} finally {
  await stage.close();
}
// What still listens, such as the terminal after a signal, has nothing more to wait for.
process.exit();

/** Runs one command and shows what a member would see. */
async function runOnce(): Promise<void> {
  await stage.startBot();
  if (!(await terminal.run(words))) process.exitCode = EXIT_FAILURE;
}

/** Serves the page, and resolves when somebody at the terminal has had enough. */
async function receive(): Promise<void> {
  const server = await startPageServer({
    stage,
    people: addCast(stage),
    createBot: (onChange) => createBotControl(stage, onChange),
    port: PAGE_PORT,
    usesRealProvider: realProvider !== undefined,
  });
  await server.bot.start();
  console.log(
    `Easel is running in the sandbox; nothing here costs money${realProvider ? ' but the provider you named' : ''}.`,
  );
  console.log(`Open ${server.address} to try it as in Discord.`);
  openBrowser(server.address, process.env);
  const commandCount = await terminal.converse();
  // Without a terminal there is nobody to say exit: where nothing came in either, the page stays until a signal.
  if (commandCount === 0 && !process.stdin.isTTY) await asked;
  await server.close();
}

/** A real provider may have other models than the emulated one. */
function chosenModels(): Record<string, string> {
  const { IMAGE_MODELS: models } = process.env;
  return models ? { IMAGE_MODELS: models } : {};
}
