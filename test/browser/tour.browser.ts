import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { reachablePainter } from '../../sandbox/painter-address.ts';
import { decode, photograph } from '../fixtures/pictures.ts';
import { servePage } from '../sandbox-page/page-fixture.ts';
import { equalShare, fileOf, viewed } from '../scenarios/edits.ts';
import { callsFor } from '../scenarios/judgement.ts';
import { painted } from '../scenarios/painting.ts';
import { closeBrowser, drag, followToPainter, openTab, shownAsPainted, skip } from './browser.ts';

/** An amount of the panel, in nano-US-dollars. */
async function amount(page: Page, name: 'provider' | 'ledger' | 'unknown' | 'held'): Promise<number> {
  return Number(await page.locator(`[data-amount=${name}]`).getAttribute('value'));
}

async function imagine(page: Page, prompt: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message #general' }).fill(`/imagine ${prompt}`);
  await page.getByRole('textbox', { name: 'prompt' }).press('Enter');
}

describe('the page in a browser', { skip }, () => {
  after(closeBrowser);

  it('takes a newcomer from a slash to a picture, its cost and the total', async (t) => {
    const { bot, address, stage } = await servePage(t);
    await bot.start();
    const page = await openTab(t, address);
    const box = page.getByRole('textbox', { name: 'Message #general' });
    await box.pressSequentially('/im');
    const command = page.getByRole('option', { name: '/imagine' });
    await command.click();
    await page.getByRole('textbox', { name: 'prompt' }).fill('a red fox in snow');
    await page.getByRole('button', { name: '+ quality' }).click();
    await page.getByRole('option', { name: 'low' }).click();
    await page.getByRole('button', { name: 'Send /imagine' }).click();
    const message = page.getByRole('article').last();
    const picture = message.getByRole('img', { name: 'a red fox in snow' });
    await picture.waitFor();
    const decoded =
      "(async (image) => { await image.decode(); return image.naturalWidth; })(document.querySelector('.gallery img'))";
    assert.equal(await page.evaluate(decoded), 1024);
    assert.match(await message.innerText(), /mira\s+used\s+\/imagine/);
    assert.match(await message.innerText(), /low · \$0\.0\d+/);

    await page.locator('.verdict.good', { hasText: 'Equal' }).waitFor();
    const [bill] = stage.provider.bills;
    assert.equal(await amount(page, 'provider'), bill?.costNanoUsd);
    assert.equal(await amount(page, 'ledger'), bill?.costNanoUsd);

    await page.getByRole('button', { name: 'ada Administrator' }).click();
    await box.fill('/usage ');
    await page.getByRole('button', { name: 'Send /usage' }).click();
    const usage = page.getByRole('article').filter({ hasText: 'Only you can see this' });
    const dollars = ((bill?.costNanoUsd ?? 0) / 1e9).toFixed(4);
    await usage.filter({ hasText: `$${dollars}` }).waitFor();
    await usage.getByRole('button', { name: 'Dismiss message' }).click();
    assert.equal(await usage.count(), 0);
  });

  it('opens pictures large, and shows what they are of', async (t) => {
    const { bot, address } = await servePage(t);
    await bot.start();
    const page = await openTab(t, address);
    await imagine(page, 'a lighthouse');
    await page.getByRole('button', { name: 'Open: a lighthouse' }).click();
    const dialog = page.getByRole('dialog', { name: 'Picture' });
    await dialog.getByRole('img', { name: 'a lighthouse' }).waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await dialog.count(), 0);
  });

  it('edits a picture that was dropped, pasted or chosen', async (t) => {
    const { bot, address, stage } = await servePage(t);
    await bot.start();
    const page = await openTab(t, address);
    const photo = await photograph({ width: 256, height: 256 }).png().toBuffer();
    await page.getByRole('textbox', { name: 'Message #general' }).fill('/edit ');
    await page.getByRole('textbox', { name: 'prompt' }).fill('make it night');
    const file = { name: 'photo.png', mimeType: 'image/png', buffer: photo };
    await page.getByLabel('image', { exact: true }).setInputFiles(file);
    await page.getByText('photo.png').waitFor();
    // A second one, dropped somewhere, goes where a file is missing: the mask.
    await page.getByRole('button', { name: '+ mask', exact: true }).click();
    const fileData = `(() => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(${JSON.stringify([...photo])})], 'mask.png', { type: 'image/png' }));
      return data;
    })()`;
    const transfer = await page.evaluateHandle(fileData);
    await page.locator('body').dispatchEvent('drop', { dataTransfer: transfer });
    await page.locator('[data-option=mask]').getByText('mask.png').waitFor();
    await page.getByRole('button', { name: 'Remove mask.png' }).click();
    // Pasted, it comes back.
    const paste = `new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: ${fileData} })`;
    await page.evaluate(`document.querySelector('[data-option=prompt] textarea').dispatchEvent(${paste})`);
    await page.locator('[data-option=mask]').getByText('mask.png').waitFor();
    await page.getByRole('button', { name: 'Remove mask.png' }).click();
    await page.getByRole('button', { name: 'Remove mask', exact: true }).click();
    await page.getByRole('textbox', { name: 'prompt' }).press('Enter');
    await page.getByRole('article').getByRole('img', { name: 'make it night' }).waitFor();
    assert.equal(stage.provider.bills.at(0)?.endpoint, 'edits');
  });

  it('shows what a fault from the panel does', async (t) => {
    const { bot, address, stage } = await servePage(t);
    await bot.start();
    const page = await openTab(t, address);
    const fault = page.getByRole('radiogroup', { name: 'Cut off after billing' });
    await fault.getByRole('radio', { name: 'Next' }).check({ force: true });
    await imagine(page, 'a fox');
    await page.locator('.fault', { hasText: 'Cut off after billing' }).getByText('happened 1×').waitFor();
    await page.getByText('Billed, but in no server’s ledger (1)').waitFor();
    assert.ok(await fault.getByRole('radio', { name: 'Off' }).isChecked());
    assert.equal(await amount(page, 'ledger'), 0);
    assert.ok((await amount(page, 'unknown')) > 0);
    assert.equal(stage.provider.bills.length, 1);
    await imagine(page, 'a whale');
    await page.getByRole('img', { name: 'a whale' }).waitFor();
    await page.locator('.verdict.open', { hasText: '1 billed call' }).waitFor();
    assert.equal(await amount(page, 'ledger'), stage.provider.bills[1]?.costNanoUsd);
    await page.setViewportSize({ width: 390, height: 800 });
    assert.equal(await page.locator('.scrim').isVisible(), false, 'nothing lies over the channel of a phone');
  });

  it('survives that the bot is killed in the middle of a picture', async (t) => {
    const { bot, address, stage } = await servePage(t, { environment: { RECOVERY_SECONDS: '1' } });
    await bot.start();
    const page = await openTab(t, address);
    const gate = stage.provider.holdAnswers();
    await imagine(page, 'a fox');
    await gate.arrived(1);
    await page.getByRole('button', { name: 'Kill it' }).click();
    await page.locator('.bot-state', { hasText: 'not running' }).waitFor();
    gate.release();
    await imagine(page, 'nobody hears this');
    await page.getByRole('article').getByText('The application did not respond').waitFor();
    await page.getByRole('button', { name: 'Start it' }).click();
    await page.locator('.bot-state', { hasText: 'is running' }).waitFor();
    // The first picture was paid for, and its answer was lost with the bot that waited for it.
    await page.locator('article[aria-busy]').waitFor({ state: 'detached' });
    await page.locator('[data-amount=unknown]:not([value="0"])').waitFor();
    await page.locator('.verdict.open').waitFor();
    assert.equal(stage.provider.bills.length, 1);
    await imagine(page, 'a whale');
    await page.getByRole('img', { name: 'a whale' }).waitFor();
    const [lost, booked] = stage.provider.bills;
    await page.locator(`[data-amount=ledger][value='${booked?.costNanoUsd}']`).waitFor();
    assert.equal(await amount(page, 'provider'), booked?.costNanoUsd);
    assert.ok((lost?.costNanoUsd ?? Infinity) <= (await amount(page, 'unknown')));
    assert.equal(stage.provider.bills.length, 2);
  });

  it('takes a newcomer through everything: make, vary, paint, look at the bill, decide the budget', async (t) => {
    const environment = await reachablePainter();
    const { bot, address, stage } = await servePage(t, { provider: { keepUploads: true }, environment });
    await bot.start();
    const page = await openTab(t, address);
    const box = page.getByRole('textbox', { name: 'Message #general' });
    const latest = page.getByRole('article').last();
    const become = async (who: string): Promise<void> => {
      await page.getByRole('button', { name: who }).click();
      // Which commands somebody has comes with what they see.
      await page.getByRole('log').and(page.locator(':not([aria-busy])')).waitFor();
    };

    await imagine(page, 'a red fox in snow');
    await latest.getByRole('button', { name: 'Vary' }).click();
    await page.getByRole('img', { name: 'a red fox in snow' }).nth(1).waitFor();
    assert.deepEqual(
      stage.provider.bills.map(({ endpoint }) => endpoint),
      ['generations', 'edits'],
    );

    // An edit that leaves open what may change is painted in a tab of its own.
    const size = { width: 1024, height: 768 };
    const photo = await photograph(size).png().toBuffer();
    await box.fill('/edit make it night');
    await page
      .getByLabel('image', { exact: true })
      .setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: photo });
    await page.getByRole('button', { name: '+ format' }).click();
    await page.getByRole('option', { name: 'png' }).click();
    await page.getByRole('button', { name: 'Send /edit' }).click();
    await page.getByRole('button', { name: 'Paint a mask' }).click();
    const link = page.getByRole('link', { name: 'Open the painter' });
    assert.match((await link.getAttribute('rel')) ?? '', /noopener/);
    const painter = await followToPainter(t, page, async () => link.click());
    assert.equal(await painter.evaluate('window.opener'), null);
    await drag(painter, [0.4, 0.3], [0.6, 0.5]);
    const shown = await shownAsPainted(painter);
    assert.ok(shown.includes(true) && shown.includes(false));
    await painter.getByRole('button', { name: 'Done' }).click();
    await painter.getByRole('heading', { name: 'Your mask was sent to Discord' }).waitFor();
    await page.getByRole('img', { name: 'make it night' }).waitFor();
    const [call] = callsFor(stage, 'make it night');
    assert.deepEqual(await painted(fileOf(call?.files, 'mask').bytes), shown);
    const [result] = stage.discord
      .channelMessages(stage.channel)
      .flatMap(({ shownAttachments }) => shownAttachments.filter(({ description }) => description === 'make it night'));
    assert.ok(result);
    const edited = await decode(Buffer.from(result.bytes));
    const before = await viewed(photo);
    assert.deepEqual({ width: edited.width, height: edited.height }, size);
    const isPainted = (x: number, y: number): boolean => shown[y * size.width + x] === true;
    assert.equal(
      equalShare(edited, before, (x, y) => !isPainted(x, y)),
      1,
    );
    assert.ok(equalShare(edited, before, isPainted) < 1);

    await become('ada Administrator');
    await box.fill('/usage ');
    await page.getByRole('button', { name: 'Send /usage' }).click();
    const billed = stage.provider.bills.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
    assert.equal(stage.provider.bills.length, 3);
    await latest
      .getByText(`$${(billed / 1e9).toFixed(4)}`)
      .first()
      .waitFor();
    assert.equal(await amount(page, 'ledger'), billed);

    await box.fill('/settings budget ');
    await page.getByRole('button', { name: '+ usd' }).click();
    await page.getByRole('textbox', { name: 'usd' }).fill('0.01');
    await page.getByRole('button', { name: 'Send /settings budget' }).click();
    await latest.getByText('$0.01').first().waitFor();
    await become('mira Member');
    await imagine(page, 'one too many');
    await latest.getByText(/budget for the month does not cover it/).waitFor();
    await latest.getByText(/not charged/).waitFor();
    assert.deepEqual(callsFor(stage, 'one too many'), []);
    assert.equal(stage.provider.bills.length, 3);
    assert.equal(await amount(page, 'ledger'), billed);

    await become('ada Administrator');
    await box.fill('/settings show ');
    await page.getByRole('button', { name: 'Send /settings show' }).click();
    await latest.getByText('Budget: $0.01 a month').waitFor();
  });
});
