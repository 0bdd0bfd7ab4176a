/**
 * Every limit of the wire, once, with its reason. docs/PROTOCOL.md repeats them as a table and says
 * what happens at each; a test keeps the two together.
 */

/** Longest hostname, display name or file name: several path components of 255 bytes, and room. */
export const MAX_NAME_BYTES = 1_024;

/** Longest part of a name that is published: no common file system takes a longer file name. */
export const MAX_NAME_PART_BYTES = 255;

/**
 * Longest line of the control conversation. A tracker keeps at most this much of an unfinished line
 * per connection; clients put what does not fit into REGISTER into PUBLISH lines of their own.
 */
export const MAX_CONTROL_LINE_BYTES = 4 * 1024 * 1024;

/**
 * Longest reply that a client reads. LIST of version 1 has no pages: 100,000 files of 250 bytes
 * each are 25 MB, and a larger network needs version 2.
 */
export const MAX_CONTROL_REPLY_BYTES = 64 * 1024 * 1024;

/** A client keeps a REGISTER line below this and publishes the remaining files by PUBLISH. */
export const MAX_REGISTER_BYTES = 1024 * 1024;

/** Longest request line of a version 1 transfer: `GET `, the longest name, `\r\n`, and room. */
export const MAX_TRANSFER_LINE_BYTES = 2_048;

/**
 * Longest HTTP request line that a transfer connection may start with: the longest name with every
 * byte percent-encoded, and room. Later request lines only count as a part of their head.
 */
export const MAX_HTTP_LINE_BYTES = 4_096;

/** Longest head of an HTTP request, request line included: twice what the longest name takes. */
export const MAX_HTTP_HEAD_BYTES = 8 * 1024;

/** Requests of one connection that wait for earlier answers: they were read from one chunk. */
export const MAX_PIPELINED_REQUESTS = 128;

/**
 * Unfinished requests that a peer holds of all its connections together: first lines, bodies, and requests
 * that wait behind another one. Twice what all outsiders of a team session can hold, as a body that is not
 * a member's is a statement of at most `MAX_OUTSIDER_BODY_BYTES`: they keep no member out.
 */
export const MAX_UNFINISHED_INPUT_BYTES = 16 * 1024 * 1024;

/** Longest body before membership is proven that counts as other unfinished requests do. */
export const MAX_OUTSIDER_BODY_BYTES = 16 * 1024;

/**
 * Longer statements of outsiders that a peer reads at the same time, all together: four of the longest, or
 * a dozen with a thousand removals. Whoever is of an earlier epoch hears of its end by them only.
 */
export const MAX_OUTSIDER_STATEMENT_BYTES = 2 * 1024 * 1024;

/** Objects of one batch: their ids fit into `MAX_BATCH_BODY_BYTES`. */
export const MAX_BATCH_OBJECTS = 1_000;

/** Largest object of a batch: it is read whole before its line is written. One block of hashing. */
export const MAX_BATCH_OBJECT_BYTES = 1024 * 1024;

/** Largest body of a batch request: 1,000 content ids of small objects take 73 KB. */
export const MAX_BATCH_BODY_BYTES = 128 * 1024;

/** Time from the first byte of a request to its last one. */
export const REQUEST_DEADLINE_MS = 10_000;

/** Time without a request after which a peer closes a connection. */
export const KEEP_ALIVE_MS = 30_000;

/** Time that a request waits for its turn; then the fetcher may try elsewhere. */
export const MAX_QUEUE_MS = 30_000;

/** Transfer connections of a peer, those that have not asked for anything included. */
export const MAX_TRANSFER_CONNECTIONS = 512;

/** Transfer connections from one address: one machine cannot take all of them. */
export const MAX_TRANSFER_CONNECTIONS_PER_ADDRESS = 64;

/** Uploads by version 2 to one address at the same time: more would not be faster. */
export const MAX_UPLOADS_PER_ADDRESS = 4;

/** Requests of version 2 that wait for their turn, of all addresses. */
export const MAX_WAITING_REQUESTS = 1_000;

/** Hosts or files taken from one reply; more are dropped and counted in the log. */
export const MAX_REPLY_ENTRIES = 250_000;

/** Hosts taken from one answer to REQUEST: a fetch needs a few, a hostile tracker names a million. */
export const MAX_SOURCES = 1_000;

/** Files in one PUBLISH or UNPUBLISH of version 2, and content ids in one LOCATE. */
export const MAX_PUBLISH_ENTRIES = 1_000;

/** Hosts that LOCATE names for one content id: more would not make a fetch faster. */
export const MAX_LOCATED_HOSTS = 100;

/** Hosts and files of one page of LIST, SEARCH and SUBSCRIBE: about 250 KB, a few milliseconds of work. */
export const MAX_PAGE_ENTRIES = 1_000;

