import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readTokenUsage } from '../../src/billing/token-usage.ts';

const noneCached = { text: 0, image: 0 };

function withDetails(details: unknown): unknown {
  return { input_tokens: 150, output_tokens: 8_000, total_tokens: 8_150, input_tokens_details: details };
}

function cachedOf(details: object): unknown {
  return readTokenUsage(withDetails(details))?.cached;
}

describe('readTokenUsage', () => {
  it("reads the provider's usage, and passes over fields that it does not know", () => {
    assert.deepEqual(
      readTokenUsage({
        input_tokens: 1_150,
        input_tokens_details: { text_tokens: 150, image_tokens: 1_000, audio_tokens: 0 },
        output_tokens: 8_000,
        output_tokens_details: { text_tokens: 0, image_tokens: 8_000 },
        total_tokens: 9_150,
        service_tier: 'default',
      }),
      { input: 1_150, inputSplit: { text: 150, image: 1_000 }, cached: noneCached, output: 8_000 },
    );
  });

  it('tells an absent split from a split without images', () => {
    const unsplit = { input: 150, inputSplit: undefined, cached: noneCached, output: 8_000 };
    assert.deepEqual(readTokenUsage(withDetails({ text_tokens: 150, image_tokens: 0 })), {
      ...unsplit,
      inputSplit: { text: 150, image: 0 },
    });
    for (const details of [
      undefined,
      null,
      false,
      {},
      { text_tokens: 150 },
      { text_tokens: null, image_tokens: 150 },
    ]) {
      assert.deepEqual(readTokenUsage(withDetails(details)), unsplit, JSON.stringify(details));
    }
  });

  it('does not believe a split that does not add up', () => {
    const usage = readTokenUsage(withDetails({ text_tokens: 100, image_tokens: 40 }));
    assert.equal(usage?.inputSplit, undefined);
  });

  it('adds the input up where only its parts are told', () => {
    const input_tokens_details = { text_tokens: 1_000, image_tokens: 2_000 };
    const summed = { input: 3_000, inputSplit: { text: 1_000, image: 2_000 }, cached: noneCached, output: 1 };
    assert.deepEqual(readTokenUsage({ output_tokens: 1, input_tokens_details }), summed);
    assert.deepEqual(readTokenUsage({ input_tokens: null, output_tokens: 1, input_tokens_details }), summed);
    for (const less of [0, 2_999]) {
      assert.deepEqual(readTokenUsage({ input_tokens: less, output_tokens: 1, input_tokens_details }), summed);
    }
    for (const half of [{ text_tokens: 1_000 }, { text_tokens: null, image_tokens: 2_000 }]) {
      const usage = readTokenUsage({ output_tokens: 1, input_tokens_details: half });
      assert.deepEqual([usage?.input, usage?.inputSplit], [undefined, undefined], JSON.stringify(half));
    }
  });

  it('counts the output as a whole, of whatever kinds it is said to be', () => {
    for (const output_tokens_details of [undefined, null, { text_tokens: 40, image_tokens: 7_960 }, 'none']) {
      assert.equal(readTokenUsage({ input_tokens: 1, output_tokens: 8_000, output_tokens_details })?.output, 8_000);
    }
  });

  it('answers undefined where nothing can be billed by it', () => {
    const zeros = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
    const unusable = [undefined, null, false, 'none', {}, [], { input_tokens: 1 }, { output_tokens: null }, zeros];
    for (const usage of unusable) assert.equal(readTokenUsage(usage), undefined, JSON.stringify(usage));
    for (const tokens of [-1, 0.5, '7', Number.NaN]) {
      assert.equal(readTokenUsage({ input_tokens: tokens, output_tokens: 1 }), undefined, `input ${tokens}`);
      assert.equal(readTokenUsage({ input_tokens: 1, output_tokens: tokens }), undefined, `output ${tokens}`);
    }
  });

  it('tells an input that is not told from one of no tokens', () => {
    const untold = { input: undefined, inputSplit: undefined, cached: noneCached, output: 1 };
    assert.deepEqual(readTokenUsage({ output_tokens: 1 }), untold);
    assert.deepEqual(readTokenUsage({ input_tokens: null, output_tokens: 1 }), untold);
    assert.equal(readTokenUsage({ input_tokens: 0, output_tokens: 1 })?.input, 0);
  });
});

describe('cached tokens', () => {
  it('are counted where their kind is told', () => {
    const details = { text_tokens: 50, image_tokens: 100, cached_tokens: 90 };
    const cached_tokens_details = { text_tokens: 30, image_tokens: 60 };
    assert.deepEqual(cachedOf({ ...details, cached_tokens_details }), { text: 30, image: 60 });
  });

  it('are counted where there is only one kind that they can be of', () => {
    assert.deepEqual(cachedOf({ text_tokens: 150, image_tokens: 0, cached_tokens: 90 }), { text: 90, image: 0 });
    assert.deepEqual(cachedOf({ text_tokens: 0, image_tokens: 150, cached_tokens: 90 }), { text: 0, image: 90 });
  });

  it('are counted of an input that is told in its parts', () => {
    const input_tokens_details = { text_tokens: 150, image_tokens: 0, cached_tokens: 90 };
    assert.deepEqual(readTokenUsage({ output_tokens: 1, input_tokens_details })?.cached, { text: 90, image: 0 });
  });

  it('are billed in full where their kind is not certain', () => {
    assert.deepEqual(cachedOf({ text_tokens: 50, image_tokens: 100, cached_tokens: 90 }), noneCached);
    assert.deepEqual(cachedOf({ cached_tokens: 90 }), noneCached);
  });

  it('are never more than there are tokens of their kind', () => {
    assert.deepEqual(cachedOf({ text_tokens: 150, image_tokens: 0, cached_tokens: 151 }), noneCached);
    const cached_tokens_details = { text_tokens: 51, image_tokens: 0 };
    assert.deepEqual(cachedOf({ text_tokens: 50, image_tokens: 100, cached_tokens_details }), noneCached);
  });
});
