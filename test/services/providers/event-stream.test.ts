import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { EventStreamSplitter } from '../../../src/services/providers/event-stream.ts';

type StreamEvent = { readonly name: string | undefined; readonly data: string };

/** The events of a stream that is cut at the given positions, as a browser would dispatch them. */
function split(text: string | Buffer, cuts: readonly number[] = []): readonly StreamEvent[] {
  const bytes = Buffer.from(text);
  const splitter = new EventStreamSplitter();
  const events: StreamEvent[] = [];
  let name: string | undefined;
  let data: Buffer[] = [];
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    for (const part of splitter.split(bytes.subarray(start, cut))) {
      if (part.type === 'name') {
        name = part.name;
      } else if (part.type === 'data') {
        data.push(Buffer.from(part.bytes));
      } else {
        if (data.length > 0) {
          events.push({ name, data: Buffer.concat(data).toString() });
        }
        [name, data] = [undefined, []];
      }
    }
    start = cut;
  }
  return events;
}

function everyByte(text: string): readonly number[] {
  return Array.from({ length: Buffer.byteLength(text) }, (_, position) => position);
}

test('names and data come out, whatever ends the lines and wherever the chunks end', () => {
  const lines = [
    'event: one',
    'data: {"a": 1}',
    '',
    'data:bare',
    'event:late',
    '',
    'data:  two spaces: and a colon',
    '',
  ];
  const expected = [
    { name: 'one', data: '{"a": 1}' },
    { name: 'late', data: 'bare' },
    { name: undefined, data: ' two spaces: and a colon' },
  ];
  for (const lineEnd of ['\n', '\r', '\r\n']) {
    const text = `${lines.join(lineEnd)}${lineEnd}`;
    assert.deepEqual(split(text), expected);
    assert.deepEqual(split(text, everyByte(text)), expected);
  }
});

test('comments, other fields and lines without a colon are passed over', () => {
  const text = ': keep-alive\n\nid: 7\nretry: 100\nnonsense\ndata: x\n: inside\n\n:\n\nevent: alone\n\ndata: y\n\n';
  const expected = [
    { name: undefined, data: 'x' },
    { name: undefined, data: 'y' },
  ];
  assert.deepEqual(split(text), expected);
  assert.deepEqual(split(text, everyByte(text)), expected);
});

test('several lines of data are one, and an event that has not ended is none', () => {
  assert.deepEqual(split('data: {"a":\ndata: 1}\n\ndata: cut'), [{ name: undefined, data: '{"a":\n1}' }]);
});

test('a byte order mark in front does not hide the first field', () => {
  assert.deepEqual(split('\ufeffdata: x\n\n'), [{ name: undefined, data: 'x' }]);
});

test('a field name or an event name without end is not kept', () => {
  const text = `${'x'.repeat(1_000_000)}: y\nevent: ${'n'.repeat(1_000_000)}\ndata: z\n\n`;
  const [event, ...others] = split(text, [10, 500_000, 1_200_000]);
  assert.deepEqual(others, []);
  assert.equal(event?.data, 'z');
  assert.equal(event.name, 'n'.repeat(event.name?.length ?? 0));
  assert.ok((event.name?.length ?? 0) <= 128);
});

test('data is handed on in place, and not copied', () => {
  const chunk = Buffer.from('data: abcdef\n\n');
  const [part] = new EventStreamSplitter().split(chunk);
  assert.ok(part?.type === 'data');
  assert.equal(part.bytes.buffer, chunk.buffer);
  assert.equal(part.bytes.byteOffset, chunk.byteOffset + 'data: '.length);
});

test('any events in any chunks come out as they went in', () => {
  const word = fc.stringMatching(/^[\w.é]{1,12}$/);
  const text = fc.stringMatching(/^[\w {}":,é]{1,40}$/);
  const written = fc.record({ name: fc.option(word, { nil: undefined }), data: text, comment: fc.boolean() });
  const property = fc.property(
    fc.array(written, { maxLength: 5 }),
    fc.constantFrom('\n', '\r', '\r\n'),
    fc.array(fc.nat(), { maxLength: 30 }),
    (events, lineEnd, cutNumbers) => {
      const body = events
        .flatMap(({ name, data, comment }) => [
          ...(comment ? [': ping'] : []),
          ...(name === undefined ? [] : [`event: ${name}`]),
          `data: ${data}`,
          '',
        ])
        .map((line) => line + lineEnd)
        .join('');
      const cuts = cutNumbers.map((cut) => cut % (Buffer.byteLength(body) + 1)).toSorted((one, other) => one - other);
      assert.deepEqual(
        split(body, cuts),
        events.map(({ name, data }) => ({ name, data })),
      );
    },
  );
  fc.assert(property, { numRuns: 500 });
});