/** Hosts and files of one `changes` event, for the same reason. */
export const MAX_CHANGES = 1_000;

/** Longest query of SEARCH, in UTF-16 units: nobody types more. */
export const MAX_QUERY_CHARACTERS = 256;

/** Longest cursor, which only its tracker understands. */
export const MAX_CURSOR_CHARACTERS = 64;

/** Longest `id` of a request that is a string, in UTF-16 units. */
export const MAX_REQUEST_ID_LENGTH = 64;

/** Largest file: 8 TiB. Its piece layer has as many hashes as that of any other. */
export const MAX_FILE_BYTES = 8 * 1024 ** 4;

/** Port of a tracker when none is named. */
export const DEFAULT_TRACKER_PORT = 9_000;

/** Ports of a peer when none is named, as the original system has them. */
export const DEFAULT_PEER_PORTS = { first: 6_000, last: 7_000 } as const;

/** A peer without user or network activity for this long is idle. */
export const IDLE_THRESHOLD_MS = 300_000;

/** Uploads at the same time when nothing else is said. */
export const DEFAULT_MAX_UPLOADS = 16;

/** Time between heartbeats by state: idle saves the network, busy shows a transfer's life soon. */
export const HEARTBEAT_INTERVALS_MS = { idle: 300_000, active: 60_000, busy: 30_000 } as const;

/** Intervals that a peer takes from a tracker; others are passed over, as no tracker is trusted. */
export const HEARTBEAT_RANGE_MS = { min: 1_000, max: 3_600_000 } as const;

/** A tracker removes a host after this much silence: four idle heartbeats. */
export const HOST_EXPIRY_MS = 1_200_000;

/** Longest name of a session, in bytes of UTF-8: it stands in status bars, and invites are short. */
export const MAX_SESSION_NAME_BYTES = 64;

/** Owners of one team: an invite carries the keys of all. */
export const MAX_OWNERS = 8;

/** Identities of one list of a statement: removals stay for as long as the team. */
export const MAX_STATEMENT_IDENTITIES = 1_000;

/** A statement issued further ahead than this removes, but nobody is served until clocks agree. */
export const MAX_ISSUED_AHEAD_MS = 24 * 3_600_000;

/** Longest text of a statement: three lists as long as they may be, and room. */
export const MAX_STATEMENT_CHARACTERS = 256 * 1024;

/** Longest body with a statement: its text with each quotation mark escaped, and room for the charter. */
export const MAX_STATEMENT_BODY_BYTES = 2 * MAX_STATEMENT_CHARACTERS + 4 * 1024;

/** Trackers of one session: one, and others to move to. */
export const MAX_TRACKERS = 4;

/** Addresses of one invite: a tracker's machine has a few networks, each with IPv4 and IPv6. */
export const MAX_INVITE_ADDRESSES = 8;

/** Longest invite without its beginning: eight owners, the longest name and one address fit. */
export const MAX_INVITE_CHARACTERS = 800;

/** How far into a pasted text or a file an invite is looked for. */
export const MAX_INVITE_TEXT_CHARACTERS = 64 * 1024;

/** Largest certificate of an identity, as DER: a self-signed one of P-256 takes about 300 bytes. */
export const MAX_CERTIFICATE_BYTES = 2_048;

/** Longest text of a host record: three names of 1,024 bytes, each byte escaped, and room. */
export const MAX_HOST_RECORD_CHARACTERS = 20_000;

/** A host record older than this, or as far in the future, counts for nothing: three missed renewals and room for clocks that differ. */
export const HOST_RECORD_LIFETIME_MS = 3_600_000;

/** Longest note of an entry, in UTF-16 units: a line or two. */
export const MAX_NOTE_CHARACTERS = 500;

/**
 * Longest text of a signed entry: two names of 1,024 bytes and a note, all that JSON escapes in them
 * escaped, and room. A tracker keeps it for each file of a host.
 */
export const MAX_ENTRY_CHARACTERS = 8_000;

/** Longest answer with entries that a fetcher reads: those of 500 names with hostnames of 1,024 bytes. */
export const MAX_ENTRIES_REPLY_BYTES = 4 * 1024 * 1024;

/** Longest time for which an announcement holds, in seconds, as RFC 6762 has it for such records. */
export const MAX_ANNOUNCEMENT_TTL_S = 120;

/** Longest packet of an announcement or a question that is read: one frame of Ethernet. */
export const MAX_ANNOUNCEMENT_BYTES = 1_500;

/** Records of one packet that are looked at: an announcement has four, and one for each address. */
export const MAX_ANNOUNCEMENT_RECORDS = 64;

/** Addresses of this machine's networks at which a tracker is announced and looked for. */
export const MAX_ANNOUNCED_ADDRESSES = 8;
