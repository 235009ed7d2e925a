import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createDecoderPool } from '../../../src/services/providers/base64-decoder.ts';
import { UnreadableAnswerError } from '../../../src/services/providers/image-answer-scanner.ts';
import type { AnswerEnd } from '../../../src/services/providers/image-answer-reader.ts';
import { beginImageEvents } from '../../../src/services/providers/image-event-reader.ts';
import { ImageTooLargeError, ImageWriter } from '../../../src/services/providers/image-writer.ts';
import { PreviewWriter } from '../../../src/services/providers/preview-writer.ts';
import { createMemorySinks } from './memory-sinks.ts';
import { createPreviewBook } from './preview-book.ts';
import { readInPieces } from './read-in-pieces.ts';

const decoders = createDecoderPool();
const usage = { total_tokens: 3, output_tokens: 3 };

type Read = {
  readonly end: AnswerEnd;
  /** In base64, which is easy to compare. */
  readonly images: readonly string[];
  readonly previews: readonly string[];
  readonly imagesSeen: number;
};

type Reading = {
  readonly cuts?: readonly number[];
  readonly failure?: Error;
  readonly imageCountMax?: number;
};

/** Reads a stream cut at the given positions, and after its last byte lets it fail where that is wanted. */
async function read(text: string, options: Reading = {}): Promise<Read> {
  const { end, ...rest } = await readToItsEnd(text, options);
  if (end instanceof Error) throw end;
  return { end, ...rest };
}

/** What is there of a stream whose connection breaks behind the text. */
async function readBroken(text: string): Promise<Omit<Read, 'end'>> {
  const failure = new Error('the connection broke');
  const { end, ...rest } = await readToItsEnd(text, { failure });
  assert.equal(end, failure);
  return rest;
}

async function readToItsEnd(
  text: string,
  { cuts = [], failure, imageCountMax = 1 }: Reading,
): Promise<Omit<Read, 'end'> & { readonly end: AnswerEnd | Error }> {
  const sinks = createMemorySinks();
  const book = createPreviewBook(2);
  const writer = new ImageWriter(sinks.openByteSink, 1_000_000);
  const previews = new PreviewWriter(book.target);
  let imagesSeen = 0;
  const takers = { writer, previews, onImage: () => (imagesSeen += 1) };
  const reading = beginImageEvents(takers, imageCountMax, decoders);
  try {
    const end = await readInPieces(reading, Buffer.from(text), cuts, failure).catch((error: unknown) => {
      assert.ok(error instanceof Error);
      return error;
    });
    return { end, images: sinks.closedImages().map(base64), previews: book.previews().map(base64), imagesSeen };
  } finally {
    await Promise.all([writer.abandon(), previews.abandon()]);
    assert.equal(sinks.openCount() + book.openCount(), 0);
  }
}

function base64(image: Buffer): string {
  return image.toString('base64');
}

function everyByte(text: string): readonly number[] {
  return Array.from({ length: Buffer.byteLength(text) }, (_, position) => position);
}

