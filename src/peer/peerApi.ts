import type { Event } from '../common/events';
import type { PlainError } from '../common/errors';
import type { HostPort } from '../protocol/address';
import type { FoundSession } from '../protocol/announcement';
import type { StoredIdentity } from './identity/identity';

/**
 * What the editor and the command line can ask of the engine, as plain data: the same calls work in
 * process and over the engine worker's message port. Every call is `(request, options)`.
 */
export interface PeerApi {
  /**
   * Joins a session and stays in it until `disconnect`: reconnects by itself and offers again what was
   * published in this session. Resolves at the first success.
   * @throws TRACKER_UNREACHABLE or TRACKER_IDENTITY_MISMATCH when the first attempt fails; further
   * attempts go on nevertheless. NOT_A_MEMBER, and what is wrong with the invite: none do.
   */
  connect(request: ConnectRequest, options?: CallOptions): Promise<void>;

  /** Says goodbye to the tracker and stops serving. What is published stays recorded for its session. */
  disconnect(request?: undefined, options?: CallOptions): Promise<void>;

  /**
   * Offers files, once it is known what they hold. Resolves to one outcome per file, in order; one
   * that fails does not keep the others from it. Progress counts bytes that are hashed.
   * @throws CANCELLED: nothing is offered then.
   */
  publish(request: PublishRequest, options?: FetchOptions): Promise<PublishOutcome[]>;

  /**
   * What others offer already of files that are to be published. Files that cannot be published are
   * left out. Progress counts bytes that are hashed, which publishing need not hash again.
   */
  findDuplicates(request: PublishRequest, options?: FetchOptions): Promise<FileDuplicates[]>;

  /**
   * The files that are chosen and those of chosen folders, without what rules leave out. They are kept
   * for `compareSelection` and `publishSelection`, until they are published or others have been chosen.
   * @throws TOO_MANY_FILES, INVALID_ARGUMENT for a glob pattern that is none, CANCELLED.
   */
  findFiles(request: FindFilesRequest, options?: CallOptions): Promise<FileSelection>;

  /** As `findDuplicates`, of all files of a selection. @throws LIST_CHANGED when it is not kept. */
  compareSelection(request: SelectionWish, options?: FetchOptions): Promise<DuplicateSummary>;

  /** As `publish`, of all files of a selection. @throws LIST_CHANGED when it is not kept. */
  publishSelection(request: SelectionWish, options?: FetchOptions): Promise<PublishSummary>;

  /** Takes names back. Those that are not published are passed over. Running uploads of them end. */
  unpublish(request: UnpublishRequest, options?: CallOptions): Promise<void>;

  /**
   * Files or folders were renamed: what is published of them is published under its new name, and the
   * old one is taken back. Resolves to one outcome per published file; one that fails keeps its old
   * name for as long as a missing file does.
   */
  followRenames(request: RenameRequest, options?: FetchOptions): Promise<PublishOutcome[]>;

  /**
   * Fetches one file into `destination`, which appears only when it is whole.
   * @throws NOT_FOUND, AMBIGUOUS_NAME, DESTINATION_EXISTS, PEER_UNREACHABLE, STALLED, DISK_FULL,
   * FOLDER_NOT_WRITABLE, CANCELLED and others of ErrorCode.
   */
  fetch(request: FetchRequest, options?: FetchOptions): Promise<FetchResult>;

  /**
   * Fetches everything below a prefix into a folder, as one transfer. A file that fails keeps no other
   * from arriving; the result says which and why.
   * @throws NOT_FOUND when nothing is offered there, CANCELLED.
   */
  fetchFolder(request: FolderFetchRequest, options?: FetchOptions): Promise<FolderFetchResult>;

  /**
   * A verified copy of a file to look at, of at most MAX_PREVIEW_BYTES: absolute path in a cache that
   * forgets what was not asked for lately. Needs no connection when the content is in it already.
   * @throws LIMIT_EXCEEDED for a larger file, NOT_FOUND, NOT_CONNECTED and what `fetch` throws.
   */
  preview(request: PreviewRequest, options?: FetchOptions): Promise<{ readonly path: string }>;

  /** Ends a transfer that is under way or paused, with CANCELLED; nothing of it stays. */
  cancelTransfer(request: { readonly id: string }, options?: CallOptions): Promise<void>;

