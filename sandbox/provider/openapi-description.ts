/** Judges requests and answers by OpenAI's own OpenAPI description, where its file is at hand. */
import { readFileSync } from 'node:fs';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parseDocument } from 'yaml';
import { invalidParameter } from './api-refusal.ts';
import type { Fields, ImageEndpoint } from './parameters.ts';

export type OpenApiDescription = {
  /** @throws {ApiRefusal} when the fields do not fit the schema of the request */
  judgeRequest(endpoint: ImageEndpoint, fields: Fields, fileNames: readonly string[]): void;
  /** What is wrong with the body of a whole answer; empty where nothing is. */
  answerFaults(body: unknown): string[];
  /** What is wrong with the data of one event of a stream; empty where nothing is. */
  eventFaults(endpoint: ImageEndpoint, data: unknown): string[];
};

const schemasPath = ['components', 'schemas'];
const qualities = ['low', 'medium', 'high', 'xhigh', 'max'];
const eventSchemas = [
  'ImageGenPartialImageEvent',
  'ImageGenCompletedEvent',
  'ImageEditPartialImageEvent',
  'ImageEditCompletedEvent',
];

/**
 * Reads the description and brings it up to the models that came after it: further qualities, and sizes of free choice
 * in answers too.
 */
function readDescription(path: string): object {
  const document = parseDocument(readFileSync(path, 'utf8'));
  const requestQualities = [...qualities, 'auto', null];
  for (const schema of ['CreateImageRequest', 'CreateImageEditRequest']) {
    document.setIn([...schemasPath, schema, 'properties', 'quality', 'enum'], requestQualities);
    const identifier = { type: ['string', 'null'] };
    document.setIn([...schemasPath, schema, 'properties', 'safety_identifier'], identifier);
    document.setIn([...schemasPath, schema, 'additionalProperties'], false);
  }
  for (const schema of ['ImagesResponse', ...eventSchemas]) {
    document.setIn([...schemasPath, schema, 'properties', 'quality', 'enum'], qualities);
    document.deleteIn([...schemasPath, schema, 'properties', 'size', 'enum']);
  }
  const description: unknown = document.toJS();
  if (typeof description !== 'object' || description === null)
    throw new TypeError(`${path} is not an OpenAPI description.`);
  return description;
}

function faultsBy(validate: ValidateFunction, value: unknown): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath || '/'} ${message ?? 'is invalid'}`,
  );
}

/** What was read and compiled for one emulator serves all others of the process. */
const descriptions = new Map<string, OpenApiDescription>();

export function readOpenApiDescription(path: string): OpenApiDescription {
  const description = descriptions.get(path) ?? compileDescription(path);
  descriptions.set(path, description);
  return description;
}

function compileDescription(path: string): OpenApiDescription {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat('binary', true);
  ajv.addFormat('unixtime', { type: 'number', validate: Number.isInteger });
  ajv.addSchema(readDescription(path), 'images');
  const schema = (name: string): ValidateFunction => ajv.compile({ $ref: `images#/components/schemas/${name}` });
  const requests = { generations: schema('CreateImageRequest'), edits: schema('CreateImageEditRequest') };
  const answer = schema('ImagesResponse');
  const events = { generations: schema('ImageGenStreamEvent'), edits: schema('ImageEditStreamEvent') };
  return {
    judgeRequest(endpoint, fields, fileNames) {
      // A file counts as the string that the description takes it for.
      const files = Object.fromEntries(fileNames.map((name) => [name, '']));
      const [fault] = faultsBy(requests[endpoint], { ...fields, ...files });
      if (fault !== undefined) throw invalidParameter(null, 'invalid_request', `Invalid request: ${fault}.`);
    },
    answerFaults: (body) => faultsBy(answer, body),
    eventFaults: (endpoint, data) => faultsBy(events[endpoint], data),
  };
}
