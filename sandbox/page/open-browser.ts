import { spawn } from 'node:child_process';

/** What opens an address in the browser that people use, by platform. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [program: string, ...words: string[]]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
  linux: ['xdg-open'],
};

/** Opens an address in a browser where there is one; where there is none, nothing happens. */
export function openBrowser(address: string, environment: Readonly<Record<string, string | undefined>>): void {
  const [program, ...words] = OPENERS[process.platform] ?? [];
  // Without a screen, xdg-open would start a browser of text in the very terminal that people look at.
  const hasScreen = process.platform !== 'linux' || environment['DISPLAY'] || environment['WAYLAND_DISPLAY'];
  if (program === undefined || !hasScreen || environment['CI']) return;
  const opener = spawn(program, [...words, address], { stdio: 'ignore', detached: true });
  opener.on('error', () => undefined);
  opener.unref();
}
