import {
  HEARTBEAT_INTERVALS_MS,
  HOST_EXPIRY_MS,
  HOST_RECORD_LIFETIME_MS,
  MAX_CONTROL_LINE_BYTES,
  MAX_CONTROL_REPLY_BYTES,
  MAX_REPLY_ENTRIES,
} from '../protocol/limits';

/** What one tracker allows. docs/PROTOCOL.md says what happens at each limit. */
export interface TrackerLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxInputBytes: number;
  readonly maxOutputBytes: number;
  readonly maxLineBytes: number;
  readonly maxFilesPerHost: number;
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  readonly maxUnreadBytes: number;
  readonly unreadSeconds: number;
  readonly idleSeconds: number;
  readonly expirySeconds: number;
  readonly heartbeatIdleSeconds: number;
  readonly heartbeatActiveSeconds: number;
  readonly heartbeatBusySeconds: number;
}

export type LimitName = keyof TrackerLimits;

export interface LimitSpec {
  readonly name: LimitName;
  /** The option of the command line that sets it. */
  readonly flag: string;
  readonly defaultValue: number;
  /** For the help of the command line. */
  readonly description: string;
}

export const LIMIT_SPECS: readonly LimitSpec[] = [
  {
    name: 'maxConnections',
    flag: '--max-connections',
    // Half of the 20,000 descriptors that a process commonly gets, and 100 classrooms.
    defaultValue: 10_000,
    description: 'control connections at the same time',
  },
  {
    name: 'maxConnectionsPerAddress',
    flag: '--max-connections-per-address',
    // A campus behind one address has that many windows; whoever takes all of them leaves half of the
    // places to everybody else.
    defaultValue: 5_000,
    description: 'control connections from one IPv4 address or one /64 of IPv6',
  },
  {
    name: 'maxInputBytes',
    flag: '--max-input-bytes',
    // 64 of the longest lines under way at once, or 200 peers that register very much.
    defaultValue: 256 * 1024 * 1024,
    description: 'requests of all connections that are not complete or not answered, in bytes',
  },
  {
    name: 'maxOutputBytes',
    flag: '--max-output-bytes',
    // Four of the longest replies; a common page of a list has a thousandth of it.
    defaultValue: 256 * 1024 * 1024,
    description: 'replies of all connections that wait for their clients to read them, in bytes',
  },
  {
    name: 'maxLineBytes',
    flag: '--max-line-bytes',
    defaultValue: MAX_CONTROL_LINE_BYTES,
    description: 'longest request line in bytes',
  },
  {
    name: 'maxFilesPerHost',
    flag: '--max-files-per-host',
    // Ten times a large project; with its places in the indexes a file takes 1.1 KB of memory, and
    // 1.6 KB in a team session, where it is signed: a host takes 160 MB. What longer texts take more is
    // limited by the budget of the registry.
    defaultValue: 100_000,
    description: 'files of one host, those that are not published any more included',
  },
  {
    name: 'requestsPerSecond',
    flag: '--requests-per-second',
    // No honest client comes near for long, and it takes more than ten of them to fill one core.
    defaultValue: 5_000,
    description: 'requests of one connection per second, on average',
  },
  {
    name: 'requestBurst',
    flag: '--request-burst',
    // A peer that comes back offers a folder of 10,000 files again in one go.
    defaultValue: 15_000,
    description: 'requests that one connection may send at once',
  },
  {
    name: 'maxUnreadBytes',
    flag: '--max-unread-bytes',
    // Many times what is in flight on a fast network, and small beside one reply to LIST.
    defaultValue: 1024 * 1024,
    description: 'replies waiting for one client before its requests wait too',
  },
  {
    name: 'unreadSeconds',
    flag: '--unread-seconds',
    // As long as a peer waits for a reply, twice.
    defaultValue: 30,
    description: 'seconds after which a client that does not read its replies is dropped',
  },
  {
    name: 'idleSeconds',
    flag: '--idle-seconds',
    // Two heartbeats of an idle peer and a minute: who only looks pings too.
    defaultValue: 660,
    description: 'seconds of silence after which a connection without a registered host is dropped',
  },
  {
    name: 'expirySeconds',
    flag: '--expiry-seconds',
    defaultValue: HOST_EXPIRY_MS / 1_000,
    description: 'seconds of silence after which a host is removed',
  },
  {
    name: 'heartbeatIdleSeconds',
    flag: '--heartbeat-idle-seconds',
    defaultValue: HEARTBEAT_INTERVALS_MS.idle / 1_000,
    description: 'seconds between the heartbeats of a peer that is idle',
  },
  {
    name: 'heartbeatActiveSeconds',
    flag: '--heartbeat-active-seconds',
    defaultValue: HEARTBEAT_INTERVALS_MS.active / 1_000,
    description: 'seconds between the heartbeats of a peer that is used',
  },
  {
    name: 'heartbeatBusySeconds',
    flag: '--heartbeat-busy-seconds',
    defaultValue: HEARTBEAT_INTERVALS_MS.busy / 1_000,
    description: 'seconds between the heartbeats of a peer with transfers',
  },
];

