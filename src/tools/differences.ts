/**
 * Every place in which something that is stored is not what it should be, such as `settled is 12, not 11`.
 * Both are compared as JSON knows them, and the order of fields does not matter.
 */
export function differences(stored: unknown, expected: unknown): readonly string[] {
  const isLeaf = !isObject(stored) || !isObject(expected);
  if (isLeaf) return sameJson(stored, expected) ? [] : [`is ${show(stored)}, not ${show(expected)}`];
  const fields = new Set([...Object.keys(stored), ...Object.keys(expected)]);
  return [...fields].flatMap((field) =>
    differences(stored[field], expected[field]).map((difference) => nameField(field, difference)),
  );
}

const VALUE_LENGTH_MAX = 100;

/** `settled` and `is 12, not 11` become one line, and so do `open`, `123` and `amount is 12, not 11`. */
function nameField(field: string, difference: string): string {
  return difference.startsWith('is ') ? `${field} ${difference}` : `${field}.${difference}`;
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
