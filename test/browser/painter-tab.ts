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
  /** Answers of the server that the page itself tells of; whatever else the browser notes as an error is one. */
  readonly toldStatus?: number;
};

const ACTION_WAIT_MS_MAX = 20_000;

/** A browser's tab that shows the painter. Errors in it, and requests to anybody else, fail the test at its end. */
export async function openPainterTab(test: TestContext, link: string, options: TabOptions = {}): Promise<Page> {
  shared ??= launch();
  const browser = await shared;
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.colorScheme ?? 'light',
    isMobile: options.isPhone ?? false,
    hasTouch: options.isPhone ?? false,
  });
  context.setDefaultTimeout(ACTION_WAIT_MS_MAX);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(link).origin) complaints.push(`asked ${request.url()}`);
  });
  page.on('console', (message) => {
    const isTold = message.text().includes(`status of ${options.toldStatus}`);
    if (message.type() === 'error' && !isTold) complaints.push(message.text());
  });
  test.after(async () => {
    await context.close();
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  });
  await page.goto(link);
  await page.locator('#viewport:not([aria-busy])').waitFor();
  return page;
}

/** Which pixels of the picture the page shows as painted, row by row. */
export async function shownAsPainted(page: Page): Promise<readonly boolean[]> {
  const text = await page.evaluate<string>(`(() => {
    const { width, height } = document.getElementById('overlay');
    const { data } = document.getElementById('overlay').getContext('2d').getImageData(0, 0, width, height);
    return Array.from({ length: data.length / 4 }, (_, index) => (data[index * 4 + 3] > 0 ? '1' : '0')).join('');
  })()`);
  return text.split('').map((bit) => bit === '1');
}
