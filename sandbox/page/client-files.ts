import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file as the browser gets it. */
export type ClientFile = { readonly contentType: string; readonly body: Uint8Array<ArrayBuffer> };

const SANDBOX = fileURLToPath(new URL('..', import.meta.url));
const CLIENT = join(SANDBOX, 'page', 'client');
/** What both sides need to know of Discord, and nothing else, leaves the server's side. */
const SHARED_MODULES = ['discord/numbers.ts'];
const FONTS: Readonly<Record<string, string>> = {
  '/fonts/regular.ttf': '400Regular/Inter_400Regular.ttf',
  '/fonts/semibold.ttf': '600SemiBold/Inter_600SemiBold.ttf',
  '/fonts/bold.ttf': '700Bold/Inter_700Bold.ttf',
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
};

/**
 * Reads everything that the browser is given, once: TypeScript loses its types and is otherwise served as it stands,
 * at the place that it has in the sandbox, so that its imports hold. Answers what lies at a path.
 */
export async function readClientFiles(): Promise<(path: string) => ClientFile | undefined> {
  const files = new Map<string, ClientFile>();
  const entries = await readdir(CLIENT, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && extname(entry.name) in CONTENT_TYPES)
    .map((entry) => relative(SANDBOX, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
  for (const path of [...paths, ...SHARED_MODULES]) files.set(`/${path}`, await readClientFile(join(SANDBOX, path)));
  for (const [path, font] of Object.entries(FONTS)) {
    const url = import.meta.resolve(`@expo-google-fonts/inter/${font}`);
    files.set(path, await readClientFile(fileURLToPath(url)));
  }
  const modules = [...files.keys()].filter((path) => path.endsWith('.ts'));
  const page = await readFile(join(CLIENT, 'index.html'), 'utf8');
  files.set('/', toFile('.html', preloadModules(page, modules)));
  return (path) => files.get(path);
}

async function readClientFile(path: string): Promise<ClientFile> {
  const bytes = await readFile(path);
  const extension = extname(path);
  return toFile(extension, extension === '.ts' ? stripTypeScriptTypes(bytes.toString('utf8')) : bytes);
}

function toFile(extension: string, content: string | Uint8Array): ClientFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content);
  return { contentType: CONTENT_TYPES[extension] ?? 'application/octet-stream', body: bytes };
}

/** Modules import each other; without this the browser would hear of each only after it had read the one before. */
function preloadModules(page: string, paths: readonly string[]): string {
  const links = paths.map((path) => `<link rel="modulepreload" href="${path}">`);
  return page.replace('</head>', `${links.join('\n')}\n</head>`);
}
