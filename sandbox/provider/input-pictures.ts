/** Judges uploaded pictures as the real API does: the bytes are decoded, not believed. */
import sharp from 'sharp';
import { ApiRefusal, invalidParameter } from './api-refusal.ts';
import type { ImageSize } from './model-catalogue.ts';
import type { Part } from './multipart.ts';

/** An upload that passed. */
type InputPicture = {
  readonly bytes: Buffer;
  /** As a viewer shows it, EXIF rotation applied. */
  readonly size: ImageSize;
};

export type InputPictures = { readonly images: readonly InputPicture[]; readonly mask: InputPicture | undefined };

const imageCountMax = 16;
const imageBytesLimit = 50 * 1024 * 1024;
const maskBytesLimit = 4 * 1024 * 1024;
const inputPixelsMax = 100_000_000;
const acceptedTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/webp']);
const acceptedFormats: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp']);

/** The marker of a multi-picture JPEG, such as phones write, in its APP2 segment. */
const multiPictureMarker = Buffer.from('MPF\0', 'latin1');

function invalidImage(index: number): ApiRefusal {
  return new ApiRefusal(400, {
    message: `Invalid image file or mode for image ${index + 1}, please check your image file.`,
    type: 'image_generation_user_error',
    param: 'image',
    code: 'invalid_image_file',
  });
}

function invalidMask(reason: string): ApiRefusal {
  return new ApiRefusal(400, {
    message: `Invalid mask image format - ${reason}`,
    type: 'image_generation_user_error',
    param: 'mask',
    code: 'invalid_mask_image_format',
  });
}

/** A part must be a file with a name, an image type and less than the limit. */
function judgePart(part: Part, param: string, bytesLimit: number): void {
  if (part.filename === undefined || part.filename === '') {
    throw invalidParameter(param, 'invalid_type', `Invalid type for '${param}': expected a file, but got a string.`);
  }
  const contentType = part.contentType ?? 'application/octet-stream';
  if (!acceptedTypes.has(contentType)) {
    throw invalidParameter(
      param,
      'unsupported_file_mimetype',
      `Invalid file '${param}': unsupported mimetype ('${contentType}'). ` +
        "Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'.",
    );
  }
  if (part.bytes.length >= bytesLimit) {
    const megabytes = bytesLimit / (1024 * 1024);
    throw invalidParameter(
      param,
      'file_too_large',
      `Invalid file '${param}': it must be smaller than ${megabytes} MB.`,
    );
  }
}

/** Whether the APPn segments before the picture announce further pictures. */
function isMultiPicture(jpeg: Buffer): boolean {
  let position = 2;
  while (position + 4 <= jpeg.length && jpeg[position] === 0xff) {
    const marker = jpeg.readUInt8(position + 1);
    const isStartOfScan = marker === 0xda;
    if (isStartOfScan) return false;
    const isApp2 = marker === 0xe2;
    if (isApp2 && jpeg.subarray(position + 4, position + 8).equals(multiPictureMarker)) return true;
    position += 2 + jpeg.readUInt16BE(position + 2);
  }
  return false;
}

/** Reads header and every pixel. Undefined for what is not a sound, still picture in a mode that the API takes. */
async function decode(bytes: Buffer): Promise<(InputPicture & { hasAlpha: boolean; format: string }) | undefined> {
  const options = { failOn: 'error', limitInputPixels: inputPixelsMax } as const;
  try {
    const metadata = await sharp(bytes, options).metadata();
    const isAccepted = acceptedFormats.has(metadata.format) && metadata.space !== 'cmyk' && (metadata.pages ?? 1) === 1;
    if (!isAccepted || (metadata.format === 'jpeg' && isMultiPicture(bytes))) return undefined;
    // Shrinking to almost nothing still makes libvips decode the whole file, a few lines at a time.
    await sharp(bytes, options).resize(8, 8, { kernel: 'nearest', fastShrinkOnLoad: false }).raw().toBuffer();
    const { width, height } = metadata.autoOrient;
    return { bytes, size: { width, height }, hasAlpha: metadata.hasAlpha, format: metadata.format };
  } catch {
    return undefined;
  }
}

async function judgeMask(part: Part, first: InputPicture): Promise<InputPicture> {
  judgePart(part, 'mask', maskBytesLimit);
  const mask = await decode(part.bytes);
  if (mask === undefined || mask.format !== 'png') throw invalidMask('mask must be a PNG file');
  if (!mask.hasAlpha) throw invalidMask('mask image missing alpha channel');
  if (mask.size.width !== first.size.width || mask.size.height !== first.size.height) {
    throw invalidMask('mask size does not match image size');
  }
  return mask;
}

/**
 * Judges the files of an edit.
 * @throws {ApiRefusal} for the first file that the API would not take
 */
export async function readInputPictures(parts: readonly Part[]): Promise<InputPictures> {
  const imageParts = parts.filter((part) => part.name === 'image' || part.name === 'image[]');
  const maskParts = parts.filter((part) => part.name === 'mask');
  if (imageParts.length === 0) {
    throw invalidParameter('image', 'missing_required_parameter', "Missing required parameter: 'image'.");
  }
  if (imageParts.length > imageCountMax) {
    const rule = `array too long. Expected an array with maximum length ${imageCountMax}`;
    throw invalidParameter('image', 'array_above_max_length', `Invalid 'image': ${rule}.`);
  }
  const isPlainNameRepeated = imageParts.filter((part) => part.name === 'image').length > 1;
  if (isPlainNameRepeated || maskParts.length > 1) {
    const param = isPlainNameRepeated ? 'image' : 'mask';
    const hint = isPlainNameRepeated ? " You can pass an array of files with 'image[]' instead." : '';
    throw invalidParameter(param, 'duplicate_parameter', `Duplicate parameter: '${param}'.${hint}`);
  }
  const images: InputPicture[] = [];
  for (const [index, part] of imageParts.entries()) {
    judgePart(part, 'image', imageBytesLimit);
    const image = await decode(part.bytes);
    if (image === undefined) throw invalidImage(index);
    images.push(image);
  }
  const [maskPart] = maskParts;
  const [first] = images;
  const mask = maskPart === undefined || first === undefined ? undefined : await judgeMask(maskPart, first);
  return { images, mask };
}
