import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { after, describe, it } from 'node:test';
import type { Page, Route } from 'playwright-core';
import { reachablePainter } from '../../sandbox/painter-address.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { fileOf } from '../scenarios/edits.ts';
import { callsFor } from '../scenarios/judgement.ts';
import type { Asked } from '../scenarios/painting.ts';
import { askOpenly, openPainter, outcome, painted } from '../scenarios/painting.ts';
import { setStage } from '../scenarios/support.ts';
import { closeBrowser, drag, openPainterTab, shownAsPainted, skip } from './browser.ts';

const SIZE = { width: 640, height: 400 };
/** Longer than any line. */
const LONG_PROMPT = 'a hat for each of the foxes by touch, '.repeat(20).trim();

type Painting = { readonly stage: Stage; readonly asked: Asked; readonly link: string };

async function painting(t: TestContext, prompt: string, size = SIZE): Promise<Painting> {
  const stage = await setStage(t, { provider: { keepUploads: true }, environment: await reachablePainter() });
  await stage.startBot();
  const asked = await askOpenly(stage, stage, prompt, { size });
  return { stage, asked, ...(await openPainter(stage, asked, stage.member)) };
}

/** Presses Done, and holds what the provider received against what the page showed. */
async function finish(
  { stage, asked }: Painting,
  page: Page,
  prompt: string,
  done: () => Promise<void>,
): Promise<void> {
  const shown = await shownAsPainted(page);
  assert.ok(shown.includes(true) && shown.includes(false));
  await done();
  await page.getByRole('heading', { name: 'Your mask was sent to Discord' }).waitFor();
  assert.equal((await outcome(stage, asked)).shownAttachments.length, 1);
  const received = fileOf(callsFor(stage, prompt)[0]?.files, 'mask');
  assert.deepEqual(await painted(received.bytes), shown);
}

async function paintedCount(page: Page): Promise<number> {
  return (await shownAsPainted(page)).filter(Boolean).length;
}

