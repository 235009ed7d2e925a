import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { isFinal } from '../sandbox/final-message.ts';
import { createBotControl } from '../sandbox/page/bot-control.ts';
import { addCast } from '../sandbox/page/cast.ts';
import { startPageServer } from '../sandbox/page/page-server.ts';
import { reachablePainter } from '../sandbox/painter-address.ts';
import { createStage } from '../sandbox/stage.ts';
import type { OptionValues } from '../sandbox/discord/option-values.ts';
import type { EmulatedMember } from '../sandbox/discord/world.ts';
import { launchChromium } from './chromium.ts';

/**
 * Takes the pictures of the README from the sandbox's page, with the bot itself behind it. Nothing in them was touched
 * by hand; only the edges around what is shown are cut off.
 */

const PICTURES_DIRECTORY = fileURLToPath(new URL('../docs/pictures/', import.meta.url));
const PALETTE_COLOURS = 256;
const DAY_MS = 24 * 3_600_000;
const ANSWER_WAIT_MS_MAX = 15_000;
const WINDOW = { width: 1280, height: 1000 };
const SCALE = 1.25;
/** A share of the picture's window, from its left and its upper edge. */
type Point = readonly [number, number];
/** The sky, down to the mountains and around the fox's ears, in strokes of a broad brush. */
const STROKES: readonly (readonly Point[])[] = [
  [
    [0, 0.07],
    [1, 0.07],
    [1, 0.2],
    [0, 0.2],
    [0, 0.33],
    [1, 0.33],
    [0.98, 0.43],
    [0.84, 0.43],
  ],
  [
    [0, 0.43],
    [0.34, 0.43],
  ],
];

/** A month as a small server might have it: for each day, what was asked for and of which model. */
const MONTH: readonly (readonly (readonly [prompt: string, model: string, quality: string])[])[] = [
  [['a red fox in snow', 'gpt-image-2.5-sunburst', 'high']],
  [
    ['a boat on a lake at sunset', 'gpt-image-2', 'medium'],
    ['a robot in the city', 'gpt-image-2.5-sunburst', 'medium'],
  ],
  [['a bird in a forest', 'gpt-image-2.5-flare', 'high']],
  [],
  [
    ['a balloon over hills', 'gpt-image-2.5-sunburst', 'high'],
    ['a cat on a beach', 'gpt-image-2', 'medium'],
    ['a house in winter', 'gpt-image-2.5-sunburst', 'medium'],
  ],
  [['a star in space', 'gpt-image-2.5-flare', 'medium']],
  [
    ['a dog in a meadow', 'gpt-image-2', 'high'],
    ['a flower in a field', 'gpt-image-2.5-sunburst', 'high'],
  ],
  [['a fish in the sea', 'gpt-image-2.5-sunburst', 'medium']],
  [['a house in the city at night', 'gpt-image-2', 'medium']],
];

/** In US dollars: enough for the month, and not for what is asked for at its end. */
const BUDGET_USD = '1.00';

/** The month is spent on the days before this one, so that it is today when somebody looks at the page. */
let daysAgo = MONTH.length;
const stage = await createStage({
  discord: { realNow: () => Date.now() - daysAgo * DAY_MS },
  // A month is spent within a minute here.
  environment: { ...(await reachablePainter()), MEMBER_REQUESTS_PER_MINUTE: '0' },
});
const server = await startPageServer({
  stage,
  people: addCast(stage),
  createBot: (onChange) => createBotControl(stage, onChange),
  port: 0,
  usesRealProvider: false,
});
const browser = await launchChromium();
try {
  await server.bot.start();
  const context = await browser.newContext({ viewport: WINDOW, deviceScaleFactor: SCALE, colorScheme: 'dark' });
  context.setDefaultTimeout(ANSWER_WAIT_MS_MAX);
  await mkdir(PICTURES_DIRECTORY, { recursive: true });
  await takeAll(await context.newPage());
} finally {
  await browser.close();
  await server.close();
  await stage.close();
}

