import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { APIContainerComponent } from 'discord.js';
import { ComponentType } from 'discord.js';
import { renderOutcome } from '../../src/discord/result-message.ts';
import { CATALOGUES, wordsFor } from '../../src/discord/words.ts';
import type { ImageRequest } from '../../src/services/image-request.ts';
import type { FinishedJob, ResultNote } from '../../src/services/job-outcome.ts';

const words = wordsFor('en-US');
const request: ImageRequest = {
  id: '7',
  guild: '1',
  member: '2',
  roles: [],
  operation: 'edit',
  prompt: 'a fox',
  count: 1,
  keepOutside: true,
  isPrivate: false,
  isSpoiler: false,
};
const result: FinishedJob = {
  images: [],
  model: 'gpt-image-2',
  size: '1024x1024',
  quality: 'low',
  charge: {
    cost: 42_100_000,
    usage: { input: 5, output: 1_056, inputSplit: undefined, cached: { text: 0, image: 0 } },
  },
  estimate: 50_000_000,
  notes: [],
};
const files = [{ name: '7-1.png', shrunk: false }];

function render(more: Partial<ImageRequest> = {}, made: Partial<FinishedJob> = {}, shown = files, said = words) {
  const outcome = { ended: 'finished', result: { ...result, ...made } } as const;
  const message = renderOutcome({ ...request, ...more }, outcome, shown, said);
  const [container] = message.components;
  assert.equal(container?.type, ComponentType.Container);
  return { message, container };
}

function textsOf({ components }: APIContainerComponent): string[] {
  return components.flatMap((part) => (part.type === ComponentType.TextDisplay ? [part.content] : []));
}

describe('renderOutcome', () => {
  it('says what it was made with and for how much, for whom, and from what', () => {
    const { container } = render({ origin: { channel: '3', message: '4', picture: 0 } });
    assert.deepEqual(textsOf(container)[1]?.split('\n'), [
      '-# gpt-image-2 · 1024x1024 · low · $0.0421 · 1,056 image tokens · 5 input tokens',
      '-# For <@2>',
      '-# Made from https://discord.com/channels/1/3/4',
    ]);
  });

  it('calls the quality what it is called where it is chosen', () => {
    const { container } = render({}, {}, files, wordsFor('de'));
    assert.match(textsOf(container)[1] ?? '', /^-# gpt-image-2 · 1024x1024 · niedrig · /);
  });

  it('shows the prompt as the text that it is', () => {
    const tricks = [
      '# heading',
      '-# gpt-image-2 · $0.0000',
      '> quote',
      '>>> quotes',
      '- item',
      '1. item',
      '**bold** _italic_ ~~gone~~ `code` ||covered||',
      '[free](https://evil.example)',
      '@everyone <@1> <@&2> <#3> <:face:4> <t:0:R> </settings:5>',
    ];
    for (const trick of tricks) {
      const [prompt = ''] = textsOf(render({ prompt: trick }).container);
      assert.notEqual(prompt, trick);
      assert.equal(prompt.replaceAll(/[\\\u200B]/g, ''), trick);
      assert.doesNotMatch(prompt, /^\s*(#|-|>|\d+\.|\*)/m);
      assert.doesNotMatch(prompt, /<[@#:t/]|@everyone|(?<!\\)\[/);
    }
  });

  it('lets no backslash of the prompt take an escape away', () => {
    for (const [trick, shown] of [
      ['\\[free](https://evil.example)', '\\\\\\[free](https://evil.example)'],
      ['\\*bold\\*', '\\\\\\*bold\\\\\\*'],
    ] as const) {
      assert.equal(textsOf(render({ prompt: trick }).container)[0], shown);
    }
  });

  it('stays within the texts that Discord takes, however long the prompt is', () => {
    const notes: ResultNote[] = [
      { note: 'cut-off', asked: 4, got: 3 },
      { note: 'broken-files', count: 1, reference: '12345678' },
      { note: 'no-image', isElsewhere: false, reference: '12345678' },
      { note: 'no-image', isElsewhere: true, reference: '12345678' },
      { note: 'too-large', count: 2, reference: '12345678' },
      { note: 'keep-outside-left-off' },
      { note: 'first-frame-only' },
      { note: 'masked', by: 'own-transparency', coveredShare: 0.004 },
      { note: 'model-replaced', asked: 'x'.repeat(100) },
    ];
    const origin = { channel: '9'.repeat(20), message: '9'.repeat(20), picture: 0 };
    const shown = [{ name: '7-1.png', shrunk: true }];
    for (const locale of CATALOGUES.keys()) {
      // Each of these characters is shown as two.
      const asked = { prompt: '@'.repeat(4_000), origin };
      const { container } = render(asked, { notes, charge: undefined }, shown, wordsFor(locale));
      const length = textsOf(container).join('').length;
      assert.ok(length <= 4_000, `${length} characters in ${locale}`);
    }
    const { container } = render({ prompt: '*'.repeat(32_000), origin }, { notes, charge: undefined }, shown);
    assert.match(textsOf(container)[1] ?? '', /less than 1% of the picture/);
  });

  it('covers the pictures where that was asked for, and describes each of them', () => {
    const { container, message } = render({ isSpoiler: true, prompt: 'x'.repeat(2_000) });
    const gallery = container.components.find((part) => part.type === ComponentType.MediaGallery);
    const [item] = gallery?.items ?? [];
    assert.equal(item?.spoiler, true);
    assert.equal(item?.description?.length, 1_024);
    assert.equal(message.attachments[0]?.description?.length, 1_024);
  });

  it('has no buttons in direct messages, where nobody could answer them', () => {
    for (const ended of ['finished', 'cancelled'] as const) {
      const message = renderOutcome(request, { ended, result }, files, words, 'direct-messages');
      assert.ok(!JSON.stringify(message).includes('custom_id'));
    }
  });
});