  /**
   * Pauses a download that runs or waits for its turn: its connections end at once, every verified
   * piece stays, its turn goes to others, and the call that started it stays pending. One of version
   * 1, which has no pieces, starts anew when it is resumed. Uploads and what has ended are passed
   * over.
   * @throws LIMIT_EXCEEDED when too many are paused.
   */
  pauseTransfer(request: { readonly id: string }, options?: CallOptions): Promise<void>;

  /**
   * Lets a paused download wait for its turn and go on. One of an earlier run is started again, as a new
   * transfer. What is not paused is passed over.
   * @throws what keeps one of an earlier run from being started: NOT_CONNECTED, NOT_FOUND.
   */
  resumeTransfer(request: { readonly id: string }, options?: CallOptions): Promise<void>;

  /**
   * Starts a failed or cancelled download again, as a new transfer with the same request. Resolves
   * when it is started; events tell what becomes of it. Each can be started again once; what cannot
   * is passed over.
   * @throws what keeps it from being started: NOT_CONNECTED, NOT_FOUND, DESTINATION_EXISTS.
   */
  retryTransfer(request: { readonly id: string }, options?: CallOptions): Promise<void>;

  /** Forgets the transfers that have ended. */
  clearTransfers(request?: undefined, options?: CallOptions): Promise<void>;

  /** Makes sure that the index has what everyone offers now. Fires `onDidChangeNetwork` when it changed. */
  refreshNetwork(request?: undefined, options?: CallOptions): Promise<void>;

  /**
   * Whether somebody looks at the network: while true, a tracker of version 1 is asked every few
   * seconds. One of version 2 tells what changes, whether somebody looks or not.
   */
  watchNetwork(request: { readonly watching: boolean }, options?: CallOptions): Promise<void>;

  /** Who is in the session, with files and without, sorted by display name; this peer is left out. */
  networkPeers(request?: undefined, options?: CallOptions): Promise<NetworkPeer[]>;

  /** As `networkPeers`, in pages, and only those with files, or with files that match. */
  networkPeerPage(query: PeerQuery, options?: CallOptions): Promise<NetworkPeerPage>;

  /** Files of others, sorted by name. */
  networkFiles(request: NetworkQuery, options?: CallOptions): Promise<NetworkPage>;

  /** As `networkFiles`, with the same content under the same name as one row, whoever offers it. */
  networkRows(query: NetworkQuery, options?: CallOptions): Promise<NetworkRowPage>;

  /** What lies directly in one folder of what others offer: folders, then files, sorted by name. */
  networkFolder(request: FolderQuery, options?: CallOptions): Promise<NetworkFolderPage>;

  /**
   * How files of this computer compare with what others offer: one answer for each, in order. By path,
   * then by size, then by content, which is read only where the request allows it.
   * @throws CANCELLED.
   */
  compareFiles(request: CompareRequest, options?: CallOptions): Promise<FileComparison[]>;

  /**
   * Files of others that match, by name, asked of the tracker now. It needs no index: for who asks once.
   * @throws NOT_CONNECTED
   */
  searchNetwork(
    query: Pick<NetworkQuery, 'text' | 'limit'>,
    options?: CallOptions,
  ): Promise<NetworkFile[]>;

  /** What one host offers, asked of the tracker now. @throws NOT_FOUND for an unknown host. */
  discover(request: { readonly hostname: string }, options?: CallOptions): Promise<NetworkFile[]>;

  /** Whether the tracker knows this host. */
  ping(request: { readonly hostname: string }, options?: CallOptions): Promise<boolean>;

  /** Everything that a view shows at first; the events say what changes. */
  snapshot(request?: undefined, options?: CallOptions): Promise<PeerSnapshot>;

  /** Changes settings while running; what concerns the listening port holds from the next start. */
  configure(request: Partial<PeerSettings>, options?: CallOptions): Promise<void>;

  /** Ends everything: transfers, listening socket, control connection. May be called twice. */
  stop(request?: undefined, options?: CallOptions): Promise<void>;
}

/**
 * What is made of the keys of teams. Whoever asks keeps what comes of it, and keeps it secret: this side
 * remembers nothing.
 */
