import { type ContentId, isSameContent } from '../../protocol/contentId';
import type { SignedText } from '../../protocol/signedText';
import type { ControlVersion } from '../../protocol/controlRequestsV2';

/** How a published file is described to the tracker. */
export interface FileAnnouncement {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly publishedAtMs: number;
  /** Undefined while the file has not been hashed. */
  readonly contentId?: ContentId | undefined;
  /** Counts what was offered under the name; 1 when nothing is said. */
  readonly version?: number | undefined;
  /** Grows with every change of the entry; 0 when nothing is said. */
  readonly sequence?: number | undefined;
  /** What is said of it in a team session, signed. */
  readonly signed?: SignedText | undefined;
}

/** Whether two announcements of one name say the same to others. */
export function saysTheSame(left: FileAnnouncement, right: FileAnnouncement): boolean {
  const isSameId =
    left.contentId === undefined || right.contentId === undefined
      ? left.contentId === right.contentId
      : isSameContent(left.contentId, right.contentId);
  return (
    isSameId &&
    left.sizeBytes === right.sizeBytes &&
    left.modifiedMs === right.modifiedMs &&
    left.publishedAtMs === right.publishedAtMs &&
    left.version === right.version &&
    left.sequence === right.sequence
  );
}

/** A file in messages of version 1, without its name. */
export function toMetadata(file: FileAnnouncement): {
  size: number;
  modified: number;
  published_at: number;
  is_published: true;
} {
  return {
    size: file.sizeBytes,
    // Some files are older than 1970, and one that is refused would take all others of a message along.
    modified: Math.max(0, file.modifiedMs / 1000),
    published_at: file.publishedAtMs / 1000,
    is_published: true,
  };
}

/** A file in messages of version 2. */
export function toEntry(file: FileAnnouncement): object {
  const { contentId } = file;
  return {
    name: file.name,
    size: file.sizeBytes,
    modified: toWholeMs(file.modifiedMs),
    published_at: toWholeMs(file.publishedAtMs),
    // A content id of another size is that of another state of the file.
    ...(contentId?.sizeBytes === file.sizeBytes ? { root: contentId.root } : {}),
    version: file.version ?? 1,
    seq: file.sequence ?? 0,
    ...(file.signed === undefined ? {} : { signed: file.signed }),
  };
}

/** About how many bytes a file takes in a message; never less than it really takes. */
export function announcementBytes(file: FileAnnouncement, version: ControlVersion): number {
  const json = version === 1 ? { [file.name]: toMetadata(file) } : toEntry(file);
  return Buffer.byteLength(JSON.stringify(json)) + 1;
}

/** File systems count in fractions, and some files are older than 1970. */
function toWholeMs(ms: number): number {
  return Math.max(0, Math.round(ms));
}
