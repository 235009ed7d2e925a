import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeRefusal, isDiscreet, describeRefusalWithReference } from '../../src/discord/refusal-message.ts';
import { CATALOGUES, wordsFor } from '../../src/discord/words.ts';
import type { ImageRefusal } from '../../src/services/images/image-intake.ts';
import type { MaskRefusal } from '../../src/services/images/image-masks.ts';
import type { LimitSource } from '../../src/services/guild-settings.ts';
import type { JobRefusal } from '../../src/services/job-outcome.ts';
import { PROVIDER_FAILURE_KINDS } from '../../src/services/providers/image-provider.ts';

const english = wordsFor('en-US');
const inEnglish = (refusal: JobRefusal): string => describeRefusal(refusal, english);

const size = { width: 64, height: 32 };

const imageRefusals: readonly ImageRefusal[] = [
  { kind: 'empty' },
  { kind: 'not-an-image', found: 'pdf' },
  { kind: 'not-an-image', found: 'unknown' },
  { kind: 'heic' },
  { kind: 'unsupported', found: 'bmp' },
  { kind: 'unreadable', found: 'png' },
  { kind: 'too-many-pixels', ...size, pixelCountMax: 1 },
  { kind: 'too-small', ...size, edgePxMin: 64 },
];

const maskRefusals: readonly MaskRefusal[] = [
  ...imageRefusals,
  { kind: 'shapes-differ', mask: size, image: { width: 100, height: 100 } },
  { kind: 'nothing-to-edit' },
  { kind: 'everything-to-edit' },
  { kind: 'not-a-mask' },
];

/** Every refusal that there is, by its reason, so that none can be added without words. */
const refusals: { readonly [Reason in JobRefusal['reason']]: readonly (JobRefusal & { readonly reason: Reason })[] } = {
  'over-budget': [{ reason: 'over-budget', remaining: 20_000_000, needed: 60_000_000, renewsAt: 1_700_000_000_000 }],
  'over-member-budget': (['member', 'role', 'everyone'] as const).map((source) => ({
    reason: 'over-member-budget',
    source,
    remaining: 20_000_000,
    needed: 60_000_000,
    renewsAt: 1_700_000_000_000,
  })),
  'too-many-images': [2, 1, 0, -3].map((remaining) => ({
    reason: 'too-many-images',
    source: 'role',
    remaining,
    renewsAt: 1_700_000_000_000,
  })),
  'not-allowed': [
    { reason: 'not-allowed', option: 'quality', value: 'high', allowed: ['low', 'medium'] },
    { reason: 'not-allowed', option: 'count', value: '4', allowed: ['2'] },
  ],
  'rate-limited': [{ reason: 'rate-limited', retryAfterMs: 12_000 }],
  'queue-full': [{ reason: 'queue-full' }],
  'waited-too-long': [{ reason: 'waited-too-long' }],
  'too-many-open': (['server', 'member'] as const).map((whose) => ({ reason: 'too-many-open', whose })),
  cancelled: [{ reason: 'cancelled' }],
  stopping: [{ reason: 'stopping' }],
  'disk-full': [{ reason: 'disk-full' }],
  'store-unavailable': [{ reason: 'store-unavailable' }],
  'option-unsupported': [
    { reason: 'option-unsupported', option: 'quality', value: 'max', model: 'gpt-image-2', supportedBy: ['a', 'b'] },
    { reason: 'option-unsupported', option: 'size', value: 'huge', model: 'gpt-image-2', supportedBy: [] },
  ],
  'prompt-blank': [{ reason: 'prompt-blank' }],
  'transparency-lost': [{ reason: 'transparency-lost' }],
  'model-unavailable': [
    { reason: 'model-unavailable', model: 'gpt-image-1', available: ['gpt-image-2'] },
    { reason: 'model-unavailable', model: 'gpt-image-1', available: [] },
    { reason: 'model-unavailable', model: undefined, available: [] },
  ],
  'model-unpriced': [{ reason: 'model-unpriced', model: 'gpt-image-3' }],
  'attachment-unusable': (['foreign-origin', 'gone', 'too-large', 'unreachable'] as const).map((refused) => ({
    reason: 'attachment-unusable',
    label: 'image',
    why: { refused, limitBytes: 50 * 1024 * 1024 },
  })),
  'image-unusable': imageRefusals.map((why) => ({ reason: 'image-unusable', label: 'second image', why })),
  'mask-unusable': maskRefusals.map((why) => ({ reason: 'mask-unusable', why })),
  'mask-without-image': [{ reason: 'mask-without-image' }],
  'mask-ambiguous': [0.004, 0.48].map((whiteShare) => ({ reason: 'mask-ambiguous', whiteShare })),
  'mask-and-region': [{ reason: 'mask-and-region' }],
  'mask-marks-without-mask': [{ reason: 'mask-marks-without-mask' }],
  'provider-refused': PROVIDER_FAILURE_KINDS.flatMap((kind) => [
    { reason: 'provider-refused', kind },
    { reason: 'provider-refused', kind, stage: 'output' },
  ]),
  'outcome-unknown': [...PROVIDER_FAILURE_KINDS, 'interrupted' as const].map((kind) => ({
    reason: 'outcome-unknown',
    kind,
  })),
  interrupted: [{ reason: 'interrupted' }],
  bug: [{ reason: 'bug', reference: 'ab12' }],
};

