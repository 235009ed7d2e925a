import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { UploadOptions } from '../../sandbox/discord/member-files.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { photograph, pngOfClaimedSize, withPngChunk } from '../fixtures/pictures.ts';
import { callsFor, judge } from './judgement.ts';
import { ask } from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const MEBIBYTE = 1024 * 1024;
const RESIDENT_BYTES_MAX = 512 * MEBIBYTE;
const size = { width: 160, height: 120 };

/** Edits what a member attaches, and answers what the member reads. */
async function edit(stage: Stage, prompt: string, upload: Omit<UploadOptions, 'filename'>): Promise<string> {
  const image = stage.discord.uploadAttachment({ filename: 'photo.png', ...upload });
  return (await ask(stage, addServer(stage), 'edit', { prompt, image })).text;
}

/** The most memory that a process ever had resident, in bytes. */
async function peakResidentBytes(pid: number): Promise<number> {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes ?? assert.fail('the process tells no peak')) * 1024;
}

describe('files that do not come as they should', () => {
  const shared = shareStage();

  test('a redirect is not followed', async () => {
    const { stage } = shared();
    const to = `${stage.provider.origin}/files/secret`;
    const text = await edit(stage, 'redirected', {
      bytes: await photograph(size).png().toBuffer(),
      misbehaviour: { kind: 'redirect', to },
    });
    assert.match(text, /no longer there.*You were not charged/);
    assert.deepEqual(stage.provider.fileRequests, []);
  });

  test('a file that is gone is said to be', async () => {
    const { stage } = shared();
    const bytes = await photograph(size).png().toBuffer();
    const text = await edit(stage, 'gone', { bytes, misbehaviour: { kind: 'not found' } });
    assert.match(text, /no longer there.*Attach it again.*You were not charged/);
  });

  test('a file that is cut short by a wrong length is damaged, one that claims too much is too large', async () => {
    const { stage } = shared();
    const bytes = await photograph(size).png().toBuffer();
    const claim = (claimedBytes: number) => ({
      bytes,
      misbehaviour: { kind: 'wrong content-length', claimedBytes } as const,
    });
    assert.match(await edit(stage, 'short', claim(bytes.length / 2)), /damaged|could not be downloaded/);
    assert.match(await edit(stage, 'vast', claim(51 * MEBIBYTE)), /too large: 50 MiB is the limit/);
  });

  test('a file that comes slowly, but comes, is used', async () => {
    const { stage } = shared();
    const bytes = await photograph(size).png().toBuffer();
    const drip = { kind: 'slow drip', bytesPerBeat: Math.ceil(bytes.length / 5), beatMs: 50 } as const;
    await edit(stage, 'slowly', { bytes, misbehaviour: drip });
    assert.equal(callsFor(stage, 'slowly').length, 1);
  });

  test('floods and bombs cost nothing, and little memory', async () => {
    const { stage, bot } = shared();
    const picture = await photograph(size).png().toBuffer();
    const inflated = deflateSync(Buffer.alloc(256 * MEBIBYTE));
    const compressedText = Buffer.concat([Buffer.from('Comment\0\0', 'latin1'), inflated]);
    const floods = Array.from({ length: 6 }, async (_, index) =>
      edit(stage, `flood ${index}`, { bytes: picture, misbehaviour: { kind: 'endless body' } }),
    );
    for (const text of await Promise.all(floods)) assert.match(text, /too large: 50 MiB is the limit/);
    assert.match(
      await edit(stage, 'flood of pixels', { bytes: pngOfClaimedSize({ width: 30_000, height: 30_000 }) }),
      /more than Easel opens/,
    );
    await edit(stage, 'flood of text', { bytes: withPngChunk(picture, 'zTXt', compressedText) });
    const peakBytes = await peakResidentBytes(bot.pid);
    assert.ok(peakBytes < RESIDENT_BYTES_MAX, `${Math.round(peakBytes / MEBIBYTE)} MiB at the peak`);
  });

  test('afterwards nobody has paid for what could not be used', async () => {
    const { stage } = shared();
    const prompts = new Set(stage.provider.calls.map(({ prompt }) => prompt).filter((prompt) => prompt !== undefined));
    assert.deepEqual(
      [...prompts].filter((prompt) => !/slowly|flood of text/.test(prompt)),
      [],
    );
    assert.equal(judge(stage).posted, stage.provider.bills.length);
  });
});

test('where nothing is listed, another Discord is trusted with its own files', async (t) => {
  const stage = await setStage(t, { environment: { ATTACHMENT_ORIGINS: '' } });
  await stage.startBot();
  const text = await edit(stage, 'from its own', { bytes: await photograph(size).png().toBuffer() });
  assert.doesNotMatch(text, /does not come from Discord/);
  assert.equal(callsFor(stage, 'from its own').length, 1);
});

test("unless they are listed, no addresses but Discord's own are opened", async (t) => {
  const stage = await setStage(t, { environment: { ATTACHMENT_ORIGINS: 'https://cdn.discordapp.com' } });
  await stage.startBot();
  const text = await edit(stage, 'from elsewhere', { bytes: await photograph(size).png().toBuffer() });
  assert.match(text, /does not come from Discord.*You were not charged/);
  assert.deepEqual(
    stage.discord.requests.filter(({ route }) => route === 'attachment'),
    [],
  );
  assert.deepEqual(callsFor(stage, 'from elsewhere'), []);
});
