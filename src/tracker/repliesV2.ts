import type { EntryRefusal } from '../protocol/controlRequestsV2';
import { MAX_PUBLISH_ENTRIES } from '../protocol/limits';
import type { FileMetadata } from '../protocol/controlRequests';
import type { RequestId } from '../protocol/controlRequestsV2';
import type { TrackerLimits } from './limits';
import { type HostFacts, json, type PublishedMetadata } from './replies';

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

/** A reply with what the hosts that it names say of themselves, where they have said anything. */
export function withRecords(
  reply: string,
  hosts: Iterable<{ readonly hostname: string; readonly recordJson?: string | undefined }>,
): string {
  const members: string[] = [];
  for (const { hostname, recordJson } of hosts)
    if (recordJson !== undefined) members.push(`${json(hostname)}:${recordJson}`);
  if (members.length === 0) return reply;
  return `${reply.slice(0, -2)},"records":{${members.join(',')}}}\n`;
}

/** Pushed before the token of the session changes: who has no new invite is no member any more. */
export function rotatedEvent(nowMs: number): string {
  return `{"event":"rotated","now":${nowMs}}\n`;
}

/** Pushed before the connection is closed: it carries the time itself. */
export function replacedEvent(nowMs: number): string {
  return `{"event":"replaced","now":${nowMs}}\n`;
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

/** Published files by name, in version 2. */
export function filesJsonV2(files: ReadonlyMap<string, PublishedMetadata>): string {
  const members: string[] = [];
  for (const [name, file] of files) {
    if (!file.isPublished) continue;
    const entry = { ...entryMembers(file), published_at: toMs(file.publishedAt) };
    members.push(`${json(name)}:${json(entry)}`);
  }
  return `{${members.join(',')}}`;
}

/** The reply to DISCOVER, with what {@link filesJsonV2} gives. */
export function filesReplyV2(host: HostFacts, files: string, ageMs: number): string {
  const members = `"addr":${json([host.ip, host.port])},"display_name":${json(host.displayName)}`;
  return `{"status":"OK",${members},"age":${toAge(ageMs)},"files":${files}}\n`;
}

/** The part of a reply to LIST that belongs to one host. */
export function listedHostJsonV2(
  host: HostFacts,
  files: string,
  times: { readonly ageMs: number; readonly connectedAt: number },
): string {
  const members = `"addr":${json([host.ip, host.port])},"display_name":${json(host.displayName)}`;
  const connectedAt = `"connected_at":${toMs(times.connectedAt)}`;
  return `${json(host.hostname)}:{${members},"files":${files},"age":${toAge(times.ageMs)},${connectedAt}}`;
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