describe('the painter', { skip }, () => {
  after(closeBrowser);

  it('with the mouse: what is shown is what the provider gets', async (t) => {
    const work = await painting(t, 'a hat of straw');
    const page = await openPainterTab(t, work.link, { toldStatuses: [410] });
    await page.getByText('a hat of straw').waitFor();
    await page.getByText(/The link expires at \d/).waitFor();
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    assert.equal(await paintedCount(page), 0);
    await button('Done').click();
    await page.getByText('Nothing is marked yet').waitFor();

    await drag(page, [0.4, 0.3], [0.6, 0.6]);
    const once = await paintedCount(page);
    assert.ok(once > 0);
    await page.getByRole('slider', { name: 'Size' }).fill('80');
    await drag(page, [0.35, 0.7], [0.65, 0.7]);
    const twice = await paintedCount(page);
    assert.ok(twice > once);
    await button('Undo').click();
    assert.equal(await paintedCount(page), once);
    await button('Redo').click();
    assert.equal(await paintedCount(page), twice);
    await button('Eraser').click();
    await drag(page, [0.4, 0.7], [0.5, 0.7]);
    const erased = await paintedCount(page);
    assert.ok(erased < twice);
    await button('Invert').click();
    assert.equal(await paintedCount(page), SIZE.width * SIZE.height - erased);

    // Zooming and moving change what is seen, and nothing of the mask.
    await button('Zoom in').click();
    await button('Move').click();
    await drag(page, [0.5, 0.5], [0.3, 0.4]);
    await page.mouse.wheel(0, -300);
    assert.equal(await paintedCount(page), SIZE.width * SIZE.height - erased);
    await button('Show the whole picture').click();
    await finish(work, page, 'a hat of straw', async () => button('Done').click());

    await page.reload();
    await page.getByRole('heading', { name: 'This link is no longer valid' }).waitFor();
  });

  it('with the keyboard alone', async (t) => {
    const work = await painting(t, 'by keys');
    const page = await openPainterTab(t, work.link, { colorScheme: 'dark' });
    for (let count = 0; count < 30; count += 1) {
      await page.keyboard.press('Tab');
      if (await page.locator('#viewport:focus').count()) break;
    }
    await page.locator('#viewport:focus').waitFor();
    await page.keyboard.down(' ');
    for (let count = 0; count < 12; count += 1) await page.keyboard.press('ArrowRight');
    await page.keyboard.up(' ');
    const line = await paintedCount(page);
    assert.ok(line > 0);
    await page.getByText(/Brush at \d+% from the left and 50% from the top/).waitFor({ state: 'attached' });
    await page.keyboard.press(']');
    await page.keyboard.press('Shift+ArrowUp');
    await page.keyboard.press(' ');
    const both = await paintedCount(page);
    assert.ok(both > line);
    await page.keyboard.press('Control+z');
    assert.equal(await paintedCount(page), line);
    await page.keyboard.press('Control+Shift+z');
    assert.equal(await paintedCount(page), both);
    await page.keyboard.press('i');
    await page.keyboard.press('e');
    await page.keyboard.press(' ');
    await finish(work, page, 'by keys', async () => {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
    });
    // Whoever does not see the page is told by where they are now.
    assert.equal(await page.evaluate<string>('document.activeElement.tagName'), 'H1');
  });

  it('with fingers, on a phone', async (t) => {
    const work = await painting(t, LONG_PROMPT, { width: 300, height: 420 });
    const page = await openPainterTab(t, work.link, { width: 360, height: 740, isPhone: true });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth > window.innerWidth'), false);
    const box = (await page.locator('#viewport').boundingBox()) ?? assert.fail('there is nothing to paint on');
    assert.ok(box.height > 740 / 2, `only ${box.height} px are left for the picture`);
    const touch = await page.context().newCDPSession(page);
    const at = (x: number, y: number, id: number) => ({ x: box.x + box.width * x, y: box.y + box.height * y, id });
    const send = async (
      type: 'touchStart' | 'touchMove' | 'touchEnd',
      touchPoints: readonly ReturnType<typeof at>[],
    ): Promise<void> => {
      await touch.send('Input.dispatchTouchEvent', { type, touchPoints: [...touchPoints] });
    };
    await send('touchStart', [at(0.4, 0.4, 1)]);
    await send('touchMove', [at(0.6, 0.6, 1)]);
    await send('touchEnd', []);
    const stroke = await paintedCount(page);
    assert.ok(stroke > 0);
    // Two fingers enlarge the picture, and the first of them has painted nothing.
    await send('touchStart', [at(0.4, 0.5, 1)]);
    await send('touchStart', [at(0.4, 0.5, 1), at(0.6, 0.5, 2)]);
    await send('touchMove', [at(0.2, 0.5, 1), at(0.8, 0.5, 2)]);
    await send('touchEnd', []);
    assert.equal(await paintedCount(page), stroke);
    const width = (await page.locator('#picture').boundingBox())?.width ?? 0;
    assert.ok(width > 2 * 300, `the picture is ${width} px wide`);
    await page.getByRole('button', { name: 'Show the whole picture' }).tap();
    await page.getByLabel('Mark a part').tap();
    await page.getByRole('button', { name: 'The top half' }).tap();
    assert.ok((await paintedCount(page)) > stroke);
    await finish(work, page, LONG_PROMPT, async () => page.getByRole('button', { name: 'Done' }).tap());
  });

  it('waits for a picture that cannot be had at once, and loads it again with the page', async (t) => {
    const { link } = await painting(t, 'a busy hour');
    let refusals = 1;
    const page = await openPainterTab(t, link, {
      toldStatuses: [503],
      prepare: async (tab) => {
        await tab.route('**/picture', async (route) => {
          refusals -= 1;
          return refusals < 0 ? route.continue() : route.fulfill({ status: 503 });
        });
      },
    });
    assert.equal(refusals, -1, 'it was refused once');
    await page.reload();
    await page.locator('#viewport:not([aria-busy])').waitFor();
  });

  it('keeps what was painted, whatever a proxy says in the place of the server', async (t) => {
    const work = await painting(t, 'behind a proxy');
    const page = await openPainterTab(t, work.link, { toldStatuses: [502, 504, 500, 429, 403] });
    await drag(page, [0.4, 0.3], [0.6, 0.6]);
    const count = await paintedCount(page);
    const answers = [502, 504, 500, 429, 403, 200];
    await page.route(work.link, async (route) => {
      const status = answers.shift();
      return status === undefined
        ? route.continue()
        : route.fulfill({ status, contentType: 'text/html', body: '<title>nginx</title><h1>Bad Gateway</h1>' });
    });
    const done = page.getByRole('button', { name: 'Done' });
    while (answers.length > 0) {
      await done.click();
      await page.locator('#done:not([aria-disabled="true"])').waitFor();
      await page.getByText('What you painted is still here').waitFor();
      assert.equal(await paintedCount(page), count);
    }
    await finish(work, page, 'behind a proxy', async () => done.click());
  });

  it('with a pen, and the hand that holds it on the picture', async (t) => {
    const work = await painting(t, 'by pen');
    const page = await openPainterTab(t, work.link);
    const send = async (type: string, pointer: 'pen' | 'touch', x: number, y: number): Promise<void> => {
      // Browsers can be told to touch, and not to do so beside a pen.
      await page.evaluate(`(() => {
        const viewport = document.getElementById('viewport');
        viewport.setPointerCapture = () => undefined;
        const box = viewport.getBoundingClientRect();
        const [clientX, clientY] = [box.x + box.width * ${x}, box.y + box.height * ${y}];
        const pointerId = ${pointer === 'pen' ? 11 : 12};
        const options = { pointerId, pointerType: '${pointer}', clientX, clientY, button: 0, bubbles: true };
        viewport.dispatchEvent(new PointerEvent('${type}', options));
      })()`);
    };
    const stroke = async (isWithHand: boolean): Promise<number> => {
      if (isWithHand) await send('pointerdown', 'touch', 0.7, 0.8);
      await send('pointerdown', 'pen', 0.4, 0.4);
      await send('pointermove', 'pen', 0.5, 0.4);
      if (isWithHand) {
        await send('pointermove', 'touch', 0.7, 0.82);
        await send('pointerup', 'touch', 0.7, 0.8);
        await send('pointerdown', 'touch', 0.7, 0.8);
        await send('pointermove', 'pen', 0.55, 0.4);
        await send('pointercancel', 'touch', 0.7, 0.8);
      }
      await send('pointermove', 'pen', 0.6, 0.4);
      await send('pointerup', 'pen', 0.6, 0.4);
      const count = await paintedCount(page);
      await page.getByRole('button', { name: 'Undo' }).click();
      assert.equal(await paintedCount(page), 0, 'it was one stroke');
      return count;
    };
    const alone = await stroke(false);
    assert.ok(alone > 0);
    assert.equal(await stroke(true), alone);
  });

  it('tells where the mask cannot be written, and takes it where it can be after all', async (t) => {
    const work = await painting(t, 'an old browser');
    const page = await openPainterTab(t, work.link);
    await drag(page, [0.4, 0.3], [0.6, 0.6]);
    await page.evaluate('window.kept = CompressionStream; window.CompressionStream = undefined');
    const done = page.getByRole('button', { name: 'Done' });
    await done.click();
    await page.getByText('What you painted is still here').waitFor();
    await page.evaluate('window.CompressionStream = window.kept');
    await finish(work, page, 'an old browser', async () => done.click());
  });

  it('stands still while the mask is on its way, and goes on where it did not get there', async (t) => {
    const work = await painting(t, 'in the meantime');
    const page = await openPainterTab(t, work.link, { toldStatuses: [502] });
    await drag(page, [0.4, 0.3], [0.6, 0.6]);
    const count = await paintedCount(page);
    const held: Route[] = [];
    await page.route(work.link, (route) => void held.push(route));
    const done = page.getByRole('button', { name: 'Done' });
    // The button is held down still while somebody who has another hand is done.
    await page.mouse.down();
    await done.focus();
    await page.keyboard.press('Enter');
    await page.getByText('Sending…').waitFor();
    await page.mouse.up();
    const sent = await paintedCount(page);
    await drag(page, [0.2, 0.3], [0.2, 0.6]);
    for (const key of ['i', 'Control+z', 'Control+y']) await page.keyboard.press(key);
    await page.locator('#invert').click({ force: true });
    assert.equal(await paintedCount(page), sent);
    await page.getByText('Sending…').waitFor();
    await held[0]?.fulfill({ status: 502 });
    await page.getByText('What you painted is still here').waitFor();
    await page.unroute(work.link);
    await drag(page, [0.2, 0.3], [0.2, 0.6]);
    assert.ok((await paintedCount(page)) > count);
    await finish(work, page, 'in the meantime', async () => done.click());
  });
});
