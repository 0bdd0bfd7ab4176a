import { type Stats, statSync } from 'node:fs';
import { PeershelfError } from '../common/errors';
import { type ContentId, isSameContent, parseContentId } from '../protocol/contentId';
import type { ContentHasher } from './hash/contentHasher';
import { resolveLinks } from './paths';
import type { CallOptions, CompareRequest, FileComparison } from './peerApi';

/** A larger file is not read only to say whether it is the same: that would take seconds. */
const MAX_READ_BYTES = 1024 ** 3;

type Offered = CompareRequest['files'][number];

/** A file here whose size is right, and what it has to hold. */
interface Candidate {
  readonly index: number;
  readonly path: string;
  readonly contentId: ContentId;
}

/**
 * As `PeerApi.compareFiles`. What is known of a file holds as long as it looks the same: `hasher` does
 * not read it again.
 */
export async function compareFiles(
  { files, mayRead }: CompareRequest,
  hasher: ContentHasher,
  { signal }: CallOptions,
): Promise<FileComparison[]> {
  const unread: Candidate[] = [];
  const results = files.map((file, index) => {
    const candidate = compareBySize(file, index);
    if (typeof candidate === 'string') return candidate;
    const known = hasher.known(candidate.path);
    if (known !== undefined) return byContent(known.contentId, candidate);
    if (candidate.contentId.sizeBytes > MAX_READ_BYTES) return 'sameSize';
    unread.push(candidate);
    return 'unread';
  });
  if (!mayRead || unread.length === 0) return results;
  const paths = unread.map(({ path }) => path);
  const hashed = await hasher.hashAll(paths, { signal });
  unread.forEach((candidate, at) => {
    const found = hashed[at];
    const isKnown = found !== undefined && !(found instanceof PeershelfError);
    results[candidate.index] = isKnown ? byContent(found.contentId, candidate) : 'sameSize';
  });
  return results;
}

/** What the sizes say, or the file whose content has to be looked at. */
function compareBySize(file: Offered, index: number): FileComparison | Candidate {
  for (const path of file.paths) {
    const stats = statsOf(path);
    if (stats?.isFile() !== true) continue;
    if (stats.size !== file.sizeBytes) return 'different';
    const contentId = file.contentId === undefined ? undefined : parseContentId(file.contentId);
    const resolved = resolve(path);
    if (contentId === undefined || resolved === undefined) return 'sameSize';
    return { index, path: resolved, contentId };
  }
  return 'new';
}

function byContent(found: ContentId, { contentId }: Candidate): FileComparison {
  return isSameContent(found, contentId) ? 'same' : 'different';
}

/** Undefined for what is not there or may not be looked at. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // A part of the path is a file, or too long, or not readable: nothing is there.
  }
}

function resolve(path: string): string | undefined {
  try {
    return resolveLinks(path);
  } catch {
    return undefined; // It went away between two looks.
  }
}
