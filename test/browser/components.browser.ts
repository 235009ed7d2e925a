import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { after, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { photograph } from '../fixtures/pictures.ts';
import type { FakeBot, ReceivedInteraction } from '../sandbox-page/fake-bot.ts';
import { connectFakeBot } from '../sandbox-page/fake-bot.ts';
import type { ServedPage } from '../sandbox-page/page-fixture.ts';
import { servePage } from '../sandbox-page/page-fixture.ts';
import { closeBrowser, openTab, skip } from './browser.ts';
import { everyField, showcase } from './showcase.ts';

type Scene = { readonly served: ServedPage; readonly bot: FakeBot; readonly page: Page };

async function setScene(t: TestContext, answer: (interaction: ReceivedInteraction) => unknown): Promise<Scene> {
  const served = await servePage(t);
  const { discord, channel, member } = served.stage;
  const commands = [
    { type: 3, name: 'Vary this' },
    { name: 'form', description: 'Open a form' },
  ];
  const bot = await connectFakeBot(discord, { commands, answer });
  const picture = await photograph({ width: 320, height: 200 }).png().toBuffer();
  await bot.post(channel.id, showcase(member.user.id, channel.id), [
    { name: 'one.png', bytes: new Uint8Array(picture) },
    { name: 'two.png', bytes: new Uint8Array(picture) },
    { name: 'table.csv', bytes: new TextEncoder().encode('a,b\n1,2\n') },
  ]);
  return { served, bot, page: await openTab(t, served.address) };
}

const REPLY = { type: 4, data: { content: 'Heard.', flags: 64 } };

describe('messages in a browser', { skip }, () => {
  after(closeBrowser);

  it('show everything that they are built of', async (t) => {
    const { page } = await setScene(t, () => REPLY);
    const message = page.getByRole('article').first();
    await message.getByRole('heading', { name: 'A heading' }).waitFor();
    assert.equal(await message.locator('strong', { hasText: 'bold' }).count(), 1);
    assert.equal(await message.locator('em', { hasText: 'slanted' }).count(), 1);
    assert.match(await message.innerText(), /snake_case_words[^]*<script>alert\(1\)<\/script>/);
    assert.equal(await message.locator('.mention', { hasText: '@mira' }).count(), 1);
    assert.match(await message.locator('blockquote time').innerText(), /in \d+ years/);
    assert.equal(await message.locator('pre', { hasText: 'const fox = 1 < 2;' }).count(), 1);
    assert.equal(await message.locator('small', { hasText: 'Small print' }).count(), 1);
    await message.getByRole('button', { name: 'Spoiler', exact: true }).click();
    await message.getByText('a secret').waitFor();

    const covered = message.locator('figure', { has: page.getByAltText('the second picture') });
    assert.equal(await covered.getAttribute('class'), 'medium covered');
    await covered.getByRole('button', { name: 'Spoiler: show the picture' }).click();
    assert.equal(await covered.getAttribute('class'), 'medium');
    await message.getByRole('button', { name: 'Show the description' }).first().click();
    await message.locator('figcaption', { hasText: 'the first picture' }).waitFor();

    const download = page.waitForEvent('download');
    await message.getByRole('link', { name: /table.csv/ }).click();
    assert.equal((await download).suggestedFilename(), 'table.csv');
    assert.ok(await message.getByRole('button', { name: 'Disabled' }).isDisabled());
  });

  it('tell the bot which button was pressed and what was chosen', async (t) => {
    const { page, bot, served } = await setScene(t, () => REPLY);
    await page.getByRole('button', { name: 'Danger' }).click();
    await page.getByRole('combobox', { name: 'A colour', exact: true }).click();
    await page.getByRole('option', { name: 'Green' }).click();
    await page.getByRole('combobox', { name: 'Two colours' }).click();
    await page.getByRole('option', { name: 'Red' }).click();
    await page.getByRole('option', { name: 'Blue' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('combobox', { name: 'A member' }).click();
    await page.getByRole('option', { name: 'ada' }).click();
    await page.getByText('Only you can see this').nth(3).waitFor();
    assert.deepEqual(
      bot.interactions.map(({ data }) => [data.custom_id, data.values]),
      [
        ['button-4', undefined],
        ['colour', ['green']],
        ['colours', ['red', 'blue']],
        ['member', [served.stage.administrator.user.id]],
      ],
    );
  });

  it('have the commands of apps in their menu', async (t) => {
    const { page, bot } = await setScene(t, () => REPLY);
    const message = page.getByRole('article').first();
    await message.getByRole('heading', { name: 'A heading' }).click({ button: 'right' });
    await page.getByRole('group', { name: 'Apps' }).getByRole('menuitem', { name: 'Vary this' }).click();
    await page.getByText('mira used Vary this').waitFor();
    assert.equal(bot.interactions[0]?.data.target_id, await message.getAttribute('data-message-id'));
  });

  it('lead to each other, and show where there is something new', async (t) => {
    const { page, bot, served } = await setScene(t, () => REPLY);
    const { discord, guild, channel, member } = served.stage;
    const first = await page.getByRole('article').first().getAttribute('data-message-id');
    await bot.post(channel.id, { content: `See https://discord.com/channels/${guild.id}/${channel.id}/${first}` });
    await page.getByRole('link', { name: '#general › message' }).click();
    await page.locator(`[data-message-id="${first}"]:focus`).waitFor();
    await bot.post(discord.world.directChannel(member.user).id, { content: 'for you alone' });
    await page.getByRole('button', { name: 'Direct messages, unread' }).click();
    await page.getByText('for you alone', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Direct messages', exact: true }).waitFor();
  });

  it('think visibly, and for no longer than Discord lets them', async (t) => {
    const { page } = await setScene(t, () => ({ type: 5 }));
    await page.getByRole('textbox', { name: 'Message #general' }).fill('/form ');
    await page.getByRole('button', { name: 'Send /form' }).click();
    const message = page.getByRole('article').last();
    await message.getByText('Easel is thinking…').waitFor();
    await page.getByRole('button', { name: 'Jump 15 minutes' }).click();
    await message.getByText('The application did not respond').waitFor();
    const month = page.locator('.bill .panel-note').first();
    const before = await month.innerText();
    await page.getByRole('button', { name: 'Next month' }).click();
    await month.filter({ hasNotText: before }).waitFor();
  });

  it('open forms, which say what is missing', async (t) => {
    const { page, bot } = await setScene(t, ({ type }) => (type === 2 ? { type: 9, data: everyField() } : REPLY));
    await page.getByRole('textbox', { name: 'Message #general' }).fill('/form ');
    await page.getByRole('button', { name: 'Send /form' }).click();
    const form = page.getByRole('dialog', { name: 'Every kind of field' });
    await form.getByRole('button', { name: 'Submit' }).click();
    await form.getByText('At least 3 characters.').waitFor();
    await form.getByRole('textbox', { name: 'Words' }).fill('a whole sentence');
    await form.getByRole('combobox', { name: 'Pick' }).click();
    await page.getByRole('option', { name: 'Two' }).click();
    await form.getByRole('radio', { name: 'Three' }).check();
    await form.getByRole('checkbox', { name: 'One' }).check();
    await form.getByRole('checkbox', { name: 'Two' }).check();
    const buffer = await photograph({ width: 32, height: 32 }).png().toBuffer();
    await form.getByLabel('File').setInputFiles({ name: 'fox.png', mimeType: 'image/png', buffer });
    await form.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('Heard.', { exact: true }).waitFor();
    assert.equal(await form.count(), 0);
    const told = JSON.stringify(bot.interactions[1]?.data.components);
    for (const part of ['a whole sentence', '["two"]', '"value":"three"', '["one","two"]']) {
      assert.ok(told.includes(part), `${part} in ${told}`);
    }
  });
});
