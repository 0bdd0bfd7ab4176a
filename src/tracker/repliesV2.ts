import { CONTROL_REASONS } from '../protocol/controlReasons';
import type { EntryRefusal } from '../protocol/controlRequestsV2';
import type { Envelope } from '../protocol/envelope';
import { MAX_PUBLISH_ENTRIES } from '../protocol/limits';
import type { FileMetadata } from '../protocol/controlRequests';
import type { RequestId } from '../protocol/controlRequestsV2';
import { MAX_REPLY_CHARACTERS, type TrackerLimits } from './limits';
import { errorReply, type HostFacts, json, type PublishedMetadata } from './replies';

/**
 * Replies of version 2, whole lines of ASCII as those of version 1. They lack `id` and `now`, which
 * differ each time while a reply is kept: {@link withPrefix} puts them in front.
 */
export interface ReplyPrefix {
  readonly id: RequestId | undefined;
  /** Milliseconds since the epoch; undefined on a connection that speaks version 1. */
  readonly nowMs: number | undefined;
}

/** A reply with the members that belong to this one request. */
export function withPrefix(reply: string, { id, nowMs }: ReplyPrefix): string {
  if (id === undefined && nowMs === undefined) return reply;
  const idMember = id === undefined ? '' : `"id":${typeof id === 'number' ? id : json(id)},`;
  const nowMember = nowMs === undefined ? '' : `"now":${nowMs},`;
  return `{${idMember}${nowMember}${reply.slice(1)}`;
}

/** A host as replies name it with what it says of itself, in a team session. */
interface RecordedHost {
  readonly hostname: string;
  readonly recordJson?: string | undefined;
}

/** A reply with what the hosts that it names say of themselves, where they have said anything. */
export function withRecords(reply: string, hosts: Iterable<RecordedHost>): string {
  const members = [...hosts].map(recordMember).filter((member) => member !== undefined);
  return `${reply.slice(0, -2)}${recordsMember(members)}}\n`;
}

/** The host's member of `records`, if it has said anything. */
export function recordMember({ hostname, recordJson }: RecordedHost): string | undefined {
  return recordJson === undefined ? undefined : `${json(hostname)}:${recordJson}`;
}

/** No less than the length of {@link recordMember}, without writing it. */
export function recordLength({ hostname, recordJson }: RecordedHost): number {
  const longestEscape = 6;
  return recordJson === undefined ? 0 : recordJson.length + hostname.length * longestEscape + 4;
}

function recordsMember(members: readonly string[]): string {
  return members.length === 0 ? '' : `,"records":{${members.join(',')}}`;
}

/** Pushed to subscribers. `changes` and `records` are JSON already, of many subscribers the same. */
export function changesEvent(event: {
  readonly nowMs: number;
  readonly sequence: number;
  readonly changes: readonly string[];
  readonly records: readonly string[];
}): string {
  const { nowMs, sequence, changes, records } = event;
  return (
    `{"event":"changes","now":${nowMs},"seq":${sequence},` +
    `"changes":[${changes.join(',')}]${recordsMember(records)}}\n`
  );
}

/** Pushed to a subscriber that is one no more, as it was too slow. */
export function resyncEvent(nowMs: number): string {
  return `{"event":"resync","now":${nowMs}}\n`;
}

/** One of the changes: what was under the hostname is no more. */
export function goneJson(hostname: string): string {
  return `{"hostname":${json(hostname)},"gone":true}`;
}

/**
 * One of the changes: the host itself, when it has changed, and files of it.
 * @param files of each, its entry as {@link entryJson} writes it; undefined when it is withdrawn.
 */
export function changeJson(
  host: HostFacts,
  files: readonly (readonly [name: string, entry: string | undefined])[],
  life: HostLife | undefined,
): string {
  const parts = [`"hostname":${json(host.hostname)}`];
  if (life !== undefined) parts.push(hostMembers(host, life));
  const offered = files.filter(([, entry]) => entry !== undefined);
  if (offered.length > 0) parts.push(`"files":${objectJson(offered)}`);
  const withdrawn = files.flatMap(([name, entry]) => (entry === undefined ? [name] : []));
  if (withdrawn.length > 0) parts.push(`"withdrawn":${json(withdrawn)}`);
  return `{${parts.join(',')}}`;
}

/** The reply to one page, from what {@link listedHostJsonV2} gives for each host. */
export function pageReply(
  hosts: readonly string[],
  { cursor, sequence }: { readonly cursor: string | undefined; readonly sequence?: number },
): string {
  const seqMember = sequence === undefined ? '' : `,"seq":${sequence}`;
  const cursorMember = cursor === undefined ? '' : `,"cursor":"${cursor}"`;
  return `{"status":"OK","registry":{${hosts.join(',')}}${seqMember}${cursorMember}}\n`;
}

/** The reply to SYNC. */
export function syncedReply(sequence: number): string {
  return `{"status":"OK","seq":${sequence}}\n`;
}

/** Pushed before the token of the session changes: members without an envelope need the new invite. */
export function rotatedEvent(nowMs: number): string {
  return `{"event":"rotated","now":${nowMs}}\n`;
}

/** Pushed when the session has a newer statement under the same token. */
export function statementEvent(nowMs: number): string {
  return `{"event":"statement","now":${nowMs}}\n`;
}

/** The reply to STATEMENT. @param members of the statement bundle. */
export function statementReply(
  members: object,
  { envelope, count }: { readonly envelope: Envelope | undefined; readonly count: number },
): string {
  return `${json({ status: 'OK', ...members, envelopes: count, ...(envelope && { envelope }) })}\n`;
}

/** Pushed before the connection is closed: it carries the time itself. */
export function replacedEvent(nowMs: number): string {
  return `{"event":"replaced","now":${nowMs}}\n`;
}

