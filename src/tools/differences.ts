/**
 * Every place in which something that is stored is not what it should be, such as `open.123.amount is 12, not 11`.
 * Both are compared as JSON knows them, and the order of fields does not matter.
 */
export function differences(stored: unknown, expected: unknown): readonly string[] {
  return differencesAt([], stored, expected);
}

const VALUE_LENGTH_MAX = 100;

/** @param path the fields that lead to both values */
function differencesAt(path: readonly string[], stored: unknown, expected: unknown): readonly string[] {
  if (!isObject(stored) || !isObject(expected)) {
    if (sameJson(stored, expected)) return [];
    const difference = `is ${show(stored)}, not ${show(expected)}`;
    return [path.length === 0 ? difference : `${path.join('.')} ${difference}`];
  }
  const fields = new Set([...Object.keys(stored), ...Object.keys(expected)]);
  return [...fields].flatMap((field) => differencesAt([...path, field], stored[field], expected[field]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}
