import type { PublishedFile } from '../peer/peerApi';

/** For `sort`: as the files of others are ordered. */
export function byName({ name: one }: PublishedFile, { name: other }: PublishedFile): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
