import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';

/** What the painter's page loads, by name. */
export type PainterFiles = ReadonlyMap<string, { readonly text: string; readonly contentType: string }>;

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.ts', 'text/javascript; charset=utf-8'],
]);

/** Reads the page's files once. What it runs is this program's own source, without its types. */
export function readPainterFiles(directory = new URL('./painter-page/', import.meta.url)): PainterFiles {
  return new Map(
    readdirSync(directory).flatMap((name) => {
      const contentType = CONTENT_TYPES.get(extname(name));
      if (contentType === undefined) return [];
      const text = readFileSync(new URL(name, directory), 'utf8');
      return [[name, { text: extname(name) === '.ts' ? stripTypeScriptTypes(text) : text, contentType }] as const];
    }),
  );
}