export const DEFAULT_TRACKER_LIMITS: TrackerLimits = Object.freeze(
  Object.fromEntries(LIMIT_SPECS.map(({ name, defaultValue }) => [name, defaultValue])) as Record<
    LimitName,
    number
  >,
);

/**
 * Part of the heap that the registry may take, as its entries are counted: 820 MB of the 2 GB that Node
 * takes on a common machine, some 270,000 signed files. The rest is for requests and replies under way,
 * and for what the garbage collector needs to work.
 */
export const REGISTRY_HEAP_SHARE = 0.4;

/**
 * Part of the registry that is kept for the fixed parts of accounts: some 64 identities with 1,000 signed
 * files each on a common machine, whatever the others take.
 */
export const RESERVED_SHARE = 1 / 4;

/** Memory of the registry that an account may take. */
export interface AccountShare {
  /** Most that it may hold, as a multiple of what then is free and not reserved. */
  readonly ofFree: number;
  /** Part of the whole registry up to which it may always grow while there is anything free. */
  readonly fixed: number;
}

/**
 * Share of one identity of a team. One alone gets three eighths of the registry: on a common machine a
 * host with as many signed files as it may have. Behind others that take as much as they can, it gets half
 * of what they leave, or its fixed part. An account that has more, as others came later, keeps it.
 */
export const IDENTITY_SHARE: AccountShare = { ofFree: 1, fixed: 1 / 256 };

/**
 * Share of one address (or /64 of IPv6) of a team's session, whatever identities come from there. A member
 * can make as many as it likes, and an office shares one address: it gets three quarters of what is not
 * reserved when it is alone, and half of what is.
 */
export const TEAM_ADDRESS_SHARE: AccountShare = { ofFree: 3, fixed: RESERVED_SHARE / 2 };

/** Share of one address of an open session, where there are no identities. */
export const ADDRESS_SHARE: AccountShare = { ofFree: 1, fixed: 1 / 64 };

/**
 * Costs are counted in whole steps, so that an entry that is a few characters longer than the one that it
 * replaces takes no more: a publisher that may not grow still tells its changes.
 */
export const COST_STEP_BYTES = 512;

/**
 * Cost of a file beside its texts: 1.1 KB with its places in the indexes, 300 bytes in replies to LIST and
 * DISCOVER, and the replies to REQUEST (of two versions) and LOCATE that are kept with it.
 */
export const FILE_OVERHEAD_BYTES = 2_304;

/** A reply to REQUEST is kept while it has at most this many characters for each host in it. */
export const MAX_KEPT_REPLY_CHARACTERS = 300;

/** The same for a list of LOCATE. */
export const MAX_KEPT_LOCATION_CHARACTERS = 200;

/** Cost of a host beside its texts. */
export const HOST_OVERHEAD_BYTES = 8 * 1024;

/** Time between two looks for hosts and connections that have been silent for too long. */
export const SWEEP_INTERVAL_MS = 30_000;

/** Silence after which another connection may take a hostname over: two idle heartbeats and a minute. */
export const TAKEOVER_SILENCE_MS = 660_000;

/** Time that a client has to take the last reply and close, before its socket is destroyed. */
export const CLOSE_DEADLINE_MS = 1_000;

/** Changes are collected for this long before subscribers hear of them: nobody sees the difference. */
export const CHANGE_DELAY_MS = 50;

