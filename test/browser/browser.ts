import type { TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, launchChromium } from '../../scripts/chromium.ts';

/** Why these tests cannot run here, or false. With CI=true they have to. */
export const skip = chromiumPath === undefined && process.env['CI'] !== 'true' ? 'there is no Chromium' : false;

let shared: Promise<Browser> | undefined;

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
/** The sandbox's page tells in words what was refused, and when the server is gone; the browser notes it as well. */
const TOLD_BY_THE_PAGE = /status of 4\d\d|net::ERR/;
const NOTHING_TOLD = /^\b$/;

/** A browser's tab that shows the sandbox's page. Errors in it, and requests to anybody else, fail the test at its end. */
export async function openTab(test: TestContext, address: string, options: TabOptions = {}): Promise<Page> {
  const page = await openPage(test, options);
  watch(test, page, address, TOLD_BY_THE_PAGE);
  await page.goto(address);
  await page.getByRole('log').and(page.locator(':not([aria-busy])')).waitFor();
  return page;
}

/**
 * The same with the painter.
 * @param options.toldStatuses answers that the page itself tells of; all other errors are errors
 * @param options.prepare what has to be done before the page is loaded
 */
export async function openPainterTab(
  test: TestContext,
  link: string,
  options: TabOptions & {
    readonly toldStatuses?: readonly number[];
    readonly prepare?: (page: Page) => Promise<void>;
  } = {},
): Promise<Page> {
  const page = await openPage(test, { colorScheme: 'light', ...options });
  const { toldStatuses = [] } = options;
  await options.prepare?.(page);
  watch(
    test,
    page,
    link,
    toldStatuses.length === 0 ? NOTHING_TOLD : new RegExp(`status of (?:${toldStatuses.join('|')})`),
  );
  await page.goto(link);
  await painterReady(page);
  return page;
}

/** The painter in the tab that a press on the page opens; what goes wrong in it fails the test as well. */
export async function followToPainter(test: TestContext, page: Page, press: () => Promise<void>): Promise<Page> {
  const [painter] = await Promise.all([page.context().waitForEvent('page'), press()]);
  await painterReady(painter);
  watch(test, painter, painter.url(), NOTHING_TOLD);
  return painter;
}

async function painterReady(page: Page): Promise<void> {
  await page.locator('#viewport:not([aria-busy])').waitFor();
}

async function openPage(test: TestContext, options: TabOptions): Promise<Page> {
  shared ??= launchChromium();
  const browser = await shared;
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.colorScheme ?? 'dark',
    isMobile: options.isPhone ?? false,
    hasTouch: options.isPhone ?? false,
    permissions: ['clipboard-write'],
  });
  context.setDefaultTimeout(ACTION_WAIT_MS_MAX);
  test.after(async () => context.close());
  return context.newPage();
}

/** Fails the test at its end where the page had an error that it did not tell, or asked anybody but its own server. */
function watch(test: TestContext, page: Page, address: string, told: RegExp): void {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== new URL(address).origin && url.protocol !== 'blob:') complaints.push(`asked ${url.href}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !told.test(message.text())) complaints.push(message.text());
  });
  test.after(() => {
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  });
}

/** Which pixels of the picture the painter shows as painted, row by row. */
export async function shownAsPainted(page: Page): Promise<readonly boolean[]> {
  const text = await page.evaluate<string>(`(() => {
    const { width, height } = document.getElementById('overlay');
    const { data } = document.getElementById('overlay').getContext('2d').getImageData(0, 0, width, height);
    return Array.from({ length: data.length / 4 }, (_, index) => (data[index * 4 + 3] > 0 ? '1' : '0')).join('');
  })()`);
  return text.split('').map((bit) => bit === '1');
}

/** Draws a line in the painter from and to shares of the window that shows the picture. */
export async function drag(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const box = await page.locator('#viewport').boundingBox();
  if (!box) throw new Error('there is nothing to paint on');
  await page.mouse.move(box.x + box.width * from[0], box.y + box.height * from[1]);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to[0], box.y + box.height * to[1], { steps: 12 });
  await page.mouse.up();
}
