import type { Event } from '../common/events';
import type { HostPort } from '../protocol/address';
import type { FoundSession } from '../protocol/announcement';
import type { StoredIdentity } from './identity/identity';
import type {
  DuplicateSummary,
  FileDuplicates,
  FileSelection,
  FindFilesRequest,
  PublishOutcome,
  PublishRequest,
  PublishSummary,
  PublishedFile,
  RenameRequest,
  SelectionWish,
  UnpublishRequest,
} from './api/publishing';
import type {
  FetchRequest,
  FetchResult,
  FolderFetchRequest,
  FolderFetchResult,
  PreviewRequest,
  StartedTransfer,
  Transfer,
} from './api/fetching';
import type {
  CompareRequest,
  FileComparison,
  FolderQuery,
  NetworkFile,
  NetworkFolderPage,
  NetworkPage,
  NetworkPeer,
  NetworkPeerPage,
  NetworkQuery,
  NetworkRowPage,
  NetworkSummary,
  PeerQuery,
} from './api/network';
import type {
  ConnectRequest,
  ConnectionState,
  KnownMember,
  Notice,
  Reachability,
  SessionDescription,
} from './api/session';
import type { CallOptions, FetchOptions } from './api/calls';
import type { PeerSettings } from './api/settings';

export * from './api/publishing';
export * from './api/fetching';
export * from './api/network';
export * from './api/session';
export * from './api/calls';
export * from './api/settings';

/**
 * What the editor and the command line can ask of the engine, as plain data: the same calls work in
 * process and over the engine worker's message port. Every call is `(request, options)`.
 */
export interface PeerApi {
  /**
   * Joins a session and stays in it until `disconnect`: reconnects by itself and offers again what was
   * published in this session. Resolves at the first success.
   * @throws TRACKER_UNREACHABLE or TRACKER_IDENTITY_MISMATCH when the first attempt fails; further
   * attempts go on nevertheless. INVITE_OUTDATED, MEMBER_REMOVED, and what is wrong with the invite:
   * none do.
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
   * @throws NOT_FOUND when nothing is offered there, AMBIGUOUS_FOLDER when several people offer different
   * files there and none of them was named, CANCELLED.
   */
  fetchFolder(request: FolderFetchRequest, options?: FetchOptions): Promise<FolderFetchResult>;

  /**
   * A verified copy of a file to look at, of at most MAX_PREVIEW_BYTES: absolute path in a cache that
   * forgets what was not asked for lately. Needs no connection when the content is in it already.
   * @throws FILE_TOO_LARGE for a larger file, NOT_FOUND, NOT_CONNECTED and what `fetch` throws.
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
  resumeTransfer(request: { readonly id: string }, options?: CallOptions): Promise<StartedTransfer>;

  /**
   * Starts a failed or cancelled download again, as a new transfer with the same request. Resolves
   * when it is started; events tell what becomes of it. Each can be started again once; what cannot
   * is passed over.
   * @throws what keeps it from being started: NOT_CONNECTED, NOT_FOUND, DESTINATION_EXISTS.
   */
  retryTransfer(request: { readonly id: string }, options?: CallOptions): Promise<StartedTransfer>;

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

  /** Members of the team that this user knows of, also those who are away; none in an open session. */
  members(request?: undefined, options?: CallOptions): Promise<readonly KnownMember[]>;

  /** Whether the tracker knows this host. */
  ping(request: { readonly hostname: string }, options?: CallOptions): Promise<boolean>;

  /** Everything that a view shows at first; the events say what changes. */
  /** Number of files that are offered again as soon as the session of a team is joined. */
  countKept(request: { readonly team: string }, options?: CallOptions): Promise<number>;

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

  /**
   * The same session in its next epoch, without some of its members. Those who stay go on by envelopes.
   * @param request.members those who get the new key, the most trusted first; one without a sealing point
   * needs a new invite.
   */
  removeMembers(
    request: {
      readonly record: string;
      readonly removed: readonly string[];
      readonly members: readonly Pick<KnownMember, 'identity' | 'sealingPoint'>[];
    },
    options?: CallOptions,
  ): Promise<string>;

  /** The same session with a lease that begins now. */
  renewLease(request: { readonly record: string }, options?: CallOptions): Promise<string>;

  /** The same session with a key that nobody has: invites so far lead nowhere any more. */
  renewSession(request: { readonly record: string }, options?: CallOptions): Promise<string>;

  /**
   * The session in line with what its tracker has heard, which is asked before anything is signed: another
   * owner, or another copy of this one's key, may have gone on since. The result is kept, and its statement
   * brought, by the caller.
   * @param request.identity of this owner as a member: to it the key of another owner's epoch is sealed.
   * @throws OWNER_WITHDRAWN; TRACKER_UNREACHABLE.
   */
  synchroniseSession(
    request: {
      readonly record: string;
      readonly addresses: readonly HostPort[];
      readonly identity: StoredIdentity;
    },
    options?: CallOptions,
  ): Promise<string>;

  /**
   * Brings the statement of a session to its tracker. To do it again changes nothing.
   * @throws OWNER_BEHIND when another owner has signed a later one; TRACKER_UNREACHABLE.
   */
  bringStatement(
    request: { readonly record: string; readonly addresses: readonly HostPort[] },
    options?: CallOptions,
  ): Promise<void>;

  /** What its tracker is told of a session. @throws INVALID_ARGUMENT for what is no session. */
  describeSession(
    request: { readonly record: string },
    options?: CallOptions,
  ): Promise<SessionDescription>;

  /**
   * The invite to a session whose tracker is found at these addresses, the likeliest first.
   * `expiresMs` (epoch) is its end; without it the invite lasts as long as its epoch.
   */
  makeInvite(
    request: {
      readonly record: string;
      readonly addresses: readonly HostPort[];
      readonly expiresMs?: number;
    },
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

export interface PeerSnapshot {
  readonly connection: ConnectionState;
  /** Where others fetch from this peer; undefined before anything is published. */
  readonly serving: HostPort | undefined;
  readonly reachability: Reachability;
  /** Of this user, in full; only a team's session has identities. */
  readonly ownIdentity?: string | undefined;
  /** Whether the invite of this session still lets somebody in: a removal makes it worthless. */
  readonly isInviteCurrent?: boolean | undefined;
  readonly published: readonly PublishedFile[];
  readonly network: NetworkSummary;
  readonly transfers: readonly Transfer[];
}
