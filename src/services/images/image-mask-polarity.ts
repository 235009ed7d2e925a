/**
 * Which part of a black-and-white mask may change.
 *
 * By convention it is the white one. But whoever draws with black on white paper means what was drawn, so the border
 * tells paper from drawing: where it is black, white is meant; where it is white all around and black lies inside and
 * takes the smaller part, black is. Whatever is neither could be meant either way, and is asked rather than guessed.
 */

import type { ImageSize } from '../providers/image-provider.ts';

/** The colour of what may change, in a mask that has no other sign of it. */
export const MASK_MARKS = ['white', 'black'] as const;
export type MaskMarks = (typeof MASK_MARKS)[number];

/** How far the border reaches into the mask, as a share of its shorter edge. */
const BORDER_SHARE = 0.01;
/** The edge of each corner that is looked at, the same way. */
const CORNER_SHARE = 0.02;
/** A brush may reach into one corner of a black sheet; into two of them, it may as well be the sheet. */
const BLACK_CORNERS_MIN = 3;
const BLACK_SHEET_BORDER_WHITE_SHARE_MAX = 0.5;
/** A sheet is white all around, but for a speck. */
const WHITE_SHEET_BORDER_WHITE_SHARE_MIN = 0.99;
/** White around a large black part is as likely a background that may change as it is paper. */
const DRAWN_SHARE_MAX = 0.5;

/**
 * @param white one byte for each pixel, row by row: 255 = white, 0 = black.
 * @param whiteShare the share of the pixels that are white.
 * @returns undefined where it could be meant either way.
 */
export function judgePolarity(white: Buffer, size: ImageSize, whiteShare: number): MaskMarks | undefined {
  // Without any black there is no drawing.
  if (whiteShare === 1) return 'white';
  const borderWhiteShare = shareOnBorder(white, size, 255);
  const blackCorners = countBlackCorners(white, size);
  if (blackCorners >= BLACK_CORNERS_MIN && borderWhiteShare <= BLACK_SHEET_BORDER_WHITE_SHARE_MAX) return 'white';
  const isWhiteSheet = borderWhiteShare >= WHITE_SHEET_BORDER_WHITE_SHARE_MIN;
  return isWhiteSheet && 1 - whiteShare <= DRAWN_SHARE_MAX ? 'black' : undefined;
}

/** Whether the whole border has one value, but for a speck. */
export function isFramedBy(value: number, plane: Buffer, size: ImageSize): boolean {
  return shareOnBorder(plane, size, value) >= WHITE_SHEET_BORDER_WHITE_SHARE_MIN;
}

function shareOnBorder(plane: Buffer, { width, height }: ImageSize, value: number): number {
  const depth = Math.max(1, Math.round(Math.min(width, height) * BORDER_SHARE));
  const strips = [
    { left: 0, top: 0, width, height: depth },
    { left: 0, top: height - depth, width, height: depth },
    { left: 0, top: depth, width: depth, height: height - 2 * depth },
    { left: width - depth, top: depth, width: depth, height: height - 2 * depth },
  ];
  let count = 0;
  let pixels = 0;
  for (const strip of strips) {
    count += countIn(plane, width, strip, value);
    pixels += strip.width * strip.height;
  }
  return count / pixels;
}

function countBlackCorners(white: Buffer, { width, height }: ImageSize): number {
  const edge = Math.max(1, Math.round(Math.min(width, height) * CORNER_SHARE));
  const isBlack = (left: number, top: number): boolean =>
    countIn(white, width, { left, top, width: edge, height: edge }, 0) > (edge * edge) / 2;
  const [right, bottom] = [width - edge, height - edge];
  return [isBlack(0, 0), isBlack(right, 0), isBlack(0, bottom), isBlack(right, bottom)].filter(Boolean).length;
}

type Strip = ImageSize & { readonly left: number; readonly top: number };

function countIn(plane: Buffer, rowLength: number, { left, top, width, height }: Strip, value: number): number {
  let count = 0;
  for (let y = top; y < top + height; y += 1) {
    const start = y * rowLength + left;
    for (let index = start; index < start + width; index += 1) if (plane[index] === value) count += 1;
  }
  return count;
}
