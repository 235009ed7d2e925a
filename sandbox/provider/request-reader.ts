/** Reads what a call carries, from JSON or from a form, and notes it in the call's record. */
import { createHash } from 'node:crypto';
import { invalidParameter } from './api-refusal.ts';
import type { OpenCall, ReceivedFile } from './call-log.ts';
import type { Part } from './multipart.ts';
import { MalformedMultipart, readMultipart } from './multipart.ts';
import type { Fields, ImageEndpoint } from './parameters.ts';
import { readFormValue } from './parameters.ts';

export type RequestContent = { readonly fields: Fields; readonly files: readonly Part[] };

const fileNames: ReadonlySet<string> = new Set(['image', 'image[]', 'mask']);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongContentType(expected: string): Error {
  return invalidParameter(
    null,
    'unsupported_content_type',
    `Unsupported content type. This API method accepts '${expected}'.`,
  );
}

function readJson(body: Buffer, contentType: string): RequestContent {
  if (!/^application\/json\s*(;|$)/i.test(contentType)) throw wrongContentType('application/json');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw invalidParameter(null, 'invalid_json', 'We could not parse the JSON body of your request.');
  }
  if (!isRecord(value)) throw invalidParameter(null, 'invalid_json', 'The JSON body of the request must be an object.');
  return { fields: value, files: [] };
}

function readForm(body: Buffer, contentType: string): RequestContent {
  if (!/^multipart\/form-data\s*;/i.test(contentType)) throw wrongContentType('multipart/form-data');
  let parts: readonly Part[];
  try {
    parts = readMultipart(body, contentType);
  } catch (error) {
    if (!(error instanceof MalformedMultipart)) throw error;
    throw invalidParameter(null, 'invalid_multipart', `We could not parse the form of your request. ${error.message}`);
  }
  const fields: Record<string, unknown> = Object.create(null);
  for (const part of parts.filter(({ name }) => !fileNames.has(name))) {
    if (part.name in fields) {
      throw invalidParameter(part.name, 'duplicate_parameter', `Duplicate parameter: '${part.name}'.`);
    }
    fields[part.name] = readFormValue(part.name, part.bytes.toString('utf8'));
  }
  return { fields, files: parts.filter(({ name }) => fileNames.has(name)) };
}

function describeFile(part: Part, keepsBytes: boolean): ReceivedFile {
  return {
    field: part.name,
    filename: part.filename,
    contentType: part.contentType,
    sizeBytes: part.bytes.length,
    sha256: createHash('sha256').update(part.bytes).digest('hex'),
    bytes: keepsBytes ? Buffer.from(part.bytes) : undefined,
  };
}

/**
 * Reads a body and fills in the call's parameters and files.
 * @throws {ApiRefusal}
 */
export function readRequest(
  endpoint: ImageEndpoint,
  body: Buffer,
  contentType: string,
  call: OpenCall,
  keepsUploads: boolean,
): RequestContent {
  const content = endpoint === 'edits' ? readForm(body, contentType) : readJson(body, contentType);
  const { model, prompt, n } = content.fields;
  call.parameters = { ...content.fields };
  call.files = content.files.map((part) => describeFile(part, keepsUploads));
  call.model = typeof model === 'string' ? model : undefined;
  call.prompt = typeof prompt === 'string' ? prompt : undefined;
  call.imageCount = typeof n === 'number' ? n : 1;
  return content;
}
