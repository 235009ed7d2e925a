/** Writes successful answers: the JSON of a whole answer, and the events of a stream. */
import type { AnswerShape } from './faults.ts';
import type { FinishedWork } from './image-work.ts';

/**
 * Serialises fields with pictures in them, as a list of buffers. Megabytes of base64 never pass through the JSON
 * serialiser: it sees a placeholder for each picture, and the buffers are joined afterwards.
 */
function serialise(
  pictures: readonly Buffer[],
  isPretty: boolean,
  fields: (names: readonly string[]) => unknown,
): Buffer[] {
  const placeholders = pictures.map((_, index) => `\u{0}picture-${index}\u{0}`);
  const text = JSON.stringify(fields(placeholders), undefined, isPretty ? 2 : undefined);
  // Serialised, the zero characters around each name become these escapes, which nothing else in an answer contains.
  const pieces = text.split(/\\u0000picture-(\d+)\\u0000/);
  return pieces.map((piece, index) => {
    const isPicture = index % 2 === 1;
    return isPicture
      ? Buffer.from((pictures[Number(piece)] ?? Buffer.alloc(0)).toString('base64'), 'latin1')
      : Buffer.from(piece);
  });
}

/** The usage as the shape tells it; undefined where it is left out. */
function shapedUsage({ usage }: FinishedWork, shape: AnswerShape): unknown {
  switch (shape.usage ?? 'whole') {
    case 'whole':
      return usage;
    case 'omitted':
      return undefined;
    case 'false':
      return false;
    case 'null':
      return null;
    case 'without-output-details': {
      const { output_tokens_details: _, ...rest } = usage;
      return rest;
    }
    case 'without-input-details': {
      const { input_tokens_details: _, ...rest } = usage;
      return rest;
    }
  }
}

function inSeconds(epochMs: number): number {
  return Math.floor(epochMs / 1000);
}

/** What answer and events both say about the pictures. */
function description({ parameters, size, quality }: FinishedWork): Readonly<Record<string, string>> {
  return {
    background: parameters.background,
    output_format: parameters.format,
    quality,
    size: `${size.width}x${size.height}`,
  };
}

/**
 * The body of a whole answer.
 * @param urls one for each picture where the answer gives addresses
 */
export function answerBody(work: FinishedWork, shape: AnswerShape, urls: readonly string[], nowMs: number): Buffer[] {
  const prefix = shape.images === 'data-url' ? `data:image/${work.parameters.format};base64,` : '';
  const usage = shapedUsage(work, shape);
  const usageField = usage === undefined ? {} : { usage };
  const isCarried = shape.images === undefined || shape.images === 'base64' || shape.images === 'data-url';
  return serialise(isCarried ? work.pictures : [], shape.layout === 'pretty', (names) => {
    const carried = isCarried ? names.map((name) => ({ b64_json: prefix + name })) : [];
    const undecodable = shape.images === 'undecodable' ? work.pictures.map(() => ({ b64_json: '<picture>' })) : [];
    const data = [...carried, ...undecodable, ...urls.map((url) => ({ url }))];
    const fields = { created: inSeconds(nowMs), ...description(work), data };
    return shape.usagePosition === 'first' ? { ...usageField, ...fields } : { ...fields, ...usageField };
  });
}

/** Lays an event out as the shape says: in OpenAI's way, or with a comment before it and CRLF at its ends of line. */
function framed(type: string, data: readonly Buffer[], { streaming }: AnswerShape): Buffer {
  const [before, lineEnd] = streaming === 'crlf-events' ? [': keep-alive\r\n\r\n', '\r\n'] : ['', '\n'];
  const head = Buffer.from(`${before}event: ${type}${lineEnd}data: `);
  return Buffer.concat([head, ...data, Buffer.from(lineEnd + lineEnd)]);
}

function event(
  type: string,
  pictures: readonly Buffer[],
  shape: AnswerShape,
  fields: (name: string) => object,
): Buffer {
  const data = serialise(pictures, false, ([name = '']) => ({ type, ...fields(name) }));
  return framed(type, data, shape);
}

/** The events of a stream: the partial images, and the one that ends it. */
export type StreamEvents = { readonly partials: readonly Buffer[]; readonly completed: Buffer };

export function streamEvents(work: FinishedWork, shape: AnswerShape, nowMs: number): StreamEvents {
  const family = work.parameters.endpoint === 'edits' ? 'image_edit' : 'image_generation';
  const prefix = shape.images === 'data-url' ? `data:image/${work.parameters.format};base64,` : '';
  const shared = { created_at: inSeconds(nowMs), ...description(work) };
  const usage = shapedUsage(work, shape);
  return {
    partials: work.partialPictures.map((picture, index) =>
      event(`${family}.partial_image`, [picture], shape, (name) => ({
        b64_json: prefix + name,
        ...shared,
        partial_image_index: index,
      })),
    ),
    completed: event(`${family}.completed`, work.pictures, shape, (name) => ({
      b64_json: prefix + name,
      ...shared,
      ...(usage === undefined ? {} : { usage }),
    })),
  };
}

/** An event that ends a stream with an error. */
export function errorEvent(error: object, shape: AnswerShape): Buffer {
  return framed('error', [Buffer.from(JSON.stringify({ type: 'error', error }))], shape);
}
