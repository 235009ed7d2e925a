import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderMessage } from '../../../sandbox/discord/render.ts';
import { call } from './raw-bot.ts';
import { deferredImagine, PIXEL_PNG, setScene, webhookPath } from './support.ts';

test('a message reads as a member sees it', async (context) => {
  const scene = await setScene(context);
  const interaction = await deferredImagine(scene, { ephemeral: true });
  const thinking = interaction.original();
  assert.ok(thinking);
  assert.equal(renderMessage(thinking), '(only visible to you)\n… thinking');
  const components = [
    {
      type: 17,
      components: [
        { type: 10, content: '**a fox**\nby ada' },
        { type: 12, items: [{ media: { url: 'attachment://a.png' }, description: 'A fox' }] },
        { type: 14 },
        {
          type: 1,
          components: [
            { type: 2, style: 1, label: 'Edit', custom_id: 'edit' },
            { type: 2, style: 2, label: 'Vary', custom_id: 'vary', disabled: true },
            { type: 2, style: 5, label: 'Open', url: 'https://example.com/' },
          ],
        },
      ],
    },
  ];
  const path = webhookPath(scene.discord, interaction, '/messages/@original');
  await call(scene.discord, 'PATCH', path, { flags: 1 << 15, components }, [{ name: 'a.png', bytes: PIXEL_PNG }]);
  assert.equal(
    renderMessage(await interaction.finalMessage()),
    [
      '(only visible to you)',
      '│ **a fox**',
      '│ by ada',
      `│ [a.png, 1×1, ${PIXEL_PNG.length} B] “A fox”`,
      '│ ────────────────────────',
      '│ [Edit] (Vary) [Open → https://example.com/]',
    ].join('\n'),
  );
});

test('control characters of a prompt do not reach the terminal', async (context) => {
  const { discord, member } = await setScene(context);
  const message = discord.postAsMember({ member, content: 'red \u001B[31m text' });
  assert.equal(renderMessage(message), 'red \uFFFD[31m text');
});
