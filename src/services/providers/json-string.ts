/**
 * What a JSON string means; undefined where its escapes are broken.
 * @param written the text between the quotation marks
 */
export function readJsonString(written: string): string | undefined {
  try {
    const text: unknown = JSON.parse(`"${written}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
