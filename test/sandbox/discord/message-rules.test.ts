import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scene } from './support.ts';
import { deferredImagine, PIXEL_PNG, setScene, webhookPath } from './support.ts';
import type { RawAnswer } from './raw-bot.ts';
import { at, call, successBody, verdict } from './raw-bot.ts';

const V2 = 1 << 15;
const text = (content: string) => ({ type: 10, content });
const gallery = (...urls: string[]) => ({ type: 12, items: urls.map((url) => ({ media: { url } })) });
const button = (customId: string) => ({ type: 2, style: 1, label: 'Edit', custom_id: customId });
const row = (...components: unknown[]) => ({ type: 1, components });

async function patchOriginal(scene: Scene): Promise<(body: unknown, names?: readonly string[]) => Promise<RawAnswer>> {
  const interaction = await deferredImagine(scene);
  const path = webhookPath(scene.discord, interaction, '/messages/@original');
  return (body, names = []) =>
    call(
      scene.discord,
      'PATCH',
      path,
      body,
      names.map((name) => ({ name, bytes: PIXEL_PNG })),
    );
}

/** Bodies that Discord refuses, and where in `errors` the reason stands. */
const REFUSED: readonly (readonly [name: string, body: unknown, path: readonly string[]])[] = [
  ['content of 2,001 characters', { content: 'x'.repeat(2001) }, ['content']],
  ['a key that means nothing', { contents: 'x' }, ['contents']],
  [
    'a key that means nothing in a component',
    { flags: V2, components: [{ ...text('x'), style: 1 }] },
    ['components', '0', 'style'],
  ],
  ['content beside Components V2', { flags: V2, content: 'x', components: [text('x')] }, ['content']],
  ['embeds beside Components V2', { flags: V2, embeds: [{ title: 'x' }], components: [text('x')] }, ['embeds']],
  ['a text of nothing but spaces', { flags: V2, components: [text(' \n')] }, ['components', '0', 'content']],
  ['V2 components without the flag', { components: [text('x')] }, ['components', '0', 'type']],
  [
    '41 components',
    {
      flags: V2,
      components: [1, 2].map(() => ({ type: 17, components: Array.from({ length: 20 }, () => text('x')) })),
    },
    ['components'],
  ],
  ['4,001 characters of text', { flags: V2, components: [text('x'.repeat(4000)), text('x')] }, ['components']],
  [
    'a gallery of 11',
    { flags: V2, components: [gallery(...Array.from({ length: 11 }, () => 'https://example.com/a.png'))] },
    ['components', '0', 'items'],
  ],
  [
    'an alternative text of 1,025 characters',
    {
      flags: V2,
      components: [{ type: 12, items: [{ media: { url: 'https://a.b/c.png' }, description: 'x'.repeat(1025) }] }],
    },
    ['components', '0', 'items', '0', 'description'],
  ],
  [
    'an attachment that was not uploaded',
    { flags: V2, components: [gallery('attachment://b.png')] },
    ['components', '0', 'items', '0', 'media', 'url'],
  ],
  [
    'two components of one custom id',
    { flags: V2, components: [row(button('a'), button('a'))] },
    ['components', '0', 'components', '1', 'custom_id'],
  ],
  [
    'six buttons in a row',
    { content: 'x', components: [row(...['a', 'b', 'c', 'd', 'e', 'f'].map(button))] },
    ['components', '0', 'components'],
  ],
  [
    'a custom id of 101 characters',
    { content: 'x', components: [row(button('x'.repeat(101)))] },
    ['components', '0', 'components', '0', 'custom_id'],
  ],
  [
    'a section without accessory',
    { flags: V2, components: [{ type: 9, components: [text('x')] }] },
    ['components', '0', 'accessory'],
  ],
  [
    'a button with neither label nor emoji',
    { content: 'x', components: [row({ type: 2, style: 1, custom_id: 'a' })] },
    ['components', '0', 'components', '0', 'label'],
  ],
  [
    'embeds of 6,001 characters',
    { embeds: [{ description: 'x'.repeat(4001) }, { description: 'x'.repeat(2000) }] },
    ['embeds'],
  ],
];

test('every malformed message is refused with 50035 at the right place, and recorded', async (context) => {
  const scene = await setScene(context);
  const patch = await patchOriginal(scene);
  for (const [name, body, path] of REFUSED) {
    const answer = await patch(body);
    assert.deepEqual(verdict(answer), { status: 400, code: 50035 }, name);
    assert.ok(Array.isArray(at(answer.body, 'errors', ...path, '_errors')), `${name}: ${JSON.stringify(answer.body)}`);
  }
  assert.equal(scene.discord.violations.length, REFUSED.length);
  assert.ok(scene.discord.violations.every(({ route, source }) => route === 'PATCH original' && source === 'rules'));
});

test('a Components V2 message shows only the uploads it refers to, and its flag stays', async (context) => {
  const scene = await setScene(context);
  const patch = await patchOriginal(scene);
  const body = {
    flags: V2,
    components: [
      { type: 17, accent_color: 255, components: [text('A fox'), gallery('attachment://a.png'), { type: 14 }] },
      row(button('edit')),
    ],
    attachments: [{ id: '0' }, { id: '1' }],
  };
  const wire = successBody(await patch(body, ['a.png', 'b.png']));
  const message = scene.discord.message(String(at(wire, 'id')));
  assert.deepEqual(
    message?.attachments.map(({ filename }) => filename),
    ['a.png', 'b.png'],
  );
  assert.deepEqual(
    message?.shownAttachments.map(({ filename }) => filename),
    ['a.png'],
  );
  assert.deepEqual(at(wire, 'attachments'), []);
  const media = at(wire, 'components', 0, 'components', 1, 'items', 0, 'media');
  assert.equal(at(media, 'attachment_id'), message?.attachments[0]?.id);
  const file = await fetch(String(at(media, 'url')));
  assert.deepEqual(new Uint8Array(await file.arrayBuffer()), PIXEL_PNG);

  assert.equal(verdict(await patch({ flags: 0 })).code, 50035);
  assert.equal(verdict(await patch({ content: 'back to words' })).code, 50035);
  assert.equal(verdict(await patch({ attachments: [] })).code, 50035);
  assert.equal((await patch({ components: [text('only words')], attachments: [] })).status, 200);
});

test('an upload that the list of attachments leaves out is refused', async (context) => {
  const scene = await setScene(context);
  const patch = await patchOriginal(scene);
  assert.equal(verdict(await patch({ content: 'x', attachments: [] }, ['a.png'])).code, 50035);
  assert.equal((await patch({ content: 'x' }, ['a.png'])).status, 200);
});

test('an empty message gets 50006, and broken JSON 50109', async (context) => {
  const scene = await setScene(context);
  const patch = await patchOriginal(scene);
  assert.deepEqual(verdict(await patch({ content: '' })), { status: 400, code: 50006 });
  assert.deepEqual(verdict(await patch({ content: ' \n' })), { status: 400, code: 50006 });
  const response = await fetch(`${scene.discord.apiUrl}/v10/users/@me/channels`, {
    method: 'POST',
    headers: { authorization: `Bot ${scene.discord.botToken}`, 'content-type': 'application/json' },
    body: '{',
  });
  assert.equal(at(await response.json(), 'code'), 50109);
});
