import { createRequire } from 'node:module';
import type { Document } from 'yaml';
import type * as Yaml from 'yaml';

/** Loaded when there is something to be read, which is seldom: it takes 15 ms of a start, and 2 MB for good. */
const loadYaml = (): typeof Yaml => createRequire(import.meta.url)('yaml');

/** A YAML text, or a JSON one, whose every value can be found again. Scalars are strings, just as they were written. */
export type YamlDocument = {
  /** Undefined where the text could not be read. */
  readonly value: unknown;
  /** Why it could not be read, at most one reason for a line; empty where it could. Lines are counted from 1. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
  /** The line of what stands at a path, or else of what it is missing from. */
  lineOf(path: readonly PropertyKey[]): number;
  /** The line of a key in the map at a path. */
  lineOfKey(path: readonly PropertyKey[], key: string): number;
};

export function readYaml(text: string): YamlDocument {
  const { isMap, isNode, isScalar, LineCounter, parseDocument, visit } = loadYaml();
  const lines = new LineCounter();
  // The schema without types: a price must not become a floating-point number on its way.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number | undefined): number => (offset === undefined ? 1 : lines.linePos(offset).line);
  const problems = [
    ...document.errors.map(({ message, pos }) => ({ line: lineAt(pos[0]), problem: message })),
    ...aliasOffsets(document, visit).map((offset) => ({ line: lineAt(offset), problem: 'Aliases are not supported' })),
  ];
  const lineOf = (path: readonly PropertyKey[]): number => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    if (isNode(node)) return lineAt(node.range?.[0]);
    return path.length === 0 ? 1 : lineOf(path.slice(0, -1));
  };
  return {
    value: problems.length === 0 ? document.toJS() : undefined,
    // One slip often breaks a rule more than once.
    problems: problems
      .filter(({ line }, at) => problems.findIndex((other) => other.line === line) === at)
      .toSorted((one, other) => one.line - other.line),
    lineOf,
    lineOfKey(path, key) {
      const map = path.length === 0 ? document.contents : document.getIn(path, true);
      const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      return isScalar(pair?.key) ? lineAt(pair.key.range?.[0]) : lineOf(path);
    },
  };
}

/** An alias repeats what stands elsewhere, and enough of them in few lines fill any memory. */
function aliasOffsets(document: Document, visit: typeof Yaml.visit): number[] {
  const offsets: number[] = [];
  visit(document, { Alias: (_key, { range }) => void offsets.push(range?.[0] ?? 0) });
  return offsets;
}
