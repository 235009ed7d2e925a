/** A command as it was typed: its name of one word or several, and its options by name. A flag without a value means yes. */
export type TypedCommand = { readonly name: string; readonly options: Readonly<Record<string, string | true>> };

/**
 * Reads `imagine --prompt "a red fox" --count 2`, or `settings budget --usd 5`.
 * @throws {Error} when it is not a command with options.
 */
export function readCommandLine(words: readonly string[]): TypedCommand {
  const firstFlag = words.findIndex((word) => word.startsWith('--'));
  const name = words.slice(0, firstFlag === -1 ? words.length : firstFlag).join(' ');
  const rest = firstFlag === -1 ? [] : words.slice(firstFlag);
  if (name === '') throw new Error('Begin with a command, such as imagine.');
  const options: Record<string, string | true> = {};
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? '';
    if (!word.startsWith('--')) throw new Error(`Options begin with two dashes, as in --prompt; "${word}" does not.`);
    const { flag, inline } = splitFlag(word.slice(2));
    const next = rest[index + 1];
    const takesNext = inline === undefined && next !== undefined && !next.startsWith('--');
    if (takesNext) index += 1;
    options[flag.replaceAll('-', '_')] = inline ?? (takesNext ? next : true);
  }
  return { name: name.replace(/^\//, ''), options };
}

/** Splits a line into words as a shell would: quotes keep words together. */
export function splitWords(line: string): string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}

function splitFlag(text: string): { flag: string; inline: string | undefined } {
  const at = text.indexOf('=');
  return at === -1 ? { flag: text, inline: undefined } : { flag: text.slice(0, at), inline: text.slice(at + 1) };
}
