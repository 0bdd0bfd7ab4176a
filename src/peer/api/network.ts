import type { HostPort } from '../../protocol/address';
import type { NamedHost } from '../../protocol/hostLabel';

/** What is asked and said of what others offer. */

export interface NetworkPeer extends NamedHost {
  readonly address: HostPort;
  readonly fileCount: number;
  /** How long ago the tracker last heard of the peer, as far as it has said. */
  readonly lastSeenAgeMs: number;
  /** `away`: its connection to the tracker is closed. Version 1 does not tell: then it is `online`. */
  readonly state: 'online' | 'away';
  /** How long it has been in this state. */
  readonly sinceAgeMs: number;
  /** Whether it says that it sends or receives files; version 1 does not tell. */
  readonly isTransferring: boolean;
}

export interface NetworkFile extends NamedHost {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly publishedAtMs: number;
  /** What the file is, as `formatContentId` writes it; only peers of version 2 say it. */
  readonly contentId?: string;
  /** Others offer something else under this name; only rows say it. */
  readonly clashes?: boolean;
}

export interface NetworkQuery {
  /** Only files of this host. */
  readonly hostname?: string | undefined;
  /** Only names or owners that contain every word of this text, whatever the case. */
  readonly text?: string | undefined;
  /** Only names that begin with this. */
  readonly prefix?: string | undefined;
  readonly limit: number;
  /** Files that come before the first of the page. */
  readonly offset?: number | undefined;
}

export interface PeerQuery {
  /** As that of a `NetworkQuery`: only peers with matching files, and only those are counted. */
  readonly text?: string | undefined;
  readonly limit: number;
  /** Peers that come before the first of the page. */
  readonly offset?: number | undefined;
}

export interface NetworkPeerPage {
  readonly peers: readonly NetworkPeer[];
  /** How many there are in all. */
  readonly total: number;
}

export interface FolderQuery {
  /** What the names in the folder begin with, `/` at its end; empty for the top. */
  readonly prefix: string;
  /** Only files of this host. */
  readonly hostname?: string | undefined;
  /** As that of a `NetworkQuery`; folders without a match are left out. */
  readonly text?: string | undefined;
  /** Folders and files of the page, at most 500. */
  readonly limit?: number | undefined;
  /** Folders and files that come before the first of the page. */
  readonly offset?: number | undefined;
}

export interface NetworkFolder {
  /** Last part of its path. */
  readonly name: string;
  /** For listing it: its path, `/` at its end. */
  readonly prefix: string;
  /** Names in it and below it. */
  readonly fileCount: number;
}

/** One content under one name, whoever offers it. */
export interface NetworkRow extends Omit<NetworkFile, keyof NamedHost> {
  /** At least one; of peers that do not say what the content is, only one. */
  readonly sources: readonly (NamedHost & {
    readonly state: NetworkPeer['state'];
    /** How long it has been away, when it is. */
    readonly awayForMs?: number;
  })[];
}

export interface NetworkFolderPage {
  readonly folders: readonly NetworkFolder[];
  readonly files: readonly NetworkRow[];
  /** Folders and files in all. */
  readonly total: number;
}

export interface CompareRequest {
  readonly files: readonly {
    /** Absolute paths where the file may be here; the first one that is a file counts. */
    readonly paths: readonly string[];
    readonly sizeBytes: number;
    /** As `formatContentId` writes it. */
    readonly contentId?: string | undefined;
  }[];
  /** Whether to read files whose content is not known; without it they are `unread`. */
  readonly mayRead: boolean;
}

/**
 * `new`: there is no such file here. `sameSize`: more cannot be told, as the publisher does not say
 * what the content is, or the file here is too large to be read for this, or cannot be read.
 */
export type FileComparison = 'new' | 'same' | 'different' | 'sameSize' | 'unread';

export interface NetworkPage {
  readonly files: readonly NetworkFile[];
  /** How many match in all. */
  readonly total: number;
}

export interface NetworkRowPage {
  readonly rows: readonly NetworkRow[];
  /** How many match in all. */
  readonly total: number;
}

export interface NetworkSummary {
  /** Who is here now; who is away is listed, but not counted. */
  readonly peers: number;
  readonly files: number;
  /** When the tracker was last asked (epoch), or undefined before. */
  readonly refreshedAtMs: number | undefined;
}