/** … or for this many times as long as telling the last ones took, so that a fifth of a core does it. */
export const CHANGE_REST_FACTOR = 4;

/**
 * Changed files that wait to be told. A host that registers other files again and again makes more than
 * are told meanwhile; as many as a client keeps of the whole network are told sooner by beginning anew.
 */
export const MAX_PENDING_CHANGES = MAX_REPLY_ENTRIES;

/**
 * Names of hosts and files that wait to be told, in bytes: the registry may have forgotten them. As many
 * as `MAX_PENDING_CHANGES` with common names.
 */
export const MAX_PENDING_CHANGE_BYTES = 32 * 1024 * 1024;

/** Cost of a name that waits, beside its characters. */
export const PENDING_NAME_BYTES = 64;

/** Events written in one go: 5,000 changes, a few milliseconds. */
export const MAX_EVENTS_AT_ONCE = 5;

/** Events kept for the slowest subscriber: about 30,000 changes. Whoever needs older ones begins anew. */
export const MAX_CHANGE_LOG_BYTES = 8 * 1024 * 1024;

/** A search that takes longer goes on in the next turn, so that others are answered meanwhile. */
export const SEARCH_SLICE_MS = 5;

/** Subscribers get a renewed host record this often: a third of its life, for any number of renewals. */
export const RECORD_PUSH_INTERVAL_MS = HOST_RECORD_LIFETIME_MS / 3;

/** First probe of a connection without traffic: a peer whose machine is gone frees its hostname. */
export const KEEP_ALIVE_DELAY_MS = 60_000;

/** Longest reply of version 2: clients read no longer line. With room for what is put in front of it. */
export const MAX_REPLY_CHARACTERS = MAX_CONTROL_REPLY_BYTES - 1_024;

/**
 * A page of LIST, SEARCH or SUBSCRIBE that gets longer than this ends early: ten times what is common.
 * Without it, a few hosts with records as long as they may be would make it longer than clients read.
 */
export const MAX_PAGE_CHARACTERS = 4 * 1024 * 1024;

/** Refused connections that may still be waiting for their ERROR line; more are dropped without one. */
export const MAX_REFUSALS = 100;

/** Time that a connection to a team's session has for its handshake and a HELLO with the token. */
export const ADMISSION_DEADLINE_MS = 10_000;

/**
 * Longest line of a connection to a team's session that is neither a member's nor an owner's: a
 * STATEMENT that brings back what the tracker has lost. All that may be there hold 16 MiB together.
 */
export const MAX_HELLO_BYTES = 16 * 1024;

/** Connections that have not shown the token yet; at the limit, the oldest makes room. */
export const MAX_PENDING_CONNECTIONS = 1_000;

/** Hostnames of one identity: several windows on several machines. */
export const MAX_HOSTNAMES_PER_IDENTITY = 16;

/** Hostnames whose owners are remembered: ten times as many as connections. */
export const MAX_BINDINGS = 100_000;

/**
 * Part of the heap that they may take with what writing them to their file takes: 63 MB of 2 GB, as many
 * as `MAX_BINDINGS` with common names.
 */
export const BINDINGS_HEAP_SHARE = 0.03;

/** Cost of a hostname that is remembered, beside its text: its places, its times, and in its file. */
export const BINDING_OVERHEAD_BYTES = 512;

/** A hostname that was used over a day makes no room for others before it lapses. */
export const BINDING_ESTABLISHED_MS = 24 * 3_600_000;

/** A hostname that its owner has not used for this long may become somebody else's. */
export const BINDING_LIFETIME_MS = 30 * 24 * 3_600_000;

/** Time that a peer has to accept the connection by which is tried whether others reach it. */
export const DIAL_BACK_DEADLINE_MS = 5_000;

/** Such connections at once: with none accepted, a classroom is through in half a minute. */
export const MAX_DIALS_BACK = 32;

/** Peers that wait for theirs, as after a restart; of more than that nothing is found out. */
export const MAX_WAITING_DIALS_BACK = 1_000;

/** Such connections for one control connection: a peer that is set up anew, not one that looks for ports. */
export const DIALS_BACK_PER_MINUTE = 3;
