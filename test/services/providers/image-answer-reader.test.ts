import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createDecoderPool } from '../../../src/services/providers/base64-decoder.ts';
import type { ImageAnswer } from '../../../src/services/providers/image-answer-reader.ts';
import { beginImageAnswer } from '../../../src/services/providers/image-answer-reader.ts';
import { UnreadableAnswerError } from '../../../src/services/providers/image-answer-scanner.ts';
import { ImageTooLargeError, ImageWriter } from '../../../src/services/providers/image-writer.ts';
import { createMemorySinks } from './memory-sinks.ts';
import { readInPieces } from './read-in-pieces.ts';

const decoders = createDecoderPool();

type Read = { readonly answer: ImageAnswer; readonly images: readonly string[] };

/** Reads a body cut at the given positions; images come back as base64, which is easy to compare. */
async function read(body: string | Uint8Array, cuts: readonly number[] = [], imageCountMax = 10): Promise<Read> {
  const sinks = createMemorySinks();
  const writer = new ImageWriter(sinks.openByteSink, 1_000_000);
  const reading = beginImageAnswer(writer, imageCountMax, decoders);
  const end = await readInPieces(reading, Buffer.from(body), cuts);
  assert.ok(end.ended === 'completed');
  assert.equal(sinks.openCount(), 0);
  return { answer: end.answer, images: sinks.closedImages().map((image) => image.toString('base64')) };
}

function everyByte(body: string): readonly number[] {
  return Array.from({ length: Buffer.byteLength(body) }, (_, position) => position);
}

test('images, usage and urls come out of a plain answer', async () => {
  const usage = { total_tokens: 3, unknown: ['field', null] };
  const body = JSON.stringify({
    created: 1,
    data: [{ b64_json: 'AAEC' }, { b64_json: 'AwQF' }, { url: 'https://x/y' }],
    usage,
  });
  const { answer, images } = await read(body);
  assert.deepEqual(images, ['AAEC', 'AwQF']);
  assert.deepEqual(answer, { usage, toldCount: 3, resultUrls: ['https://x/y'], error: undefined });
});

test('only b64_json directly inside an entry of data is an image', async () => {
  const body = JSON.stringify({
    b64_json: 'AAAA',
    usage: { data: [{ b64_json: 'BBBB' }] },
    data: [
      { nested: { b64_json: 'CCCC', data: [{ b64_json: 'DDDD' }] }, list: [{ b64_json: 'EEEE' }], b64_json: 'AAEC' },
    ],
    other: [{ b64_json: 'FFFF' }],
  }).replace('"list":', '"b64_json":["GGGG",{"b64_json":"HHHH"}],"list":');
  for (const cuts of [[], everyByte(body)]) {
    const { answer, images } = await read(body, cuts);
    assert.deepEqual(images, ['AAEC']);
    assert.deepEqual(answer.usage, { data: [{ b64_json: 'BBBB' }] });
  }
});

test('escapes in images and keys are undone, wherever the chunks end', async () => {
  const body = String.raw`{"d\u0061ta":[{"b64\u005fjson":"data:image\/png;base64,\/\u002b8B\r\n\u003D"},{"url":"\"\\\u00e9"}],"usage":{"é":"\"}]"}}`;
  for (const cuts of [[], everyByte(body)]) {
    const { answer, images } = await read(body, cuts);
    assert.deepEqual(images, [Buffer.from('/+8B', 'base64').toString('base64')]);
    assert.deepEqual(answer, { usage: { é: '"}]' }, toldCount: 2, resultUrls: ['"\\é'], error: undefined });
  }
});

test('an image may come as a data URL in `url`, and an entry gives one image', async () => {
  const body = JSON.stringify({
    data: [
      { b64_json: null, url: 'data:image/png;base64,AAEC' },
      { url: 'data:image/webp;base64,AwQF', b64_json: 'AAAA' },
      { b64_json: 'BgcI', url: 'https://cdn/of-the-same-image' },
      { b64_json: '', url: 'dat' },
      { b64_json: null, url: null },
    ],
  });
  for (const cuts of [[], everyByte(body)]) {
    const { answer, images } = await read(body, cuts);
    assert.deepEqual(images, ['AAEC', 'AwQF', 'BgcI']);
    assert.deepEqual(answer.resultUrls, ['dat']);
    assert.equal(answer.toldCount, 4);
  }
});

test('a broken image is left out and its number goes to the next one', async () => {
  const { images } = await read(
    '{"data":[{"b64_json":"AA!!"},{"b64_json":"AAEC"},{"b64_json":"A\\qAA"},{"b64_json":"A\\"AA"}]}',
  );
  assert.deepEqual(images, ['AAEC']);
});

test('no more images are written than were asked for', async () => {
  const { images } = await read('{"data":[{"b64_json":"AAEC"},{"b64_json":"AwQF"},{"b64_json":"BgcI"}]}', [], 2);
  assert.deepEqual(images, ['AAEC', 'AwQF']);
});