function describeOverLimit(source: LimitSource, remaining = 20_000_000): string {
  return inEnglish({ reason: 'over-member-budget', source, remaining, needed: 60_000_000, renewsAt: 1_000 });
}

const all: readonly JobRefusal[] = Object.values(refusals).flat();

describe('describeRefusal', () => {
  it('says what happened, in whole sentences, with nothing left blank', () => {
    for (const refusal of all) {
      const text = inEnglish(refusal);
      assert.match(text, /^[A-Z`].*[.]$/s, JSON.stringify(refusal));
      assert.doesNotMatch(text, /undefined|null|NaN|\[object| {2}/, JSON.stringify(refusal));
    }
  });

  it('says for every refusal that it was free, unless nobody knows', () => {
    for (const refusal of all) {
      const text = inEnglish(refusal);
      const isFree = text.endsWith('You were not charged.');
      assert.equal(isFree, refusal.reason !== 'outcome-unknown', text);
      assert.equal(text.includes('not known whether this was charged'), refusal.reason === 'outcome-unknown', text);
    }
  });

  it('gives every refusal words of its own, or nobody could tell them apart', () => {
    const firstOfEach = Object.values(refusals).map(([first]) => inEnglish(first ?? assert.fail()));
    assert.equal(new Set(firstOfEach).size, firstOfEach.length);
  });

  it('names the numbers that matter', () => {
    const [overBudget] = refusals['over-budget'];
    assert.match(inEnglish(overBudget ?? assert.fail()), /up to \$0\.0600, and \$0\.0200 is left.*<t:1700000000:R>/);
    assert.match(inEnglish({ reason: 'rate-limited', retryAfterMs: 12_000 }), /in 12 seconds/);
    const overdrawn = { reason: 'over-budget', remaining: -5_000_000, needed: 1, renewsAt: 0 } as const;
    assert.match(inEnglish(overdrawn), /and \$0\.0000 is left/);
  });

  it('names whose limit it is, how much of it is left, when it renews, and who can raise it', () => {
    const rest =
      ' for the month does not cover it: it could cost up to $0.0600, and $0.0200 is left. It renews <t:1:R>;';
    assert.ok(describeOverLimit('member').startsWith(`Your own limit${rest}`));
    assert.ok(describeOverLimit('role').startsWith(`Your role's limit${rest}`));
    assert.ok(describeOverLimit('everyone').startsWith(`The limit that every member has here${rest}`));
    assert.match(describeOverLimit('member'), /an administrator can raise it with `\/settings limit`/);
    assert.match(
      describeOverLimit('member', -1),
      /and \$0\.0000 is left/,
      'a limit that was lowered is not told as a debt',
    );

    const tooMany = refusals['too-many-images'].map(inEnglish);
    const left = ['2 images are left', 'one image is left', 'no image is left', 'no image is left'];
    for (const [index, text] of tooMany.entries()) {
      assert.ok(
        text.startsWith(`Your role's limit for today does not cover it: ${left[index]}. It renews <t:17`),
        text,
      );
      assert.match(text, /an administrator can raise it with `\/settings limit`/);
    }
  });

  it('names what is not allowed, what is, and who decides it', () => {
    const [quality, count] = refusals['not-allowed'].map(inEnglish);
    assert.match(quality ?? '', /^Your roles do not let you use quality `high` here\. Allowed: `low` and `medium`\. /);
    assert.match(quality ?? '', /An administrator decides that with `\/settings access`\./);
    assert.match(count ?? '', /count `4` here\. Allowed: up to 2\./);
    const typed = inEnglish({
      reason: 'not-allowed',
      option: 'model',
      value: '<@1> `x`',
      allowed: ['gpt-image-2'],
    });
    assert.match(typed, /model `<\u200B@\u200B1> 'x'` here/, 'in code, out of which nothing leads');
  });

  it('shows what a member typed as the text that it is', () => {
    const text = inEnglish({ reason: 'model-unpriced', model: '@everyone `x`' });
    assert.match(text, /what `@\u200Beveryone 'x'` costs/, 'in code, out of which nothing leads');
  });

  it('does not blame members for what only the operator can mend', () => {
    for (const kind of ['out-of-quota', 'invalid-key', 'unverified-organization', 'misconfigured'] as const) {
      assert.match(inEnglish({ reason: 'provider-refused', kind }), /not your fault/);
    }
    assert.match(inEnglish({ reason: 'outcome-unknown', kind: 'untrusted-result' }), /not your fault/);
  });
});

describe('describeRefusalWithReference', () => {
  const id = '1234567890';
  const languages = [...CATALOGUES.keys()].map(wordsFor);

  it('names the reference under which the log speaks of the request, once', () => {
    for (const words of languages) {
      const reference = words.say('refusal.reference', { reference: '34567890' });
      assert.match(reference, /^-# .*`34567890`$/, words.locale);
      for (const refusal of all) {
        const described = describeRefusal(refusal, words);
        const expected = refusal.reason === 'bug' ? described : `${described}\n${reference}`;
        assert.equal(
          describeRefusalWithReference(refusal, { id }, words),
          expected,
          `${words.locale}: ${refusal.reason}`,
        );
      }
      const bug = describeRefusalWithReference({ reason: 'bug', reference: 'ab12' }, { id }, words);
      assert.match(bug, /`ab12`/, words.locale);
    }
  });

  it('says every refusal in every language, down to whether it was charged', () => {
    for (const words of languages) {
      for (const refusal of all) {
        const text = describeRefusal(refusal, words);
        const label = `${words.locale}: ${text}`;
        const charge = words.say(refusal.reason === 'outcome-unknown' ? 'charge.unknown' : 'charge.none');
        assert.ok(text.endsWith(charge) && text.length > charge.length, label);
        assert.doesNotMatch(text, /\bundefined\b|\bnull\b|NaN|\[object|[{}]| {2}/, label);
        if (!words.locale.startsWith('en')) assert.notEqual(text, inEnglish(refusal), label);
      }
    }
  });

  it('names the fields of the form for edits where that was filled in, and no options', () => {
    const reasons = ['mask-and-region', 'mask-marks-without-mask', 'mask-ambiguous'] as const;
    for (const words of languages) {
      for (const refusal of reasons.flatMap((reason) => [...refusals[reason]])) {
        const text = describeRefusalWithReference(refusal, { id, isFromEditForm: true }, words);
        assert.ok(text.includes(words.say('modal.part')), text);
        assert.doesNotMatch(text.split('\n')[0] ?? '', /`|undefined|[{}]/, text);
        assert.notEqual(text, describeRefusalWithReference(refusal, { id }, words));
      }
    }
  });

  it('gives every refusal words of its own in every language', () => {
    for (const words of languages) {
      const texts = Object.values(refusals).map(([first]) => describeRefusal(first ?? assert.fail(), words));
      assert.equal(new Set(texts).size, texts.length, words.locale);
    }
  });
});

describe('isDiscreet', () => {
  it('keeps what the safety system said between Easel and the member, and nothing else', () => {
    for (const refusal of all) {
      const isModeration = 'kind' in refusal && refusal.kind === 'moderation';
      assert.equal(isDiscreet(refusal), isModeration, JSON.stringify(refusal));
    }
  });
});
