import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { estimateCeiling } from '../../src/billing/estimate.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { createPriceBook, priceCall } from '../../src/billing/prices.ts';
import type { PriceFile } from '../../src/services/price-file.ts';
import { parsePriceFile } from '../../src/services/price-file.ts';
import { createModelCatalogue } from '../../src/services/providers/models.ts';
import { maxOutputTokens } from '../../src/services/providers/token-rules.ts';

function read(text: string): PriceFile {
  const file = parsePriceFile(text);
  return 'faults' in file ? assert.fail(JSON.stringify(file.faults)) : file;
}

/** The faults of a file as `line field`, which is what has to be found; the rest is words. */
function faultsOf(text: string): readonly string[] {
  const file = parsePriceFile(text);
  assert.ok('faults' in file, 'nothing was found to be wrong');
  return file.faults.map(({ line, remedy }) => {
    assert.match(remedy, /^(\w+: )?(write|name|take|choose|add) /, remedy);
    return `${line} ${/^(\w+):/.exec(remedy)?.[1] ?? '-'}`;
  });
}

const PRICE = [
  'prices:',
  '  - model: gpt-image-1',
  '    version: relay-1',
  '    effectiveFrom: 2026-11-01',
  '    usdPerImage: 0.034',
];
/** A sound price of which one line, counted from 1, is another; an empty one is left out. */
const priceWith = (line: number, text: string): string =>
  PRICE.map((original, index) => (index + 1 === line ? text : original))
    .filter((kept) => kept !== '')
    .join('\n');

describe('a price file', () => {
  it('may be YAML or JSON, and amounts are read as they are written', () => {
    const expected: PriceFile = {
      models: [],
      prices: [
        {
          model: 'gpt-image-1',
          version: 'relay-1',
          effectiveFrom: Date.UTC(2026, 10, 1),
          tariff: { by: 'image', perImage: 34_000_000 },
        },
      ],
    };
    assert.deepEqual(read(PRICE.join('\n')), expected);
    assert.deepEqual(read(priceWith(5, '    usdPerImage: "0.034"')), expected);
    assert.deepEqual(
      read(
        '{"prices":[{"model":"gpt-image-1","version":"relay-1","effectiveFrom":"2026-11-01","usdPerImage":0.034000}]}',
      ),
      expected,
    );
    const [exact] = read(priceWith(5, '    usdPerImage: 0.100000001')).prices;
    assert.deepEqual(exact?.tariff, { by: 'image', perImage: 100_000_001 });
  });

  it('may price several models, each over and over', () => {
    const { prices } = read(
      ['gpt-image-1', 'gpt-image-2']
        .flatMap((model) => [2026, 2027].map((year) => ({ model, year })))
        .reduce(
          (text, { model, year }) =>
            `${text}  - {model: ${model}, version: v${year}, effectiveFrom: ${year}-01-01, usdPerImage: 1}\n`,
          'prices:\n',
        ),
    );
    assert.equal(prices.length, 4);
  });

  const wrongLines: readonly { readonly name: string; readonly text: string; readonly faults: readonly string[] }[] = [
    { name: 'nothing', text: '', faults: ['1 -'] },
    { name: 'a file of another kind', text: 'FOO=bar\nTOKEN=canary', faults: ['1 -'] },
    { name: 'YAML that does not end', text: `${PRICE.join('\n')}\nmodels: [`, faults: ['6 -'] },
    { name: 'a tab', text: priceWith(3, '\tversion: relay-1'), faults: ['3 -', '4 -'] },
    { name: 'a key twice', text: priceWith(4, '    version: relay-2'), faults: ['4 -'] },
    { name: 'an alias', text: priceWith(3, '    version: *v'), faults: ['3 -'] },
    { name: 'an unknown key at the top', text: `${PRICE.join('\n')}\npricelist: []`, faults: ['6 pricelist'] },
    { name: 'an unknown key', text: priceWith(5, '    usdPerImage: 1\n    currency: EUR'), faults: ['6 currency'] },
    { name: 'no list', text: 'models: gpt-image-1\nprices:', faults: ['1 models', '2 prices'] },
    { name: 'no object', text: 'prices:\n  - gpt-image-1', faults: ['2 prices'] },
    { name: 'a comma', text: priceWith(5, '    usdPerImage: 0,034'), faults: ['5 usdPerImage'] },
    { name: 'less than nothing', text: priceWith(5, '    usdPerImage: -0.034'), faults: ['5 usdPerImage'] },
    { name: 'a currency', text: priceWith(5, '    usdPerImage: $0.034'), faults: ['5 usdPerImage'] },
    { name: 'no amount', text: priceWith(5, '    usdPerImage:'), faults: ['5 usdPerImage'] },
    { name: 'too fine an amount', text: priceWith(5, '    usdPerImage: 0.0000000001'), faults: ['5 usdPerImage'] },
    { name: 'no day', text: priceWith(4, ''), faults: ['2 effectiveFrom'] },
    { name: 'a day that is none', text: priceWith(4, '    effectiveFrom: 2026-02-30'), faults: ['4 effectiveFrom'] },
    {
      name: 'a day as others write it',
      text: priceWith(4, '    effectiveFrom: 1.11.2026'),
      faults: ['4 effectiveFrom'],
    },
    { name: 'no version', text: priceWith(3, ''), faults: ['2 version'] },
    { name: 'a built-in version', text: priceWith(3, '    version: openai-2026-11-04'), faults: ['3 version'] },
    { name: 'an unknown model', text: priceWith(2, '  - model: gpt-image-9'), faults: ['2 model'] },
    { name: 'no tariff', text: priceWith(5, ''), faults: ['2 prices'] },
    {
      name: 'two tariffs',
      text: `${PRICE.join('\n')}\n    usdPerMillionTokens: {textIn: 1, imageIn: 1, imageOut: 1}`,
      faults: ['2 prices'],
    },
    {
      name: 'rates that are missing, too fine and unknown',
      text: priceWith(5, '    usdPerMillionTokens:\n      textIn: 0.0001\n      imageIn: 1,5\n      textOut: 3'),
      faults: ['6 textIn', '6 imageOut', '7 imageIn', '8 textOut'],
    },
    {
      name: 'two prices from the same day',
      text: [...PRICE, ...PRICE.slice(1)].join('\n').replace(/relay-1(?![^]*relay-1)/, 'relay-2'),
      faults: ['8 effectiveFrom'],
    },
    {
      name: 'two prices of one version',
      text: [...PRICE, ...PRICE.slice(1)].join('\n').replace(/-11-01(?![^]*-11-01)/, '-12-01'),
      faults: ['7 version'],
    },
    { name: 'a model without a price', text: 'models:\n  - id: m\n    like: gpt-image-2', faults: ['2 id'] },
    {
      name: 'a model like none',
      text: `${priceWith(2, '  - model: m')}\nmodels:\n  - id: m\n    like: dall-e-3`,
      faults: ['8 like'],
    },
    {
      name: 'a model like another added one',
      text: `${priceWith(2, '  - model: m')}\nmodels:\n  - {id: m, like: gpt-image-2}\n  - {id: m-2026-11-01, like: m}`,
      faults: ['8 like'],
    },
    {
      name: 'a model that is added twice',
      text: `${priceWith(2, '  - model: m')}\nmodels:\n  - {id: m, like: gpt-image-1}\n  - {id: m, like: gpt-image-2}`,
      faults: ['8 id'],
    },
    { name: 'a built-in model', text: 'models:\n  - {id: gpt-image-2, like: gpt-image-1}', faults: ['2 id'] },
    { name: 'a name with spaces', text: priceWith(3, '    version: from the relay'), faults: ['3 version'] },
  ];
  for (const { name, text, faults } of wrongLines) {
    it(`is refused with the line where it has ${name}`, () => assert.deepEqual(faultsOf(text), faults));
  }

  it('is told everything that is wrong at once, in order, and never what stands there', () => {
    const text = [
      'prices:',
      '  - model: canary-model',
      '    version: relay-1',
      '    effectiveFrom: canary',
      '    usdPerImage: canary',
      '  - model: gpt-image-1',
      '    usdPerImage: 1',
      'models:',
      '  - id: canary id',
      '    like: canary',
    ].join('\n');
    assert.deepEqual(faultsOf(text), [
      '2 model',
      '4 effectiveFrom',
      '5 usdPerImage',
      '6 version',
      '6 effectiveFrom',
      '9 id',
      '9 id',
      '10 like',
    ]);
    assert.doesNotMatch(JSON.stringify(parsePriceFile(text)), /canary/);
  });

  it('has a limit', () => {
    const items = Array.from({ length: 1_001 }, () => '  - {}').join('\n');
    assert.equal(faultsOf(`prices:\n${items}`)[0], '2 prices');
  });
});

