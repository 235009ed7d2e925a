import assert from 'node:assert/strict';

/** Compares whole images. `deepEqual` would spend minutes on describing how two of them differ. */
export function assertSameImages(actual: readonly Buffer[], expected: readonly Buffer[]): void {
  assert.deepEqual(
    actual.map((image) => image.length),
    expected.map((image) => image.length),
  );
  for (const [index, image] of expected.entries()) {
    assert.ok(actual[index]?.equals(image), `Image ${index} has other bytes.`);
  }
}
