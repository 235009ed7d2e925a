import { runTool } from './command-line.ts';
import { reconcileTool } from './reconcile-tool.ts';

/** The edge of the process for `npm run reconcile`. */
process.exitCode = await runTool(reconcileTool, {
  environment: process.env,
  commandLine: process.argv.slice(2),
  print: (line) => void process.stdout.write(`${line}\n`),
  printError: (line) => void process.stderr.write(`${line}\n`),
});
