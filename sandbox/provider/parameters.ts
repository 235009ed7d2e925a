/** Judges the parameters of a call as strictly as the real API, by model. */
import { invalidParameter, refusal } from './api-refusal.ts';
import type { CatalogueModel, ImageSize, InputFidelity, Quality } from './model-catalogue.ts';
import { fixedSizes, generationRules, isFreeSizeAllowed } from './model-catalogue.ts';

export type ImageEndpoint = 'generations' | 'edits';
export type OutputFormat = 'png' | 'jpeg' | 'webp';

/** The fields of a request by name: of a JSON body, or of a form with its numbers and booleans already read. */
export type Fields = Readonly<Record<string, unknown>>;

/** What a valid call asks for. */
export type Parameters = {
  readonly endpoint: ImageEndpoint;
  readonly model: CatalogueModel;
  readonly prompt: string;
  /** 1 to 10. */
  readonly count: number;
  /** Undefined for `auto`. */
  readonly size: ImageSize | undefined;
  /** Undefined for `auto`. */
  readonly quality: Quality | undefined;
  readonly background: 'opaque' | 'transparent';
  readonly format: OutputFormat;
  /** 0 to 100. */
  readonly compression: number;
  readonly fidelity: InputFidelity;
  readonly stream: boolean;
  /** 0 to 3; more than 0 only with `stream`. */
  readonly partialImages: number;
  readonly safetyIdentifier: string | undefined;
};

const promptCharactersMax = 32_000;
const countMax = 10;
const partialImagesMax = 3;
const compressionMax = 100;

const sharedNames = [
  'prompt',
  'model',
  'n',
  'size',
  'quality',
  'background',
  'output_format',
  'output_compression',
  'stream',
  'partial_images',
  'safety_identifier',
  'user',
] as const;

const knownNames: Readonly<Record<ImageEndpoint, ReadonlySet<string>>> = {
  generations: new Set([...sharedNames, 'moderation']),
  edits: new Set([...sharedNames, 'input_fidelity']),
};

function quotedList(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')}, and ${last}`;
}

function invalidType(name: string, expected: string, value: unknown): Error {
  return invalidParameter(
    name,
    'invalid_type',
    `Invalid type for '${name}': expected ${expected}, but got ${JSON.stringify(value)} instead.`,
  );
}

function readString(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw invalidType(name, 'a string', value);
}

function readBoolean(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw invalidType(name, 'a boolean', value);
}

