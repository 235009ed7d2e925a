import sharp from 'sharp';
import { createNoisePngSource } from '../../sandbox/provider/noise-png.ts';
import type { PictureSize } from '../protocol.ts';

/** Everything that is sent in the bench, made once and ahead, so that sending it costs the emulator next to nothing. */
export type Pictures = {
  /** The provider's whole answer, for each size of picture. */
  readonly answers: Readonly<Record<PictureSize, Answer>>;
  /** What members attach. */
  readonly source: Buffer;
  readonly mask: Buffer;
};

export type Answer = { readonly body: Buffer; readonly picture: Buffer };

/** What a photograph-like picture of 1024 x 1024 weighs as a PNG, and what one of the larger sizes does. */
const USUAL_BYTES = 1_700_000;
const LARGE_BYTES = 3_000_000;
export const EDGE_PX = 1_024;
const CHANNELS = 3;
const JPEG_QUALITY = 96;

export async function makePictures(): Promise<Pictures> {
  const [usual, large] = [await makeAnswer(USUAL_BYTES), await makeAnswer(LARGE_BYTES)];
  return { answers: { usual, large }, source: await makeSource(), mask: await makeMask() };
}

async function makeAnswer(pictureBytes: number): Promise<Answer> {
  const picture = await createNoisePngSource(pictureBytes).make({ width: EDGE_PX, height: EDGE_PX });
  const answer = {
    created: 1_790_000_000,
    background: 'opaque',
    data: [{ b64_json: picture.toString('base64') }],
    output_format: 'png',
    quality: 'medium',
    size: `${EDGE_PX}x${EDGE_PX}`,
    usage: {
      input_tokens: 20,
      input_tokens_details: { image_tokens: 0, text_tokens: 20 },
      output_tokens: 1_056,
      output_tokens_details: { image_tokens: 1_056, text_tokens: 0 },
      total_tokens: 1_076,
    },
  };
  return { body: Buffer.from(JSON.stringify(answer, undefined, 2)), picture };
}

/** A JPEG of about two megabytes: noise is what makes it so heavy, and it has the shape of the result. */
async function makeSource(): Promise<Buffer> {
  const picture = sharp({
    create: {
      width: EDGE_PX,
      height: EDGE_PX,
      channels: CHANNELS,
      background: '#808080',
      noise: { type: 'gaussian', mean: 128, sigma: 50 },
    },
  });
  return picture.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' }).toBuffer();
}

/** A quarter of the picture may change: transparent where it may. */
async function makeMask(): Promise<Buffer> {
  const kept = { width: EDGE_PX, height: EDGE_PX, channels: 4, background: '#000000ff' } as const;
  const open = { width: EDGE_PX / 2, height: EDGE_PX / 2, channels: 4, background: '#000000ff' } as const;
  const hole = await sharp({ create: open }).png().toBuffer();
  return sharp({ create: kept })
    .composite([{ input: hole, blend: 'dest-out' }])
    .png()
    .toBuffer();
}