describe('prices.example.yaml', async () => {
  const text = await readFile(new URL('../../prices.example.yaml', import.meta.url), 'utf8');
  const { models, prices } = read(text);
  const book = createPriceBook(prices, openAiPrices);
  const [november, january] = [Date.UTC(2026, 10, 20), Date.UTC(2027, 0, 1)];
  const usage = {
    input: 150,
    inputSplit: { text: 150, image: 0 },
    cached: { text: 0, image: 0 },
    output: 8_000,
  };

  it('prices an image of its relay at $0.034 until the new year, and at $0.036 then', () => {
    const charges = [november, january - 1, january].map((at) => {
      const price = book.priceOf('gpt-image-1', at);
      return price && priceCall(price, { imageCount: 1, usage: undefined });
    });
    const old = { cost: 34_000_000, priceVersion: 'relay-2026-11', rule: 'per-image' };
    assert.deepEqual(charges, [old, old, { cost: 36_000_000, priceVersion: 'relay-2027-01', rule: 'per-image' }]);
  });

  it('adds a model with the ceilings of another and a price of its own', () => {
    const model = createModelCatalogue(models).find('relay-image-2') ?? assert.fail();
    const price = book.priceOf(model.id, november) ?? assert.fail();
    assert.deepEqual(priceCall(price, { imageCount: 1, usage }), {
      cost: 240_750_000,
      priceVersion: 'relay-2026-11',
      rule: 'tokens',
    });
    const ceiling = estimateCeiling(price.tariff, {
      count: 1,
      promptUtf8Bytes: 4,
      imageInputTokensMax: 0,
      outputTokensMax: maxOutputTokens(model.tokens, 'high', { width: 1024, height: 1024 }),
      partialImages: 0,
    });
    assert.equal(ceiling, 100 * 8_000 + 7_024 * 30_000);
  });
});
