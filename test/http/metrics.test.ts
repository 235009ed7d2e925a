import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../src/http/metrics.ts';
import type { FinishedJob } from '../../src/services/job-outcome.ts';

const result: FinishedJob = {
  images: [{ path: '/image-0', name: 'image.png', contentType: 'image/png', sizeBytes: 1 }],
  model: 'gpt-image-2',
  size: '1024x1024',
  quality: 'low',
  charge: { cost: 50_000_000, usage: undefined },
  estimate: 60_000_000,
  notes: [],
};

test('cancelled jobs are counted, and what they cost where they were cancelled too late', async () => {
  const metrics = createMetrics();
  metrics.countOutcome({ ended: 'finished', result });
  metrics.countOutcome({ ended: 'refused', refusal: { reason: 'cancelled' } });
  metrics.countOutcome({ ended: 'cancelled', result });
  const lines = (await metrics.render()).text.split('\n').filter((line) => /^easel_(jobs|images|cost)/.test(line));
  assert.deepEqual(lines, [
    'easel_jobs_total{outcome="finished"} 1',
    'easel_jobs_total{outcome="cancelled"} 1',
    'easel_jobs_total{outcome="cancelled-paid"} 1',
    'easel_images_total{model="gpt-image-2"} 2',
    'easel_cost_usd_total{model="gpt-image-2"} 0.1',
  ]);
});

test('calls that cost more than their ceiling are counted', async () => {
  const metrics = createMetrics();
  for (const cost of [result.estimate, result.estimate + 1]) {
    metrics.countOutcome({ ended: 'finished', result: { ...result, charge: { cost, usage: undefined } } });
  }
  const { text } = await metrics.render();
  assert.match(text, /^easel_cost_overruns_total\{model="gpt-image-2"\} 1$/m);
});
