/** Bytes of a file, `end` not included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const ONE_RANGE = /^bytes=(\d{0,16})-(\d{0,16})$/u;

/**
 * What a `Range` header asks for in a file of `sizeBytes`, or undefined when it cannot be had: out
 * of the file, several ranges, or something else than a range of bytes.
 */
export function parseByteRange(header: string, sizeBytes: number): ByteRange | undefined {
  const [, first, last] = ONE_RANGE.exec(header) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const range =
    first === ''
      ? { start: Math.max(0, sizeBytes - Number(last)), end: sizeBytes }
      : {
          start: Number(first),
          end: last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1),
        };
  return range.start < range.end ? range : undefined;
}

/** The header that says which bytes of the file are sent. */
export function contentRange({ start, end }: ByteRange, sizeBytes: number): string {
  return `bytes ${start}-${end - 1}/${sizeBytes}`;
}

/** Whether an `If-None-Match` header names `tag`. Weak or not does not matter here (RFC 9110, 13.1.2). */
export function namesTag(header: string, tag: string): boolean {
  return (
    header.trim() === '*' ||
    header.split(',').some((candidate) => candidate.trim().replace(/^W\//u, '') === tag)
  );
}
