/** How the pictures in a job's folder are named; those made to fit are named where that is done. */
export const MASK_FILE = 'mask';

export function pictureFileName(index: number): string {
  return `input-${index}`;
}

/** The picture to edit as its sender had it, where the prepared one is not equal to it pixel by pixel. */
export const ORIGINAL_FILE = 'original';

/** The file that receives the provider's image, exactly as it was sent. */
export function resultFileName(index: number): string {
  return `image-${index}`;
}

/** The name under which a picture goes up, which must end in its format. */
export function inputFileName(picture: { readonly file: string; readonly contentType: string }): string {
  return `${picture.file}.${picture.contentType.slice('image/'.length)}`;
}

/** The image with the original's pixels put back outside the mask. */
export function composedFileName(index: number): string {
  return `composed-${index}`;
}

/** A picture on the way to the finished one, which goes up under this name as it is. */
export function previewFileName(index: number, format: string): string {
  return `preview-${index}.${format}`;
}
