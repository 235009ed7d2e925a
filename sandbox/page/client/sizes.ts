const KIBIBYTE = 1024;

/** The size of a file as people say it. */
export function describeSize(sizeBytes: number): string {
  if (sizeBytes < KIBIBYTE) return `${sizeBytes} bytes`;
  if (sizeBytes < KIBIBYTE ** 2) return `${(sizeBytes / KIBIBYTE).toFixed(1)} KiB`;
  return `${(sizeBytes / KIBIBYTE ** 2).toFixed(1)} MiB`;
}