/** Pushed when it was tried whether others reach the port of the host. */
export function reachableEvent(nowMs: number, port: number, isReachable: boolean): string {
  return `{"event":"reachable","now":${nowMs},"port":${port},"reachable":${isReachable}}\n`;
}

export function helloReply(version: number): string {
  return `{"status":"OK","version":${version},"max_publish":${MAX_PUBLISH_ENTRIES}}\n`;
}

export function registeredReply(limits: TrackerLimits, refused: readonly EntryRefusal[]): string {
  const heartbeat = {
    idle: limits.heartbeatIdleSeconds * 1_000,
    active: limits.heartbeatActiveSeconds * 1_000,
    busy: limits.heartbeatBusySeconds * 1_000,
  };
  return `{"status":"OK","heartbeat_ms":${json(heartbeat)}${refusedMember(refused)}}\n`;
}

/** The reply to PUBLISH and UNPUBLISH. */
export function acknowledgedReply(refused: readonly EntryRefusal[]): string {
  return `{"status":"ACK"${refusedMember(refused)}}\n`;
}

/** The start of what REQUEST tells about one host, up to the age that goes behind it. */
export function sourceStartJson(host: HostFacts, file: PublishedMetadata): string {
  const { hostname, ip, port, displayName: display_name } = host;
  const source = { hostname, display_name, ip, port, ...entryMembers(file) };
  return `${json(source).slice(0, -1)},"age":`;
}

/** What LOCATE tells about one host that has a content under `name`. */
export function locatedJson(host: HostFacts, name: string): string {
  const { hostname, ip, port, displayName: display_name } = host;
  return json({ hostname, display_name, ip, port, name });
}

/** The reply to LOCATE, from a JSON list of hosts for each content id. */
export function locatedReply(found: readonly (readonly [id: string, hosts: string])[]): string {
  const members = found.map(([id, hosts]) => `"${id}":${hosts}`);
  return `{"status":"FOUND","hosts":{${members.join(',')}}}\n`;
}

/** One published file, in replies that list files and in what subscribers are told. */
export function entryJson(file: PublishedMetadata): string {
  return json({ ...entryMembers(file), published_at: toMs(file.publishedAt) });
}

/** Published files by name, in version 2; undefined when they are too long for any reply. */
export function filesJsonV2(
  files: Iterable<readonly [name: string, file: PublishedMetadata]>,
): string | undefined {
  const entries: [string, string][] = [];
  let length = 0;
  for (const [name, file] of files) {
    if (!file.isPublished) continue;
    const entry = entryJson(file);
    length += name.length + entry.length;
    if (length > MAX_REPLY_CHARACTERS) return undefined;
    entries.push([name, entry]);
  }
  return objectJson(entries);
}

/** The reply itself, or an ERROR when it is longer than clients read. */
export function withinLimit(reply: string | undefined): string {
  if (reply !== undefined && reply.length <= MAX_REPLY_CHARACTERS) return reply;
  return errorReply(CONTROL_REASONS.replyTooLong);
}

/** What is known of the life of a host. */
export interface HostLife {
  /** How long ago it was heard of. */
  readonly ageMs: number;
  /** How long its connection has been closed; undefined while it is open. */
  readonly awayMs: number | undefined;
  /** Seconds since the epoch. */
  readonly connectedAt: number;
  /** Whether it says that it has transfers. */
  readonly isBusy: boolean;
}

/** The reply to DISCOVER, with what {@link filesJsonV2} gives. */
export function filesReplyV2(host: HostFacts, files: string, life: HostLife): string {
  return `{"status":"OK",${hostMembers(host, life)},"files":${files}}\n`;
}

/** The part of a reply to LIST that belongs to one host. */
export function listedHostJsonV2(host: HostFacts, files: string, life: HostLife): string {
  return `${json(host.hostname)}:{${hostMembers(host, life)},"files":${files}}`;
}

/** Behind the age of a host: whether it is away. */
export function awayMember(awayMs: number | undefined): string {
  return awayMs === undefined ? '' : `,"away":${toAge(awayMs)}`;
}

function hostMembers(host: HostFacts, life: HostLife): string {
  return (
    `"addr":${json([host.ip, host.port])},"display_name":${json(host.displayName)},` +
    `"age":${toAge(life.ageMs)}${awayMember(life.awayMs)},` +
    `"connected_at":${toMs(life.connectedAt)}${life.isBusy ? ',"busy":true' : ''}`
  );
}

/** An object of JSON by hand: names of others are its keys. */
export function objectJson(
  members: readonly (readonly [name: string, value: string | undefined])[],
): string {
  return `{${members.map(([name, value]) => `${json(name)}:${value}`).join(',')}}`;
}

/** Whole milliseconds: a clock that only grows may count in fractions. */
export function toAge(ageMs: number): number {
  return Math.max(0, Math.round(ageMs));
}

function refusedMember(refused: readonly EntryRefusal[]): string {
  return refused.length === 0 ? '' : `,"refused":${json(refused)}`;
}

/**
 * What every reply says of a file, in the one place. What nobody has said is left out; what the host
 * has signed goes out as it came in, character by character.
 */
function entryMembers(file: FileMetadata): object {
  const { size, revision, signed } = file;
  return {
    size,
    modified: toMs(file.modified),
    root: revision?.contentId?.root,
    version: revision?.version,
    seq: revision?.sequence,
    signed,
  };
}

/** Of seconds as version 1 has them; one of its clients may say a number that is no time at all. */
function toMs(seconds: number): number {
  return Math.min(Math.round(seconds * 1_000), Number.MAX_SAFE_INTEGER);
}
