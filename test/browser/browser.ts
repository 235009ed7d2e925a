import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

/** Where Debian, and others after it, put it; CHROMIUM_PATH names another. */
const PATHS = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const executablePath = PATHS.find((path) => path !== undefined && existsSync(path));

/** Why these tests cannot run here, or false. With CI=true they have to. */
export const skip = executablePath === undefined && process.env['CI'] !== 'true' ? 'there is no Chromium' : false;

let shared: Promise<Browser> | undefined;

async function launch(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('There is no Chromium: apt-get install chromium');
  // As root, which is what containers run as, Chromium has no sandbox of its own.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

/** Closes the browser that all tests of a file share. */
export async function closeBrowser(): Promise<void> {
  const browser = await shared;
  await browser?.close();
}

export type TabOptions = {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'dark' | 'light';
  readonly isPhone?: boolean;
};

const ACTION_WAIT_MS_MAX = 20_000;

/** A browser's tab that shows the page. Errors in it, and requests to anybody else, fail the test at its end. */
export async function openTab(test: TestContext, address: string, options: TabOptions = {}): Promise<Page> {
  shared ??= launch();
  const browser = await shared;
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.colorScheme ?? 'dark',
    isMobile: options.isPhone ?? false,
    hasTouch: options.isPhone ?? false,
    permissions: ['clipboard-write'],
  });
  context.setDefaultTimeout(ACTION_WAIT_MS_MAX);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== new URL(address).origin && url.protocol !== 'blob:') complaints.push(`asked ${url.href}`);
  });
  page.on('console', (message) => {
    // The page tells in words what was refused, and when the server is gone; the browser notes it as well.
    const isTold = /status of 4\d\d|net::ERR/.test(message.text());
    if (message.type() === 'error' && !isTold) complaints.push(message.text());
  });
  test.after(async () => {
    await context.close();
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  });
  await page.goto(address);
  await page.getByRole('log').and(page.locator(':not([aria-busy])')).waitFor();
  return page;
}
