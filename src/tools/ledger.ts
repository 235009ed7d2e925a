import { runTool } from './command-line.ts';
import { ledgerTool } from './ledger-tool.ts';

/** The edge of the process for `npm run ledger`. */
process.exitCode = await runTool(ledgerTool, {
  environment: process.env,
  commandLine: process.argv.slice(2),
  print: (line) => void process.stdout.write(`${line}\n`),
  printError: (line) => void process.stderr.write(`${line}\n`),
});
