/** Keeps the latest things, and forgets the oldest beyond `countMax`: a map remembers the order in which they came. */
export function remember<Value>(kept: Map<string, Value>, id: string, value: Value, countMax: number): void {
  kept.set(id, value);
  const [oldest] = kept.keys();
  if (kept.size > countMax && oldest !== undefined) kept.delete(oldest);
}
