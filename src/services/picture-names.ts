/** What the names of pictures end in where people see them: as their format is usually written. */
export function extensionOf(contentType: string): string {
  const format = contentType.slice('image/'.length);
  return format === 'jpeg' ? 'jpg' : format;
}

/** The name that a picture has in another format. */
export function renameTo(name: string, contentType: string): string {
  return `${name.slice(0, name.lastIndexOf('.'))}.${extensionOf(contentType)}`;
}
