import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';

/** Where Debian, and others after it, put it; CHROMIUM_PATH names another. */
const PATHS = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** The Chromium of this machine; undefined where there is none. */
export const chromiumPath = PATHS.find((path) => path !== undefined && existsSync(path));

/** Starts the Chromium of this machine, without a window. */
export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('There is no Chromium: apt-get install chromium');
  // As root, which is what containers run as, Chromium has no sandbox of its own.
  return chromium.launch({ executablePath: chromiumPath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}
