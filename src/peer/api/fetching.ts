import type { PlainError } from '../../common/errors';

/** What is asked and said of files that come here. */

export interface FetchRequest {
  readonly name: string;
  /** The publisher to fetch from; without it any that offers the name, if all offer the same. */
  readonly hostname?: string | undefined;
  /** The content, as `formatContentId` writes it: who offers something else is left out. */
  readonly contentId?: string | undefined;
  /** Absolute path of the file to make; its folder is made when missing. */
  readonly destination: string;
  /** Folder that must contain the destination's real path, if any must. */
  readonly folder?: string | undefined;
  /** What to do when the destination has other content. `keepBoth` chooses `name (2).ext`. */
  readonly ifExists: 'fail' | 'overwrite' | 'keepBoth';
  /** Nothing of a longer file is taken, whatever was listed. */
  readonly maxBytes?: number | undefined;
  /**
   * The destination as the user sees it (`/` between its parts). When it is given, a file that could
   * make programs run there fails with RISKY_PLACE.
   */
  readonly guardedAs?: string | undefined;
}

/** Largest file that is opened without being fetched: editors read it whole. */
export const MAX_PREVIEW_BYTES = 64 * 1024 * 1024;

export interface PreviewRequest {
  readonly name: string;
  readonly hostname: string;
  /** As `formatContentId` writes it: exactly this content, from whoever has it. */
  readonly contentId?: string | undefined;
  readonly sizeBytes: number;
}

export interface FetchResult {
  readonly outcome: 'fetched' | 'alreadyThere';
  /** Absolute path of the file. */
  readonly path: string;
  readonly sizeBytes: number;
  /** From the first connection to a publisher until the file has its name. */
  readonly durationMs: number;
  readonly hostname: string;
  /** With host name and short fingerprint when somebody else's name looks like it. */
  readonly displayName: string;
  /** Of the publisher, in full; only a team's session has identities. */
  readonly identity?: string | undefined;
  /** The publisher changed the file after publishing it: its size is not the listed one. */
  readonly changedSincePublished: boolean;
  /** What was fetched, as `formatContentId` writes it; undefined when the publisher cannot say. */
  readonly contentId?: string | undefined;
  /** Bytes that came over the network. */
  readonly receivedBytes: number;
  /** Bytes that were on this machine already, from an earlier attempt or in another file. */
  readonly keptBytes: number;
  /** Display names of everyone who has sent a part of it. */
  readonly sources: readonly string[];
}

export interface FolderFetchRequest {
  /** What the names begin with, `/` at its end. */
  readonly prefix: string;
  /**
   * The publishers to fetch from. Names under which they offer different content fail. Without any, the
   * folder must be of one owner.
   */
  readonly hostnames?: readonly string[] | undefined;
  /** Whoever offers something there is meant. */
  readonly fromAll?: boolean | undefined;
  /** Absolute path of the folder that gets what is behind the prefix; made when missing. */
  readonly destination: string;
  /** Folder that must contain the real path of every file, if any must. */
  readonly folder?: string | undefined;
  /** What to do where other content is in the way. */
  readonly ifExists: FetchRequest['ifExists'];
  /**
   * The destination as the user sees it (`/` between its parts). When it is given, files that could make
   * programs run at their places fail with RISKY_PLACE.
   */
  readonly guardedAs?: string | undefined;
}

export interface FolderFetchResult {
  readonly path: string;
  /** The publishers that were meant; undefined when whoever offers something there was. */
  readonly hostnames?: readonly string[] | undefined;
  /** Files that are offered below the prefix: fetched, already there and failed. */
  readonly files: number;
  readonly fetched: number;
  readonly alreadyThere: number;
  readonly sizeBytes: number;
  /** Bytes that came over the network. */
  readonly receivedBytes: number;
  readonly durationMs: number;
  readonly failedCount: number;
  /** The first thousand that failed. */
  readonly failed: readonly { readonly name: string; readonly error: PlainError }[];
}

export interface Transfer {
  readonly id: string;
  readonly direction: 'upload' | 'download';
  readonly name: string;
  /** Display name of the publisher, or of who fetches; the address of the latter where it is not known. */
  readonly peer: string;
  readonly bytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  readonly startedAtMs: number;
  /** `waiting`: for its turn, as only so many run at once. */
  readonly state: 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';
  readonly error: PlainError | undefined;
  readonly kind: 'file' | 'folder';
  /** Files of a folder that were not fetched: something is in the way, or they failed. */
  readonly leftOutFiles: number;
  /** Display names of who has sent parts of a download. */
  readonly sources: readonly string[];
  /** Absolute path that a download goes to; when it is done, where it is. */
  readonly path: string | undefined;
  /** Whether `retryTransfer` would start it again. */
  readonly canRetry: boolean;
}

/** A download that was started anew, as nobody waits for the one before any more. */
export interface StartedTransfer {
  /** Of its new row; undefined when nothing had to be started. */
  readonly id: string | undefined;
}