export interface TeamKeyApi {
  /** A new identity, which nobody knows yet. */
  createIdentity(request?: undefined, options?: CallOptions): Promise<StoredIdentity>;

  /**
   * A new session, as text to be kept by whoever starts it.
   * @throws INVALID_ARGUMENT for a name that is empty or too long.
   */
  createSession(request: { readonly name: string }, options?: CallOptions): Promise<string>;

  /** The same session with a key that nobody has: invites so far lead nowhere any more. */
  renewSession(request: { readonly record: string }, options?: CallOptions): Promise<string>;

  /** What its tracker is told of a session. @throws INVALID_ARGUMENT for what is no session. */
  describeSession(
    request: { readonly record: string },
    options?: CallOptions,
  ): Promise<SessionDescription>;

  /** The invite to a session whose tracker is found at these addresses, the likeliest first. */
  makeInvite(
    request: { readonly record: string; readonly addresses: readonly HostPort[] },
    options?: CallOptions,
  ): Promise<string>;
}

/** Sessions of teams whose trackers announce themselves in the networks of this machine. */
export interface LanApi {
  /**
   * Whether somebody looks at the sessions that are found: the network is asked for them only then.
   * `onDidChangeFoundSessions` tells which there are. That none is found is never an error.
   */
  watchSessions(request: { readonly watching: boolean }, options?: CallOptions): Promise<void>;

  /** Those whose trackers answer within half a second, whether somebody looks or not. */
  findSessions(request?: undefined, options?: CallOptions): Promise<readonly FoundSession[]>;
}

export interface LanEvents {
  /** All that are found now. What they say of themselves is not proven. */
  readonly onDidChangeFoundSessions: Event<readonly FoundSession[]>;
}

export interface SessionDescription {
  /** Id of the team, no secret. */
  readonly team: string;
  readonly name: string;
  /** What the tracker is started with, as JSON. It holds the tracker's own key, and none of the team. */
  readonly verifier: string;
  /** By which the tracker knows members; no secret. */
  readonly tokenHash: string;
}

export interface PeerEvents {
  readonly onDidChangeConnection: Event<ConnectionState>;
  readonly onDidChangePublished: Event<readonly PublishedFile[]>;
  /** The index of the network changed; ask for the parts that are shown. */
  readonly onDidChangeNetwork: Event<NetworkSummary>;
  /** Running transfers and the last finished ones. At most a few times a second. */
  readonly onDidChangeTransfers: Event<readonly Transfer[]>;
  readonly onDidChangeReachability: Event<Reachability>;
  /** The engine did something by itself that people should hear of. */
  readonly onDidNotice: Event<Notice>;
}

/**
 * Whether others reach the port of this peer, as the tracker has tried: `unknown` when it has not, as
 * before anything is published, or where another address is advertised than the tracker sees.
 */
export type Reachability = 'unknown' | 'reachable' | 'unreachable';

