import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { OptionValues } from '../sandbox/discord/option-values.ts';
import { isFinal } from '../sandbox/final-message.ts';
import type { Stage } from '../sandbox/stage.ts';
import { createStage } from '../sandbox/stage.ts';

/**
 * Draws the picture in README.md with the bot itself, in the sandbox: an image from words, a mask, and what an edit
 * makes of both. Nothing in it was touched by hand.
 */

const PICTURE_PATH = fileURLToPath(new URL('../docs/pictures/edit-with-mask.png', import.meta.url));
const TILE_EDGE_PIXELS = 384;
const GAP_PIXELS = 12;
const PALETTE_COLOURS = 128;

/** White marks what may change: the sky, down to the mountains and around the fox's ears. */
const MASK = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="1024" height="1024" viewBox="0 0 384 384">
    <rect width="384" height="384" fill="black"/>
    <path d="M0 0H384V203Q355 240 340 257Q325 270 310 258L276 219L280 161L241 194H209L170 161L175 243H137Q110 198 85 197Q62 197 42 228Q20 258 0 261Z" fill="white"/>
  </svg>`,
);

const stage = await createStage();
try {
  await stage.startBot();
  const fox = await make(stage, 'imagine', { prompt: 'a red fox in snow' });
  const mask = await sharp(MASK).png().toBuffer();
  const edited = await make(stage, 'edit', {
    prompt: 'a fish in snow at night',
    image: stage.discord.uploadAttachment({ bytes: fox, filename: 'fox.png' }),
    mask: stage.discord.uploadAttachment({ bytes: mask, filename: 'mask.png' }),
    // The sky takes two corners, so the mask alone would not tell.
    mask_marks: 'white',
  });
  await mkdir(dirname(PICTURE_PATH), { recursive: true });
  await writeFile(PICTURE_PATH, await placeInRow([fox, mask, edited]));
} finally {
  await stage.close();
}

/** Types a command as a member would, and answers the picture that comes back. */
async function make({ discord, member, channel }: Stage, command: string, options: OptionValues): Promise<Buffer> {
  const { shownAttachments } = await discord
    .invoke({ command, member, channel, options })
    .finalMessage({ where: isFinal });
  const [picture] = shownAttachments;
  if (!picture) throw new Error(`/${command} brought no picture`);
  return Buffer.from(picture.bytes);
}

async function placeInRow(pictures: readonly Buffer[]): Promise<Buffer> {
  const tiles = await Promise.all(
    pictures.map(async (picture) => sharp(picture).resize(TILE_EDGE_PIXELS, TILE_EDGE_PIXELS).toBuffer()),
  );
  const row = sharp({
    create: {
      width: pictures.length * (TILE_EDGE_PIXELS + GAP_PIXELS) - GAP_PIXELS,
      height: TILE_EDGE_PIXELS,
      channels: 4,
      background: 'transparent',
    },
  });
  return row
    .composite(tiles.map((input, index) => ({ input, left: index * (TILE_EDGE_PIXELS + GAP_PIXELS), top: 0 })))
    .png({ palette: true, colours: PALETTE_COLOURS })
    .toBuffer();
}