test('usage that is null, false or missing is undefined; zero tokens are kept', async () => {
  for (const usage of ['', ',"usage":null', ',"usage":false']) {
    assert.equal((await read(`{"data":[]${usage}}`)).answer.usage, undefined);
  }
  assert.deepEqual((await read('{"data":[],"usage":{"total_tokens":0}}')).answer.usage, { total_tokens: 0 });
});

test('whitespace before, inside and after the JSON does not count, nor does a byte order mark', async () => {
  const spaces = ' \r\n\t'.repeat(1_000_000);
  const { images } = await read(`\ufeff${spaces}{ "data" :\n[ {"b64_json"\t: "AAEC"${spaces}} ] }${spaces}`);
  assert.deepEqual(images, ['AAEC']);
});

test('bodies that are no image answer are refused', async () => {
  const bodies = [
    '',
    ' ',
    '<html>"',
    'upstream error',
    '"text"',
    '{"data":[{"b64_json":"AAEC"}]',
    '{"data":[{"b64_json":"AAEC',
    '{data:1}',
    '}',
    '['.repeat(65),
  ];
  for (const body of bodies) {
    await assert.rejects(read(body), UnreadableAnswerError, body.slice(0, 40));
  }
});

test('what is kept besides images is limited, and one long text is dropped without harm', async () => {
  const long = 'é\\n'.repeat(50_000);
  const { answer } = await read(`{"data":[{"revised_prompt":"${long}","url":"https://x/y"}],"${long}":1}`);
  assert.deepEqual(answer.resultUrls, ['https://x/y']);
  await assert.rejects(read(`{"data":[${'{"a":"b"},'.repeat(200_000)}1]}`), UnreadableAnswerError);
});

test('an image beyond the limit ends the reading', async () => {
  await assert.rejects(read(`{"data":[{"b64_json":"${'A'.repeat(1_400_000)}"}]}`), ImageTooLargeError);
});

test('an error inside a 200 is found', async () => {
  assert.equal((await read('{"error":{"message":"no"}}')).answer.error?.['message'], 'no');
  assert.equal((await read('{"error":"none"}')).answer.error?.['message'], 'none');
  assert.equal((await read('{"code":50400,"message":"none","data":null}')).answer.error?.['message'], 'none');
  assert.equal((await read('{"message":"done","data":[{"b64_json":"AAEC"}]}')).answer.error, undefined);
});

/** Any rendering of JSON with the same meaning: spaces anywhere, any escape of any character. */
function render(value: unknown, random: () => number): string {
  const space = (): string => [' ', '', '', '\n\t'][Math.floor(random() * 4)] ?? '';
  const text = (characters: string): string => {
    const written = Array.from(characters, (character) => character).map((character) => {
      const isUnit = character.length === 1;
      const escaped = `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
      const plain = JSON.stringify(character).slice(1, -1);
      return isUnit && random() < 0.1 ? escaped : character === '/' && random() < 0.5 ? '\\/' : plain;
    });
    return `"${written.join('')}"`;
  };
  const list = (items: readonly string[]): string => items.join(`${space()},${space()}`);
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return `[${space()}${list(value.map((item) => render(item, random)))}${space()}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, item]) => `${text(key)}${space()}:${space()}${render(item, random)}`,
    );
    return `{${space()}${list(members)}${space()}}`;
  }
  return JSON.stringify(value);
}

test('any rendering of an answer, in any chunks, gives the same images and the same rest', async () => {
  const imageText = fc
    .uint8Array({ minLength: 1, maxLength: 60 })
    .map((bytes) => Buffer.from(bytes).toString('base64'));
  const entry = fc.oneof(
    imageText.map((text) => ({ image: text, json: { b64_json: text } })),
    fc.tuple(imageText, fc.json()).map(([text, extra]) => ({
      image: text,
      json: { extra: JSON.parse(extra), b64_json: `data:image/png;base64,${text}`, url: null },
    })),
    imageText.map((text) => ({ image: text, json: { b64_json: null, url: `data:image/png;base64,${text}` } })),
  );
  const property = fc.asyncProperty(
    fc.array(entry, { minLength: 1, maxLength: 4 }),
    fc.jsonValue(),
    fc.boolean(),
    fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
    fc.array(fc.nat(), { maxLength: 40 }),
    async (entries, usage, usageFirst, randoms, cutNumbers) => {
      const data = entries.map(({ json }) => json);
      const body = render(usageFirst ? { usage, data } : { created: 1, data, usage }, () => randoms.next().value ?? 0);
      const cuts = cutNumbers.map((cut) => cut % Buffer.byteLength(body)).toSorted((left, right) => left - right);
      const { answer, images } = await read(body, cuts);
      assert.deepEqual(
        images,
        entries.map(({ image }) => image),
      );
      // Parsed anew, because V8 13.6 confuses some escaped keys with those of objects that it has parsed before.
      const { usage: parsed } = JSON.parse(body);
      assert.deepEqual(answer.usage, parsed === null || parsed === false ? undefined : parsed);
      assert.deepEqual(answer.resultUrls, []);
    },
  );
  // A failure prints its seed and path, with which `fc.assert` repeats it.
  await fc.assert(property, { numRuns: 300 });
});