export type Notice =
  /** The files of these names are gone, and so the names are not offered any more. */
  | { readonly kind: 'unpublishedMissing'; readonly names: readonly string[] }
  /** Somebody else has a hostname now, or says so: what they offer is not shown. */
  | { readonly kind: 'identityChanged'; readonly hostname: string };

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface FetchOptions extends CallOptions {
  /** At most a few times a second. */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

export interface TransferProgress {
  readonly bytes: number;
  readonly totalBytes: number;
}

export type ConnectRequest = OpenConnectRequest | TeamConnectRequest;

/** To an open session: nothing is encrypted, and nobody knows who is there. */
export interface OpenConnectRequest {
  readonly tracker: HostPort;
}

/** To the session of a team. Both members are secrets. */
export interface TeamConnectRequest {
  /** A text with an invite in it, in either spelling. */
  readonly invite: string;
  /** Who this user is. */
  readonly identity: StoredIdentity;
}

export interface PublishRequest {
  readonly files: readonly {
    /** Absolute path of the file where it lies; it is not copied. */
    readonly path: string;
    /** The name that others see: `/` between its parts. Normalized and checked. */
    readonly name: string;
    /** Folder that must contain the file's real path, if any must. */
    readonly folder?: string | undefined;
    /** Offered until this session ends: the next start does not offer it again. */
    readonly forSession?: boolean | undefined;
  }[];
}

export interface PublishOutcome {
  readonly name: string;
  /** Undefined when published. */
  readonly error: PlainError | undefined;
}

export interface FileDuplicates {
  readonly name: string;
  /** The first of those who offer the same content, under whatever name. */
  readonly sameContent: readonly {
    readonly hostname: string;
    readonly displayName: string;
    readonly name: string;
  }[];
  /** The first of those who offer other content under this name. */
  readonly sameName: readonly {
    readonly hostname: string;
    readonly displayName: string;
    readonly sizeBytes: number;
    readonly modifiedMs: number;
    /** Whether the content is known to be other; else only size or time are. */
    readonly certain: boolean;
  }[];
}

export interface FindFilesRequest {
  readonly places: readonly {
    /** Absolute path of a file or folder. */
    readonly path: string;
    /** Published name of the file; of a folder, what the names of its files begin with, or empty. */
    readonly name: string;
    /** Workspace folder: must contain the real paths, and its rules hold. */
    readonly folder?: string | undefined;
    /** Glob patterns for paths relative to `folder`, of what is left out of folders. */
    readonly exclude?: readonly string[] | undefined;
    /** Absolute paths of folders that are left out of others. */
    readonly leaveOut?: readonly string[] | undefined;
  }[];
}

/** What was found, without naming all of it. */
export interface FileSelection {
  readonly id: string;
  readonly files: number;
  readonly totalBytes: number;
  /** The first ones, by name. */
  readonly names: readonly string[];
  /** Files whose names say that nobody should see them. */
  readonly secrets: number;
  readonly secretNames: readonly string[];
}

export interface SelectionWish {
  readonly id: string;
  /** Whether the files that look like secrets are meant, too. */
  readonly withSecrets: boolean;
  /** As that of a file that is published. */
  readonly forSession?: boolean | undefined;
}

export interface DuplicateSummary {
  /** Files that were compared. */
  readonly files: number;
  /** Those of them that others offer already, or under whose name others offer something else. */
  readonly count: number;
  readonly first: readonly FileDuplicates[];
}

export interface PublishSummary {
  readonly published: number;
  /** The first ones of them. */
  readonly names: readonly string[];
  /** The tracker has not taken them all yet. */
  readonly isPending: boolean;
  readonly failedCount: number;
  /** The first thousand of them: files, and folders that could not be read. */
  readonly failed: readonly { readonly name: string; readonly error: PlainError }[];
}

export interface UnpublishRequest {
  readonly names: readonly string[];
}

export interface FileRename {
  /** Absolute path that the file or folder had. */
  readonly from: string;
  readonly to: string;
  /** Published name of what lies at `to`; of a folder, what the names of its files begin with. */
  readonly name: string;
  /** Folder that must contain the real paths of the files, if any must. */
  readonly folder?: string | undefined;
}

export interface RenameRequest {
  readonly renames: readonly FileRename[];
}

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
  readonly displayName: string;
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
  /** The publisher to fetch from; without it any, and names with different content fail. */
  readonly hostname?: string | undefined;
  /** Absolute path of the folder that gets what is behind the prefix; made when missing. */
  readonly destination: string;
  /** Folder that must contain the real path of every file, if any must. */
  readonly folder?: string | undefined;
  /** What to do where other content is in the way. */
  readonly ifExists: FetchRequest['ifExists'];
  /**
   * The destination as seen from the workspace folder (`/` between its parts). When it is given, files
   * that could make programs run at their places fail with RISKY_PLACE.
   */
  readonly guardedAs?: string | undefined;
}