function readInteger(fields: Fields, name: string, min: number, max: number, fallback: number): number {
  const value = fields[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalidType(name, 'an integer', value);
  if (value < min) {
    const rule = `integer below minimum value. Expected a value >= ${min}, but got ${value} instead.`;
    throw invalidParameter(name, 'integer_below_min_value', `Invalid '${name}': ${rule}`);
  }
  if (value > max) {
    const rule = `integer above maximum value. Expected a value <= ${max}, but got ${value} instead.`;
    throw invalidParameter(name, 'integer_above_max_value', `Invalid '${name}': ${rule}`);
  }
  return value;
}

function readChoice<Choice extends string>(
  fields: Fields,
  name: string,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  const value = readString(fields, name) ?? fallback;
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw invalidParameter(
    name,
    'invalid_value',
    `Invalid value: '${value}'. Supported values are: ${quotedList(choices)}.`,
  );
}

function readPrompt(fields: Fields): string {
  const prompt = readString(fields, 'prompt');
  if (prompt === undefined || prompt === '') {
    throw invalidParameter('prompt', 'missing_required_parameter', "Missing required parameter: 'prompt'.");
  }
  const length = Array.from(prompt).length;
  if (length > promptCharactersMax) {
    throw invalidParameter(
      'prompt',
      'string_above_max_length',
      `Invalid 'prompt': string too long. Expected a string with maximum length ${promptCharactersMax}, ` +
        `but got a string with length ${length} instead.`,
    );
  }
  return prompt;
}

function readSize(fields: Fields, model: CatalogueModel): ImageSize | undefined {
  if (generationRules[model.generation].sizes === 'fixed') {
    const size = readChoice(fields, 'size', [...fixedSizes, 'auto'], 'auto');
    return size === 'auto' ? undefined : parseSize(size);
  }
  const text = readString(fields, 'size') ?? 'auto';
  if (text === 'auto') return undefined;
  const size = parseSize(text);
  if (size !== undefined && isFreeSizeAllowed(size)) return size;
  throw invalidParameter(
    'size',
    'invalid_value',
    `Invalid size '${text}'. Width and height must be multiples of 16 and at most 3840, with an aspect ratio between ` +
      '1:3 and 3:1 and between 655360 and 8294400 pixels.',
  );
}

function parseSize(text: string): ImageSize | undefined {
  const match = /^([1-9]\d{1,4})x([1-9]\d{1,4})$/.exec(text);
  return match === null ? undefined : { width: Number(match[1]), height: Number(match[2]) };
}

function readQuality(fields: Fields, model: CatalogueModel): Quality | undefined {
  const choices = [...generationRules[model.generation].qualities, 'auto' as const];
  const quality = readChoice(fields, 'quality', choices, 'auto');
  return quality === 'auto' ? undefined : quality;
}

function readFidelity(fields: Fields, model: CatalogueModel): InputFidelity {
  const value = readString(fields, 'input_fidelity');
  if (value === undefined) return 'low';
  const choices = generationRules[model.generation].fidelities;
  if (choices.length === 0) {
    throw invalidParameter(
      'input_fidelity',
      'unsupported_parameter',
      `The model '${model.id}' does not support the 'input_fidelity' parameter.`,
    );
  }
  return readChoice(fields, 'input_fidelity', choices, 'low');
}

/** Format, compression and background, which depend on each other. */
function readOutput(fields: Fields): Pick<Parameters, 'format' | 'compression' | 'background'> {
  const format = readChoice(fields, 'output_format', ['png', 'jpeg', 'webp'], 'png');
  const compression = readInteger(fields, 'output_compression', 0, compressionMax, compressionMax);
  if (format === 'png' && compression < compressionMax) {
    throw invalidParameter(
      'output_compression',
      'invalid_png_output_compression',
      'Compression less than 100 is not supported for PNG output format.',
    );
  }
  const background = readChoice(fields, 'background', ['transparent', 'opaque', 'auto'], 'auto');
  if (background === 'transparent' && format === 'jpeg') {
    throw invalidParameter(
      'background',
      'invalid_transparent_background',
      'Transparent background is not supported for JPEG output format. Use PNG or WEBP instead.',
    );
  }
  return { format, compression, background: background === 'auto' ? 'opaque' : background };
}

function readStreaming(fields: Fields, count: number): Pick<Parameters, 'stream' | 'partialImages'> {
  const stream = readBoolean(fields, 'stream');
  const partialImages = readInteger(fields, 'partial_images', 0, partialImagesMax, 0);
  if (partialImages > 0 && !stream) {
    throw invalidParameter('partial_images', 'invalid_value', "'partial_images' is only supported with 'stream'.");
  }
  // Nothing published says what several images in one stream look like, so nobody may come to rely on it.
  if (stream && count > 1) {
    throw invalidParameter('n', 'invalid_value', "Streaming is only supported with 'n' equal to 1.");
  }
  return { stream, partialImages };
}

function refuseUnknown(endpoint: ImageEndpoint, fields: Fields): void {
  for (const name of Object.keys(fields)) {
    if (!knownNames[endpoint].has(name)) {
      throw invalidParameter(name, 'unknown_parameter', `Unknown parameter: '${name}'.`);
    }
  }
}

/** The model, if this provider serves it. */
function readModel(fields: Fields, served: ReadonlyMap<string, CatalogueModel>, requestId: string): CatalogueModel {
  const id = readString(fields, 'model');
  if (id === undefined) {
    throw invalidParameter('model', 'missing_required_parameter', "Missing required parameter: 'model'.");
  }
  const model = served.get(id);
  if (model === undefined) throw refusal('model_not_found', { requestId, model: id });
  return model;
}

/**
 * Reads and judges the parameters of one call.
 * @throws {ApiRefusal} for the first rule that the call breaks
 */
export function readParameters(
  endpoint: ImageEndpoint,
  fields: Fields,
  served: ReadonlyMap<string, CatalogueModel>,
  requestId: string,
): Parameters {
  refuseUnknown(endpoint, fields);
  const prompt = readPrompt(fields);
  const model = readModel(fields, served, requestId);
  const count = readInteger(fields, 'n', 1, countMax, 1);
  if (endpoint === 'generations') readChoice(fields, 'moderation', ['low', 'auto'], 'auto');
  return {
    endpoint,
    model,
    prompt,
    count,
    size: readSize(fields, model),
    quality: readQuality(fields, model),
    ...readOutput(fields),
    fidelity: readFidelity(fields, model),
    ...readStreaming(fields, count),
    safetyIdentifier: readString(fields, 'safety_identifier') ?? readString(fields, 'user'),
  };
}

const integerNames: ReadonlySet<string> = new Set(['n', 'output_compression', 'partial_images']);

/** A form carries only text; this reads its numbers and booleans, and leaves what is neither for the judge to refuse. */
export function readFormValue(name: string, text: string): unknown {
  if (integerNames.has(name) && /^-?\d{1,9}$/.test(text)) return Number(text);
  if (name === 'stream' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
