import { MAX_FILE_BYTES } from './limits';

/**
 * What a file is, whatever it is called and whoever has it: the pieces root of BEP 52 and the size.
 * Always both, as BEP 52 does not tell leaves from nodes and one root may belong to two sizes.
 */
export interface ContentId {
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly root: string;
  readonly sizeBytes: number;
}

/** Of a file without bytes: the hash of nothing. */
const EMPTY_ROOT = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const ROOT = /^[0-9a-f]{64}$/u;
const CONTENT_ID = /^([0-9a-f]{64})-(0|[1-9]\d{0,15})$/u;

/** `root-size`: how a content id stands in messages, addresses, tags and keys. */
export function formatContentId({ root, sizeBytes }: ContentId): string {
  return `${root}-${sizeBytes}`;
}

/** The content id that `formatContentId` has written, or undefined for anything else. */
export function parseContentId(text: string): ContentId | undefined {
  const [, root, size] = CONTENT_ID.exec(text) ?? [];
  return root === undefined ? undefined : toContentId(root, Number(size));
}

/** A content id of parts that come from outside, or undefined when they cannot be one. */
export function toContentId(root: unknown, sizeBytes: unknown): ContentId | undefined {
  if (typeof root !== 'string' || !ROOT.test(root)) return undefined;
  if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes)) return undefined;
  if (sizeBytes < 0 || sizeBytes > MAX_FILE_BYTES) return undefined;
  if ((sizeBytes === 0) !== (root === EMPTY_ROOT)) return undefined;
  return { root, sizeBytes };
}

export function isSameContent(left: ContentId, right: ContentId): boolean {
  return left.sizeBytes === right.sizeBytes && left.root === right.root;
}