export interface FolderFetchResult {
  readonly path: string;
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

export type ConnectionState =
  | {
      readonly kind: 'disconnected';
      /** Why it ended for good although nobody wished for it: another window took its place. */
      readonly error?: PlainError;
    }
  | ({ readonly kind: 'connecting'; readonly tracker: HostPort } & SessionKind)
  | ({
      readonly kind: 'connected';
      readonly tracker: HostPort;
      /** The name under which this peer is or would be registered. */
      readonly hostname: string;
      /** Why nothing can be offered although there is a connection: no port is free, for example. */
      readonly problem?: PlainError;
    } & SessionKind)
  | ({
      /** The connection failed; the next attempt is due at `retryAtMs` (epoch). */
      readonly kind: 'waiting';
      readonly tracker: HostPort;
      readonly retryAtMs: number;
      readonly error: PlainError;
    } & SessionKind);

interface SessionKind {
  /** Name of the team's session; an open one has none. */
  readonly team?: string;
}

export interface PublishedFile {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly publishedAtMs: number;
  /** `pending`: the tracker has not taken it yet. `missing`: the file is gone from its place. */
  readonly state: 'offered' | 'pending' | 'missing' | 'changed';
  /** Running uploads. */
  readonly uploads: number;
  /** The next start does not offer it again. */
  readonly forSession: boolean;
}

export interface NetworkPeer {
  readonly hostname: string;
  readonly displayName: string;
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

export interface NetworkFile {
  readonly name: string;
  readonly hostname: string;
  readonly displayName: string;
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
export interface NetworkRow extends Omit<NetworkFile, 'hostname' | 'displayName'> {
  /** At least one; of peers that do not say what the content is, only one. */
  readonly sources: readonly {
    readonly hostname: string;
    readonly displayName: string;
    readonly state: NetworkPeer['state'];
    /** How long it has been away, when it is. */
    readonly awayForMs?: number;
  }[];
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

export interface Transfer {
  readonly id: string;
  readonly direction: 'upload' | 'download';
  readonly name: string;
  /** Display name of the publisher, or the address of the one that fetches. */
  readonly peer: string;
  readonly bytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  readonly startedAtMs: number;
  /** `waiting`: for its turn, as only so many run at once. */
  readonly state: 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';
  readonly error: PlainError | undefined;
  readonly kind: 'file' | 'folder';
  /** Display names of who has sent parts of a download. */
  readonly sources: readonly string[];
  /** Absolute path that a download goes to; when it is done, where it is. */
  readonly path: string | undefined;
  /** Whether `retryTransfer` would start it again. */
  readonly canRetry: boolean;
}

export interface PeerSnapshot {
  readonly connection: ConnectionState;
  /** Where others fetch from this peer; undefined before anything is published. */
  readonly serving: HostPort | undefined;
  readonly reachability: Reachability;
  readonly published: readonly PublishedFile[];
  readonly network: NetworkSummary;
  readonly transfers: readonly Transfer[];
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface PeerSettings {
  /** Wished hostname; `-2`, `-3` … follows when the tracker has it already. */
  readonly hostname: string;
  readonly displayName: string;
  /** Ports to listen on; `{first: 0, last: 0}` lets the system choose. */
  readonly ports: PortRange;
  /** Address that others are told; empty: the one that the tracker sees. */
  readonly advertiseAddress: string;
  /** Address to listen on; empty: loopback when the tracker is on this machine, else all. */
  readonly listenHost: string;
  /** Uploads at the same time; more wait or are refused until one ends. */
  readonly maxUploads: number;
  /** All uploads together; 0 or nothing is no limit. */
  readonly maxUploadBytesPerSecond?: number | undefined;
  /** All downloads together; 0 or nothing is no limit. */
  readonly maxDownloadBytesPerSecond?: number | undefined;
  /** Publishes a published file again, under its name, when it has changed. */
  readonly autoRepublish?: boolean | undefined;
}

/** What the engine worker is started with. */
export interface EngineOptions {
  /** Folder for what outlives the window: published files, leftovers, hashes. */
  readonly storageFolder: string;
  /** Whether published files are offered again after a restart; the command line does not. */
  readonly keepCatalogue: boolean;
  /**
   * Whether others see this peer in a session before it has published anything, where the tracker
   * speaks version 2. Who only looks is not seen.
   */
  readonly presence?: boolean | undefined;
  /**
   * Whether what others offer is asked for by `refreshNetwork` only. Otherwise the index is kept up to
   * date from the first connection on.
   */
  readonly lazyNetwork?: boolean | undefined;
  /** What tells this window from others: an engine that starts again takes its own place back. */
  readonly windowId: string;
  /** Bundle of the hash worker. */
  readonly hashWorker: string;
  /** Where sessions are looked for in the network; tests have a place of their own. */
  readonly lan?: { readonly port: number; readonly addresses: readonly string[] } | undefined;
  readonly settings: PeerSettings;
}
