import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client, Message } from 'discord.js';
import { contentsOf, findPictures } from '../../src/discord/message-pictures.ts';

const HERE = 'https://cdn.discordapp.com';
const COPIES = 'https://media.discordapp.net';
const accepts = (url: string): boolean => url.startsWith(`${HERE}/`);
const acceptsBoth = (url: string): boolean => accepts(url) || url.startsWith(`${COPIES}/`);

function attachment(name: string, more: object = {}) {
  return { filename: name, url: `${HERE}/${name}?ex=1`, proxy_url: `https://media.example/${name}`, ...more };
}

describe('findPictures', () => {
  it('finds what is attached, shown in galleries at any depth, at the side of a text, and in embeds', () => {
    const media = (name: string) => ({ media: { url: `${HERE}/${name}`, content_type: 'image/png' } });
    const message = {
      attachments: [attachment('a.png', { content_type: 'image/png' }), attachment('b.jpg', { width: 10 })],
      components: [
        { type: 17, components: [{ type: 12, items: [media('c.png'), { ...media('d.png'), spoiler: true }] }] },
        { type: 9, components: [{ type: 10, content: 'text' }], accessory: { type: 11, ...media('e.png') } },
        { type: 1, components: [{ type: 2, style: 1, label: 'Edit', custom_id: 'x' }] },
      ],
      embeds: [{ image: { url: 'https://elsewhere.example/f.png', proxy_url: `${HERE}/f.png` } }],
    };
    assert.deepEqual(
      findPictures(message, accepts).map(({ url, isSpoiler }) => [url.replace(`${HERE}/`, ''), isSpoiler]),
      [
        ['a.png?ex=1', false],
        ['b.jpg?ex=1', false],
        ['c.png', false],
        ['d.png', true],
        ['e.png', false],
        ['f.png', false],
      ],
    );
  });

  it('finds the pictures of a message that was forwarded', () => {
    const forwarded = { message: { attachments: [attachment('a.png', { content_type: 'image/png' })] } };
    const pictures = [{ url: `${HERE}/a.png?ex=1`, isSpoiler: false }];
    const snapshots = [{ message: null }, forwarded];
    assert.deepEqual(findPictures({ attachments: [], message_snapshots: snapshots }, accepts), pictures);

    const client = new Client({ intents: [] });
    const reference = { type: 1, message_id: '3', channel_id: '1' };
    const sent = { id: '2', channel_id: '1', message_reference: reference, message_snapshots: [forwarded] };
    const received: unknown = Reflect.construct(Message, [client, sent]);
    assert.ok(received instanceof Message);
    assert.deepEqual(findPictures(contentsOf(received), accepts), pictures);
  });

  it('passes over what is no picture, and what lies at no accepted address', () => {
    const message = {
      attachments: [attachment('notes.txt', { content_type: 'text/plain' }), attachment('unknown')],
      components: [{ type: 12, items: [{ media: { url: `${HERE}/film.mp4`, content_type: 'video/mp4' } }] }],
      embeds: [
        { image: { url: 'http://169.254.169.254/a.png', proxy_url: 'https://cdn.discordapp.com.example/a.png' } },
        { thumbnail: { url: 'https://elsewhere.example/b.png' } },
      ],
    };
    assert.deepEqual(findPictures(message, accepts), []);
  });

  it('takes a picture once, at most ten, and whatever came instead of a message as none', () => {
    const picture = attachment('a.png', { content_type: 'image/png' });
    const embed = { image: { url: `${HERE}/a.png?ex=2` } };
    assert.equal(findPictures({ attachments: [picture], embeds: [embed] }, accepts).length, 1);
    const many = Array.from({ length: 12 }, (_, index) => attachment(`${index}.png`, { width: 1 }));
    assert.equal(findPictures({ attachments: many }, accepts).length, 10);
    for (const nothing of [undefined, null, 'text', [], { attachments: 'none' }]) {
      assert.deepEqual(findPictures(nothing, accepts), []);
    }
  });

  it('takes a picture once that is attached and shown by an embed, under whichever of Discord’s hosts', () => {
    const path = 'attachments/1/2/SPOILER_a.png';
    const addresses = { url: `${HERE}/${path}?ex=1`, proxy_url: `${COPIES}/${path}?ex=1` };
    const attached = { filename: 'SPOILER_a.png', content_type: 'image/png', ...addresses };
    const embeds = [{ image: addresses }, { thumbnail: { url: addresses.url } }];
    assert.deepEqual(findPictures({ attachments: [attached], embeds }, acceptsBoth), [
      { url: addresses.url, isSpoiler: true },
    ]);
    const gallery = { type: 12, items: [{ media: { url: `${HERE}/b.png` }, spoiler: true }] };
    const shown = { attachments: [attachment('b.png', { width: 1 })], components: [gallery] };
    assert.deepEqual(
      findPictures(shown, acceptsBoth).map(({ isSpoiler }) => isSpoiler),
      [true],
    );
    const elsewhere = ['https://one.example/a.png', 'https://two.example/a.png'].map((url) => ({ image: { url } }));
    assert.equal(findPictures({ embeds: elsewhere }, () => true).length, 2);
  });

  it('knows a covered attachment by its name', () => {
    const [picture] = findPictures({ attachments: [attachment('SPOILER_a.png', { width: 1 })] }, accepts);
    assert.equal(picture?.isSpoiler, true);
  });
});
