import type { Child } from './dom.ts';
import { make, present } from './dom.ts';
import { renderInline } from './markdown-inline.ts';
import type { Names } from './names.ts';

const HEADINGS = ['h3', 'h4', 'h5'] as const;

/**
 * Discord's subset of Markdown, as elements: headings, small text, quotes, lists, code, and what stands inside a line.
 * A heading in a message stands below those of the page.
 */
export function renderMarkdown(text: string, names: Names): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const parts = text.split(/^```([\w+-]*)\n?([\s\S]*?)```$/m);
  // The pattern has two groups, so every third part is text, and the two after it are a block of code.
  for (let index = 0; index < parts.length; index += 3) {
    fragment.append(...present(renderBlocks(parts[index] ?? '', names)));
    const code = parts[index + 2];
    if (code !== undefined) fragment.append(make('pre', { tabindex: '0' }, make('code', {}, code.replace(/\n$/, ''))));
  }
  return fragment;
}

function renderBlocks(text: string, names: Names): Child[] {
  const blocks: Child[] = [];
  const lines = text.replace(/^\n|\n$/g, '').split('\n');
  if (lines.length === 1 && lines[0] === '') return [];
  for (let index = 0; index < lines.length;) {
    const { block, taken } = takeBlock(lines.slice(index), names);
    blocks.push(block);
    index += taken;
  }
  return blocks;
}

type Taken = { readonly block: Child; readonly taken: number };

function takeBlock(lines: readonly string[], names: Names): Taken {
  const [line = ''] = lines;
  const heading = /^(#{1,3}) +(.+)$/.exec(line);
  if (heading) {
    const [, marks = '', text = ''] = heading;
    return { block: make(HEADINGS[marks.length - 1] ?? 'h5', {}, ...renderInline(text, names)), taken: 1 };
  }
  const small = /^-# +(.+)$/.exec(line);
  if (small) return { block: make('small', {}, ...renderInline(small[1] ?? '', names)), taken: 1 };
  if (line.startsWith('>>> ')) {
    return {
      block: make('blockquote', {}, ...renderLines([line.slice(4), ...lines.slice(1)], names)),
      taken: lines.length,
    };
  }
  if (line.startsWith('> ')) return takeRun(lines, /^> /, (run) => make('blockquote', {}, ...renderLines(run, names)));
  if (isListItem(line)) {
    const item = (text: string): HTMLElement => make('li', {}, ...renderInline(text, names));
    return /^\s*\d/.test(line)
      ? takeRun(lines, /^\s*\d+\. /, (run) => make('ol', {}, ...run.map(item)))
      : takeRun(lines, /^\s*[-*] /, (run) => make('ul', {}, ...run.map(item)));
  }
  const end = lines.findIndex((candidate, index) => index > 0 && startsBlock(candidate));
  const run = end === -1 ? lines : lines.slice(0, end);
  return { block: make('p', {}, ...renderLines(run, names)), taken: run.length };
}

function takeRun(lines: readonly string[], mark: RegExp, makeBlock: (run: string[]) => HTMLElement): Taken {
  const end = lines.findIndex((line) => !mark.test(line));
  const run = end === -1 ? lines : lines.slice(0, end);
  return { block: makeBlock(run.map((line) => line.replace(mark, ''))), taken: run.length };
}

function startsBlock(line: string): boolean {
  return /^(?:#{1,3} |-# |> )/.test(line) || isListItem(line);
}

function isListItem(line: string): boolean {
  return /^\s*(?:[-*]|\d+\.) \S/.test(line);
}

/** Lines of one block. A mark may reach over the end of a line, so they are read together. */
function renderLines(lines: readonly string[], names: Names): Child[] {
  return renderInline(lines.join('\n'), names);
}