/** An event as OpenAI frames it. */
function eventOf(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function partial(image: string, index: number): string {
  return eventOf('image_generation.partial_image', { b64_json: image, created_at: 1, partial_image_index: index });
}

function finishedWith(image: string, fields: object = {}): string {
  return eventOf('image_generation.completed', { b64_json: image, ...fields });
}

const completed = eventOf('image_generation.completed', { b64_json: 'AwQF', created_at: 1, usage });
const finished: AnswerEnd = {
  ended: 'completed',
  answer: { usage, toldCount: 1, resultUrls: [], error: undefined },
};

test('previews, the image and its usage come out, wherever the chunks end', async () => {
  const text = partial('AAEC', 0) + partial('BgcI', 1) + completed;
  for (const cuts of [[], everyByte(text)]) {
    assert.deepEqual(await read(text, { cuts }), {
      end: finished,
      images: ['AwQF'],
      previews: ['AAEC', 'BgcI'],
      imagesSeen: 3,
    });
  }
});

test('comments, other line ends, unknown events and words between the events do no harm', async () => {
  const text = [
    ': connected',
    '',
    'data: ping',
    '',
    'data: {"type":"response.created","b64_json":"BBBB","response":{"b64_json":"CCCC"}}',
    '',
    'data: [DONE]',
    '',
    partial('AAEC', 0),
    ': keep-alive',
    completed,
    'data: [DONE]',
    '',
  ].join('\n');
  for (const stream of [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r')]) {
    const { end, images, previews } = await read(stream);
    assert.deepEqual({ end, images, previews }, { end: finished, images: ['AwQF'], previews: ['AAEC'] });
  }
});

test('an event goes by its type, by its name, or by both, and the type may come last', async () => {
  const untyped = 'event: image_edit.completed\ndata: {"b64_json":"AwQF","usage":{"output_tokens":1}}\n\n';
  assert.deepEqual((await read(untyped)).images, ['AwQF']);
  const unnamed = 'data: {"type":"image_generation.completed","b64_json":"AwQF"}\n\n';
  assert.deepEqual((await read(unnamed)).images, ['AwQF']);
  const late =
    'data: {"b64_json":"AAEC","type":"image_generation.partial_image"}\n\n' +
    'data: {"b64_json":"AwQF","type":"image_generation.completed"}\n\n';
  const { images, previews } = await read(late);
  assert.deepEqual({ images, previews }, { images: ['AwQF'], previews: [] });
});

test('JSON over several lines, escapes and data URLs are read', async () => {
  const text = String.raw`event: image_generation.completed
data: {
data:   "\u0074ype": "image_generation\u002ecompleted",
data:   "b64_json": "data:image\/png;base64,\/\u002b8B"
data: }

`;
  for (const cuts of [[], everyByte(text)]) {
    assert.deepEqual((await read(text, { cuts })).images, [base64(Buffer.from('/+8B', 'base64'))]);
  }
});

test('the finished picture may be somewhere else', async () => {
  const { end, images } = await read(eventOf('image_generation.completed', { b64_json: null, url: 'https://x/y' }));
  assert.deepEqual(images, []);
  assert.ok(end.ended === 'completed');
  assert.deepEqual(end.answer.resultUrls, ['https://x/y']);
});

test('nothing is read behind the event that ends the stream', async () => {
  const failure = new Error('the connection broke');
  assert.deepEqual((await read(partial('AAEC', 0) + completed, { failure })).end, finished);
  const withoutEmptyLine = (partial('AAEC', 0) + completed).trimEnd();
  assert.deepEqual((await read(withoutEmptyLine, { failure })).images, ['AwQF']);
  assert.deepEqual((await read(completed + partial('AAEC', 0))).previews, []);
});

test('a stream that is cut anywhere has not come to its end', async () => {
  const text = partial('AAEC', 0) + completed.trimEnd();
  for (const cut of everyByte(text)) {
    const { end, previews } = await read(text.slice(0, cut));
    assert.deepEqual(end, { ended: 'early' });
    assert.ok(previews.length <= 1);
  }
});

test('an image that is whole outlives the rest of its event, however that breaks off', async () => {
  const named = partial('AAEC', 0) + completed.trimEnd();
  const unnamed = named.replaceAll(/event: .*\n/g, '');
  for (const text of [named, unnamed]) {
    const wholeAt = text.lastIndexOf('AwQF"') + 'AwQF"'.length;
    for (const cut of everyByte(text)) {
      const expected = cut < wholeAt ? [] : ['AwQF'];
      assert.deepEqual((await readBroken(text.slice(0, cut))).images, expected, text.slice(0, cut));
      assert.deepEqual((await read(text.slice(0, cut))).images, expected);
    }
  }
});

test('an image of which it is not known yet whether it is finished is no result', async () => {
  const text = 'data: {"b64_json":"AwQF","type":"image_generation.completed"';
  const untold = text.slice(0, text.indexOf(',"type"'));
  assert.deepEqual((await readBroken(untold)).images, []);
});

test('an error ends the stream, and it is known whether something had come before it', async () => {
  const error = { code: 'moderation_blocked', message: 'no' };
  for (const text of [eventOf('error', { error }), `data: ${JSON.stringify({ error })}\n\n`]) {
    const { end, imagesSeen } = await read(text + completed);
    assert.deepEqual({ end, imagesSeen }, { end: { ended: 'error', error }, imagesSeen: 0 });
    assert.equal((await read(partial('AAEC', 0) + text)).imagesSeen, 1);
  }
  const flat = await read(eventOf('error', { code: 'server_error', message: 'broken' }));
  assert.deepEqual(flat.end, { ended: 'error', error: { type: 'error', code: 'server_error', message: 'broken' } });
  const named = await read('event: image.generation.error\ndata: {"message":"broken"}\n\ndata: [DONE]\n\n');
  assert.deepEqual(named.end, { ended: 'error', error: { message: 'broken' } });
  const inWords = await read('data: {"error":"broken"}\n\ndata: [DONE]\n\n');
  assert.deepEqual(inWords.end, { ended: 'error', error: { message: 'broken' } });
  const raw = await read(`: PING\n\n${JSON.stringify({ error })}`);
  assert.deepEqual(raw.end, { ended: 'error', error });
});

test('the images of an answer may stand in a list, as in an answer that is no stream', async () => {
  const data = [{ b64_json: 'AwQF' }, { b64_json: 'BgcI' }, { url: 'https://x/y' }, { b64_json: 'CQoL' }];
  const answer = { usage, toldCount: 4, resultUrls: ['https://x/y'], error: undefined };
  const forms = {
    'as OpenAI names it': eventOf('image_generation.completed', { data, usage }),
    'with its name behind it': `data: ${JSON.stringify({ data, usage, type: 'image_generation.completed' })}\n\n`,
    'without a name': `data: ${JSON.stringify({ created: 1, data, usage })}\n\ndata: [DONE]\n\n`,
  };
  for (const [form, text] of Object.entries(forms)) {
    for (const cuts of [[], everyByte(text)]) {
      const { end, images } = await read(text, { cuts, imageCountMax: 4 });
      assert.deepEqual(
        { end, images },
        { end: { ended: 'completed', answer }, images: ['AwQF', 'BgcI', 'CQoL'] },
        form,
      );
      assert.deepEqual((await read(text, { cuts, imageCountMax: 2 })).images, ['AwQF', 'BgcI'], form);
    }
  }
  const broken = eventOf('image_generation.completed', { data: [{ b64_json: 'AA!!' }, { b64_json: 'AwQF' }] });
  assert.deepEqual((await read(broken, { imageCountMax: 2 })).images, ['AwQF']);
  const url = await read(eventOf('image_generation.completed', { data: [{ url: 'https://x/y' }], usage }));
  assert.ok(url.end.ended === 'completed');
  assert.deepEqual(url.end.answer, { usage, toldCount: 1, resultUrls: ['https://x/y'], error: undefined });
});

test('relays have names of their own for what brings the picture, and events of their own before it', async () => {
  const data = [{ b64_json: 'AwQF', url: null }];
  const waiting = { object: 'image.generation.chunk', progress_text: '…', data: [] };
  const streams = {
    'told by its object': `data: ${JSON.stringify(waiting)}\n\ndata: ${JSON.stringify({ object: 'image.generation.result', data, usage })}\n\n`,
    'told by its name': `event: image.generation.chunk\ndata: {"status":"processing"}\n\nevent: image.generation.result\ndata: ${JSON.stringify({ data, usage })}\n\n`,
    'told by its type': eventOf('ar_delta', { delta: 'a' }) + eventOf('image', { data, usage }),
    'no event at all': `: PING\n\n: PING\n\n${JSON.stringify({ created: 1, data, usage }, undefined, 2)}\n\n`,
    'no event at all, behind a word': `: PING\ndata: ping\n${JSON.stringify({ data, usage })}`,
  };
  for (const [name, text] of Object.entries(streams)) {
    for (const cuts of [[], everyByte(text)]) {
      const { end, images } = await read(`${text}data: [DONE]\n\n`, { cuts });
      assert.deepEqual({ end, images }, { end: finished, images: ['AwQF'] }, name);
    }
  }
});

test('several images may come in an event each, and what they cost is known where it is told once', async () => {
  const cases = [
    {
      text: finishedWith('AwQF') + finishedWith('BgcI', { usage }) + finishedWith('CQoL'),
      images: ['AwQF', 'BgcI'],
      told: usage,
    },
    {
      text: finishedWith('AwQF', { usage }) + finishedWith('BgcI', { usage }),
      images: ['AwQF', 'BgcI'],
      told: undefined,
    },
    { text: `${finishedWith('AwQF', { usage })}data: [DONE]\n\n`, images: ['AwQF'], told: usage },
  ];
  for (const { text, images, told } of cases) {
    const answer = { usage: told, toldCount: images.length, resultUrls: [], error: undefined };
    const actual = await read(text, { imageCountMax: 2 });
    assert.deepEqual([actual.end, actual.images], [{ ended: 'completed', answer }, images]);
  }
});

test('a broken preview is left out, and a broken image is told of', async () => {
  const { previews, images } = await read(partial('AA!!', 0) + partial('AAEC', 1) + completed);
  assert.deepEqual({ previews, images }, { previews: ['AAEC'], images: ['AwQF'] });
  const broken = await read(eventOf('image_generation.completed', { b64_json: 'AA!!', usage }));
  assert.deepEqual({ end: broken.end, images: broken.images }, { end: finished, images: [] });
});

test('no more previews are kept than were asked for', async () => {
  const { previews } = await read([0, 1, 2, 3].map((index) => partial('AAEC', index)).join('') + completed);
  assert.equal(previews.length, 2);
});

test('a stream is bounded in its events, in what they hold besides images, and in its image', async () => {
  await assert.rejects(read('data: ping\n\n'.repeat(20_000) + completed), UnreadableAnswerError);
  assert.deepEqual((await read(': ping\n\n'.repeat(20_000) + completed)).images, ['AwQF']);
  const huge = eventOf('unknown', { list: Array.from({ length: 300_000 }, () => 'text') });
  assert.deepEqual((await read(huge + completed)).images, ['AwQF']);
  const image = 'A'.repeat(1_400_000);
  await assert.rejects(read(eventOf('image_generation.completed', { b64_json: image })), ImageTooLargeError);
  assert.deepEqual((await read(partial(image, 0) + completed)).images, ['AwQF']);
});

test('any stream in any chunks gives the same pictures', async () => {
  const picture = fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => base64(Buffer.from(bytes)));
  const property = fc.asyncProperty(
    fc.array(picture, { maxLength: 2 }),
    picture,
    fc.jsonValue(),
    fc.constantFrom('\n', '\r\n'),
    fc.array(fc.nat(), { maxLength: 40 }),
    async (partials, image, extra, lineEnd, cutNumbers) => {
      const text = [
        ...partials.map((text_, index) => partial(text_, index)),
        eventOf('image_edit.completed', { extra, b64_json: image, usage }),
      ].join('');
      const stream = text.replaceAll('\n', lineEnd);
      const cuts = cutNumbers.map((cut) => cut % Buffer.byteLength(stream)).toSorted((one, other) => one - other);
      const { end, images, previews } = await read(stream, { cuts });
      assert.deepEqual({ end, images, previews }, { end: finished, images: [image], previews: partials });
    },
  );
  await fc.assert(property, { numRuns: 300 });
});
