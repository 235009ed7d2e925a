import { readFileSync } from 'node:fs';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FormProblem } from './api-refusal.ts';
import type { Route } from './route.ts';

/** Unions report one error for each branch; more than this tells nobody anything. */
const PROBLEMS_MAX = 20;
/** Begins the code of every problem found here, so that a log can tell who noticed. */
export const OPENAPI_CODE_PREFIX = 'OPENAPI_';
/** Under this name the whole description is known to the validator. */
const DESCRIPTION_KEY = 'discord';

/** Checks a request body against Discord's published OpenAPI description; an empty list means it fits. */
export type OpenApiCheck = (route: Route, json: unknown) => FormProblem[];

type Description = { readonly validatorFor: (route: Route) => ValidateFunction | undefined };

/** What was read and compiled for one emulator serves all others of the process: it takes as long as to start a bot. */
const descriptions = new Map<string, Description>();

/**
 * Reads the description at `path` when the first request comes, and compiles only the operations that are used,
 * each once: the description is more than a megabyte, and most of it is never asked for.
 */
export function createOpenApiCheck(path: string): OpenApiCheck {
  return (route, json) => {
    const description = descriptions.get(path) ?? readDescription(path);
    descriptions.set(path, description);
    const validate = description.validatorFor(route);
    if (validate === undefined || validate(toDescribedTypes(json))) return [];
    return (validate.errors ?? []).slice(0, PROBLEMS_MAX).map((error) => ({
      path: error.instancePath.split('/').slice(1),
      code: `${OPENAPI_CODE_PREFIX}${error.keyword.toUpperCase()}`,
      message: error.message ?? error.keyword,
    }));
  };
}

function readDescription(path: string): Description {
  const ajv = loadDescription(path);
  const validators = new Map<string, ValidateFunction | undefined>();
  return {
    validatorFor(route) {
      const key = `${route.method} ${route.template}`;
      if (!validators.has(key)) validators.set(key, compileOperation(ajv, route));
      return validators.get(key);
    },
  };
}

function loadDescription(path: string): Ajv2020 {
  const description: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isObject(description)) throw new Error('The OpenAPI description is not a JSON object.');
  // Without `logger: false`, each format that only Discord knows would print a warning. To make the validators smaller
  // takes longer than it ever saves.
  const ajv = new Ajv2020({ strict: false, validateSchema: false, logger: false, code: { optimize: false } });
  addFormats.default(ajv);
  ajv.addFormat('snowflake', /^\d{1,20}$/);
  ajv.addFormat('nonce', true);
  ajv.addSchema(description, DESCRIPTION_KEY);
  return ajv;
}

function compileOperation(ajv: Ajv2020, route: Route): ValidateFunction | undefined {
  const pointer = [
    'paths',
    route.template,
    route.method.toLowerCase(),
    'requestBody',
    'content',
    'application/json',
    'schema',
  ];
  return ajv.getSchema(`${DESCRIPTION_KEY}#/${pointer.map(escapePointerPart).join('/')}`);
}

/** A path contains slashes, which JSON Pointer writes as ~1. */
function escapePointerPart(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/**
 * The description calls `default_member_permissions` an integer; on the wire it is a string of digits,
 * as the documentation says and every library sends.
 */
function toDescribedTypes(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(toDescribedTypes);
  if (!isObject(json) || typeof json['default_member_permissions'] !== 'string') return json;
  return { ...json, default_member_permissions: Number(json['default_member_permissions']) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
