import assert from 'node:assert/strict';
import sharp from 'sharp';
import type { OptionValues } from '../../sandbox/discord/option-values.ts';
import type { ReceivedFile } from '../../sandbox/provider/call-log.ts';
import type { Rectangle, Rgba, Size } from '../fixtures/pictures.ts';
import { decode } from '../fixtures/pictures.ts';
import type { Answered } from './requests.ts';
import { ask, picturesOf } from './requests.ts';
import type { Server, SharedStage } from './shared-stage.ts';
import { addServer } from './shared-stage.ts';

/** Asking for edits, and judging by pixels what came of them. */

/** The original fades into the edit within this many pixels inside the mask. */
const FEATHER_PX = 4;

type Edit = {
  readonly prompt: string;
  readonly photo: Buffer;
  readonly filename?: string;
  readonly mask?: Buffer;
  readonly options?: OptionValues;
};

/** Asks for an edit on a server of its own, of low quality by a model with free sizes unless said otherwise. */
export async function edit({ stage }: SharedStage, asked: Edit): Promise<Answered> {
  const { prompt, photo, filename = 'IMG_0001.jpg', mask, options = {} } = asked;
  const server: Server = addServer(stage);
  const image = stage.discord.uploadAttachment({ bytes: photo, filename });
  const masks = mask ? { mask: stage.discord.uploadAttachment({ bytes: mask, filename: 'mask.png' }) } : {};
  return ask(stage, server, 'edit', { prompt, image, model: 'gpt-image-2', quality: 'low', ...masks, ...options });
}

/** What a viewer shows of a photo, at its own size or scaled to another. */
export async function viewed(photo: Buffer, size?: Size): Promise<Rgba> {
  const upright = sharp(photo, { autoOrient: true });
  const scaled = size ? upright.resize(size.width, size.height, { fit: 'fill' }) : upright;
  return decode(await scaled.png({ compressionLevel: 0 }).toBuffer());
}

export async function onlyPicture(asked: Answered): Promise<Rgba> {
  const pictures = picturesOf(asked);
  assert.equal(pictures.length, 1);
  return decode(pictures[0].bytes);
}

export function fileOf(
  files: readonly ReceivedFile[] | undefined,
  field: string,
): ReceivedFile & { readonly bytes: Buffer } {
  const file = files?.find((candidate) => candidate.field === field);
  assert.ok(file?.bytes, `the provider was sent no ${field}`);
  return { ...file, bytes: file.bytes };
}

export function isInside(x: number, y: number, { left, top, width, height }: Rectangle, margin: number): boolean {
  return x >= left + margin && x < left + width - margin && y >= top + margin && y < top + height - margin;
}

export function assertKeptOutside(result: Rgba, original: Rgba, hole: Rectangle): void {
  const share = equalShare(result, original, (x, y) => !isInside(x, y, hole, 0));
  assert.equal(share, 1, `only ${share} of the pixels outside the mask are as they were`);
}

export function assertChangedInside(result: Rgba, original: Rgba, hole: Rectangle): void {
  const share = equalShare(result, original, (x, y) => isInside(x, y, hole, FEATHER_PX));
  assert.ok(share < 0.05, `${share} of the pixels inside the mask are as they were`);
}

/** The share of equal pixels among those that are looked at. */
export function equalShare(one: Rgba, other: Rgba, isLookedAt: (x: number, y: number) => boolean): number {
  assert.equal(one.data.length, other.data.length);
  const [ours, theirs] = [wholePixels(one), wholePixels(other)];
  let looked = 0;
  let equal = 0;
  for (let y = 0, at = 0; y < one.height; y += 1) {
    for (let x = 0; x < one.width; x += 1, at += 1) {
      if (!isLookedAt(x, y)) continue;
      looked += 1;
      if (ours[at] === theirs[at]) equal += 1;
    }
  }
  assert.ok(looked > 0, 'no pixel was looked at');
  return equal / looked;
}

/** The four bytes of each pixel as one number, which is quicker to compare. */
function wholePixels({ data }: Rgba): Uint32Array {
  return new Uint32Array(new Uint8Array(data).buffer);
}

export function countPixels(
  { width, height }: Size,
  isCounted: (offset: number, x: number, y: number) => boolean,
): number {
  let count = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) if (isCounted((y * width + x) * 4, x, y)) count += 1;
  }
  return count;
}
