import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { readCommandLine, splitWords } from './command-line.ts';
import { runCommand } from './command-runner.ts';
import type { Stage } from './stage.ts';

/** Commands that are typed into a terminal, and what a member would see of their end. */
export type Terminal = {
  /** Runs one command. False where it could not be run. */
  run(words: readonly string[]): Promise<boolean>;
  /** Reads commands, one a line, until somebody types exit or the input ends. Answers how many there were. */
  converse(): Promise<number>;
};

const HELP = [
  'Type a command as you would in Discord, with its options as flags:',
  '  imagine --prompt "a red fox in snow" --quality low --count 2',
  '  edit --image photo.jpg --mask mask.png --prompt "a calm lake"',
  '  usage --export      (as an administrator)',
  '  quota',
  'help shows this again, exit ends the sandbox.',
].join('\n');

export function createTerminal(stage: Stage): Terminal {
  const run = async (words: readonly string[]): Promise<boolean> => {
    try {
      const { text, savedPaths } = await runCommand(stage, readCommandLine(words));
      console.log(text);
      savedPaths.forEach((path) => console.log(`saved ${path}`));
      return true;
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      return false;
    }
  };
  return {
    run,
    async converse() {
      console.log(HELP);
      const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
      // One after another, also where lines come faster than commands end, as from a file.
      let turn = Promise.resolve();
      let isOpen = true;
      let commandCount = 0;
      lines.once('close', () => {
        isOpen = false;
      });
      lines.on('line', (line) => {
        turn = turn.then(async () => {
          const typed = splitWords(line);
          if (typed.length > 0) commandCount += 1;
          if (typed[0] === 'exit') return lines.close();
          if (typed[0] === 'help') console.log(HELP);
          else if (typed.length > 0) process.exitCode = (await run(typed)) ? process.exitCode : 1;
          return isOpen ? lines.prompt() : undefined;
        });
      });
      lines.prompt();
      await once(lines, 'close');
      await turn;
      return commandCount;
    },
  };
}