async function takeAll(page: Page): Promise<void> {
  await ask(stage.administrator, 'settings budget', { usd: BUDGET_USD });
  await spendTheMonth();
  await page.goto(server.address);
  await settled(page);
  await type(page, '/imagine', 'a red fox in snow');
  const made = latest(page);
  await made.getByRole('img', { name: 'a red fox in snow' }).waitFor();
  await take(made, 'imagine.png');
  await takePainter(page);
  // The link to the painter stands below it, for whoever asked alone.
  const result = page.getByRole('img', { name: 'a fish in snow at night' });
  const edited = page.getByRole('article').filter({ has: result });
  await edited.waitFor();
  await take(edited, 'edit.png');
  await become(page, 'ada Administrator');
  await type(page, '/usage');
  await latest(page).getByRole('img').waitFor();
  await take(latest(page), 'usage.png');
  await become(page, 'mira Member');
  await ask(stage.member, 'imagine', { prompt: 'a castle on a hill', quality: 'max', count: 4 });
  await latest(page).getByText('does not cover it').waitFor();
  await take(latest(page), 'refusal.png');
}

/** The painter with a painted area, reached as a member would reach it. */
async function takePainter(page: Page): Promise<void> {
  await latest(page).getByRole('button', { name: 'Edit', exact: true }).click();
  const form = page.getByRole('dialog');
  await form.getByRole('textbox').first().fill('a fish in snow at night');
  await form.getByRole('combobox').first().click();
  await page.getByRole('option', { name: /paint/i }).click();
  await form.getByRole('button', { name: 'Submit' }).click();
  await page.getByRole('button', { name: 'Paint a mask' }).click();
  const link = page.getByRole('link', { name: 'Open the painter' });
  const [painter] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
  await painter.setViewportSize({ width: 900, height: 720 });
  await painter.locator('#viewport:not([aria-busy])').waitFor();
  await painter.getByRole('slider', { name: 'Size' }).fill('80');
  for (const stroke of STROKES) await paint(painter, stroke);
  await write('painter.png', await painter.screenshot());
  await painter.getByRole('button', { name: 'Done' }).click();
  await painter.getByRole('heading', { name: 'Your mask was sent to Discord' }).waitFor();
  await painter.close();
}

async function paint(painter: Page, [first, ...rest]: readonly Point[]): Promise<void> {
  const box = await painter.locator('#picture').boundingBox();
  if (!box || !first) throw new Error('there is nothing to paint on');
  const go = async ([x, y]: Point): Promise<void> =>
    painter.mouse.move(box.x + box.width * x, box.y + box.height * y, { steps: 8 });
  await go(first);
  await painter.mouse.down();
  for (const point of rest) await go(point);
  await painter.mouse.up();
}

/** Types a command as a member would. */
async function type(page: Page, command: string, text = ''): Promise<void> {
  await page.getByRole('textbox', { name: 'Message #general' }).fill(`${command} ${text}`);
  await page.getByRole('button', { name: `Send ${command}` }).click();
  await page.getByRole('textbox', { name: 'Message #general' }).waitFor();
}

async function become(page: Page, who: string): Promise<void> {
  await page.getByRole('button', { name: who }).click();
  await settled(page);
}

async function settled(page: Page): Promise<void> {
  await page.getByRole('log').and(page.locator(':not([aria-busy])')).waitFor();
}

function latest(page: Page): Locator {
  return page.getByRole('article').last();
}

/** Days of images, by two members in turn. */
async function spendTheMonth(): Promise<void> {
  const { member, administrator } = stage;
  for (const [day, requests] of MONTH.entries()) {
    for (const [place, [prompt, model, quality]] of requests.entries()) {
      const who = (day + place) % 3 === 0 ? administrator : member;
      await ask(who, 'imagine', { prompt, model, quality, private: true });
    }
    daysAgo -= 1;
  }
}

/** Asks beside the page, and waits for the answer. */
async function ask(member: EmulatedMember, command: string, options: OptionValues): Promise<void> {
  const asked = stage.discord.invoke({ command, member, channel: stage.channel, options });
  await asked.finalMessage({ where: isFinal, timeoutMs: ANSWER_WAIT_MS_MAX });
}

async function take(shown: Locator, name: string): Promise<void> {
  await shown.page().mouse.move(0, 0);
  await shown.page().evaluate('document.activeElement?.blur()');
  await write(name, await shown.screenshot());
}

async function write(name: string, screenshot: Buffer): Promise<void> {
  const picture = sharp(screenshot).png({ palette: true, colours: PALETTE_COLOURS, compressionLevel: 9, effort: 10 });
  const { size, width, height } = await picture.toFile(join(PICTURES_DIRECTORY, name));
  console.log(`${name}: ${width}×${height}, ${Math.round(size / 1_024)} KiB`);
}
