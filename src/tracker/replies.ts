import type { FileMetadata } from '../protocol/controlRequests';

/** What REQUEST, DISCOVER and LIST tell about one host. */
export interface HostFacts {
  readonly hostname: string;
  readonly displayName: string;
  readonly ip: string;
  readonly port: number;
}

/** A file of a host; `publishedAt` is known, in seconds since the epoch. */
export type PublishedMetadata = FileMetadata & { readonly publishedAt: number };

/** By UTF-16 unit, as JSON escapes them: the flag `u` would take both halves of a pair together. */
const BEYOND_ASCII = /[\u0080-\uffff]/g;

/**
 * Replies are whole lines of ASCII: as many bytes as characters, written without conversion. They
 * are put together by hand where names of others are keys: in an object `__proto__` would not be a
 * name like any other.
 */
export const OK = '{"status":"OK"}\n';
export const ACK = '{"status":"ACK"}\n';
export const ALIVE = '{"status":"ALIVE"}\n';
export const DEAD = '{"status":"DEAD"}\n';
export const NOT_FOUND = '{"status":"NOTFOUND","hosts":[]}\n';

export function errorReply(reason: string): string {
  return `${json({ status: 'ERROR', reason })}\n`;
}

/** The reply to REQUEST, from what {@link sourceJson} gives for each host. */
export function foundReply(sources: readonly string[]): string {
  return `{"status":"FOUND","hosts":[${sources.join(',')}]}\n`;
}

export function sourceJson(host: HostFacts, file: PublishedMetadata): string {
  return json({
    hostname: host.hostname,
    display_name: host.displayName,
    ip: host.ip,
    port: host.port,
    size: file.size,
    modified: file.modified,
    is_published: true,
  });
}

/** Published files by name; the others are left out. */
export function filesJson(files: ReadonlyMap<string, PublishedMetadata>): string {
  const members: string[] = [];
  for (const [name, file] of files) {
    if (!file.isPublished) continue;
    const entry = {
      size: file.size,
      modified: file.modified,
      published_at: file.publishedAt,
      is_published: true,
    };
    members.push(`${json(name)}:${json(entry)}`);
  }
  return `{${members.join(',')}}`;
}

/** The reply to DISCOVER, with what {@link filesJson} gives. */
export function filesReply(host: HostFacts, files: string): string {
  return `{"status":"OK","files":${files},"addr":${json([host.ip, host.port])}}\n`;
}

/** The part of a reply to LIST that belongs to one host. Times are seconds. */
export function listedHostJson(
  host: HostFacts,
  files: string,
  times: { readonly lastSeen: number; readonly connectedAt: number },
): string {
  const address = json([host.ip, host.port]);
  return (
    `${json(host.hostname)}:{"addr":${address},"display_name":${json(host.displayName)},` +
    `"files":${files},"last_seen":${times.lastSeen},"connected_at":${times.connectedAt}}`
  );
}

/** The reply to LIST, from what {@link listedHostJson} gives for each host. */
export function registryReply(hosts: readonly string[]): string {
  return `{"status":"OK","registry":{${hosts.join(',')}}}\n`;
}

/** JSON in ASCII. */
export function json(value: unknown): string {
  return JSON.stringify(value).replace(BEYOND_ASCII, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
