import * as v from 'valibot';
import { PeershelfError } from '../common/errors';
import type { ContentId } from './contentId';
import type { ControlVersion } from './controlRequestsV2';
import { MAX_REPLY_ENTRIES, MAX_SOURCES } from './limits';
import { opaqueNameProblem } from './names';
import { amountField, ipField, nameField, portField, wholeField } from './replyFields';
import { fileSchemaV2, hostSchemaV2, sourceSchemaV2 } from './replySchemasV2';
import { isPlainObject } from './requestFields';
import type { SignedText } from './signedText';

/**
 * Replies of the control conversation as a client reads them, of version 1 when none is named. What
 * only version 2 has is in controlRepliesV2.ts. A tracker is not trusted.
 */

/** One host that offers the requested name. */
export interface SourceInfo {
  readonly hostname: string;
  readonly displayName: string;
  readonly ip: string;
  readonly port: number;
  /** Bytes, as the publisher claims. */
  readonly size: number;
  /** Seconds since the epoch. */
  readonly modified: number;
  readonly contentId?: ContentId | undefined;
  readonly version?: number | undefined;
  readonly sequence?: number | undefined;
  /** What its host has signed of it, in a team session; nothing of it is verified yet. */
  readonly signed?: SignedText | undefined;
  /** Of its certificate, by a host record that was verified; open sessions have none. */
  readonly fingerprint?: string | undefined;
}

export interface ListedFile {
  readonly size: number;
  readonly modified: number;
  readonly publishedAt: number;
  readonly contentId?: ContentId | undefined;
  /** As that of a source. */
  readonly signed?: SignedText | undefined;
}

export interface ListedHost {
  readonly displayName: string;
  readonly ip: string;
  /** 0 when the host serves nothing, which only version 2 can say. */
  readonly port: number;
  readonly files: ReadonlyMap<string, ListedFile>;
  /** Seconds since the epoch, by the tracker's clock. */
  readonly lastSeen: number;
  readonly connectedAt: number;
  /** How long ago the tracker last heard of the host; version 1 does not say. */
  readonly ageMs?: number;
  /** How long its connection has been closed; undefined while it is open, and in version 1. */
  readonly awayMs?: number | undefined;
  /** Whether it says that it has transfers; version 1 does not tell. */
  readonly isBusy?: boolean;
  /** Of its certificate, by a host record that was verified; open sessions have none. */
  readonly fingerprint?: string | undefined;
}

const fileSchema = v.pipe(
  v.object({
    size: v.nullish(wholeField, 0),
    modified: v.nullish(amountField, 0),
    published_at: v.nullish(amountField, 0),
  }),
  v.transform(({ published_at: publishedAt, ...file }): ListedFile => ({ ...file, publishedAt })),
);

const sourceSchema = v.pipe(
  v.object({
    hostname: nameField,
    display_name: v.nullish(nameField),
    ip: ipField,
    port: portField,
    size: v.nullish(wholeField, 0),
    modified: v.nullish(amountField, 0),
  }),
  v.transform(({ display_name: displayName, ...source }): SourceInfo => ({
    ...source,
    displayName: displayName ?? source.hostname,
  })),
);

const hostSchema = v.pipe(
  v.object({
    addr: v.tuple([ipField, portField]),
    display_name: v.nullish(nameField),
    last_seen: v.nullish(amountField, 0),
    connected_at: v.nullish(amountField, 0),
  }),
  v.transform((host) => ({
    displayName: host.display_name ?? undefined,
    ip: host.addr[0],
    port: host.addr[1],
    lastSeen: host.last_seen,
    connectedAt: host.connected_at,
  })),
);

const SCHEMAS = {
  1: { file: fileSchema, source: sourceSchema, host: hostSchema },
  2: { file: fileSchemaV2, source: sourceSchemaV2, host: hostSchemaV2 },
} as const;

/**
 * The parsed line.
 * @throws INVALID_MESSAGE when it is no JSON object with a status.
 * @throws TRACKER_REFUSED with the tracker's reason when the status is ERROR.
 */
export function parseReply(line: string): Record<string, unknown> {
  return checkReply(parseReplyLine(line));
}

/** The object on one line from a tracker. @throws INVALID_MESSAGE when it is none. */
export function parseReplyLine(line: string): Record<string, unknown> {
  let reply: unknown;
  try {
    reply = JSON.parse(line);
  } catch (error) {
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent no JSON', { cause: error });
  }
  if (!isPlainObject(reply))
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent a reply without status');
  return reply;
}

/** The reply itself, when it is one and no refusal. @throws INVALID_MESSAGE, TRACKER_REFUSED. */
export function checkReply(reply: Record<string, unknown>): Record<string, unknown> {
  if (typeof reply['status'] !== 'string')
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent a reply without status');
  if (reply['status'] !== 'ERROR') return reply;
  const reason = typeof reply['reason'] === 'string' ? reply['reason'] : 'no reason given';
  throw new PeershelfError('TRACKER_REFUSED', `the tracker refused: ${reason}`, {
    details: { reason },
  });
}

/** Hosts of a reply to REQUEST; those that are not valid are left out. */
export function readSources(
  reply: Record<string, unknown>,
  version: ControlVersion = 1,
): SourceInfo[] {
  if (reply['status'] === 'NOTFOUND') return [];
  const hosts = reply['status'] === 'FOUND' ? reply['hosts'] : undefined;
  if (!Array.isArray(hosts)) throw unexpected('REQUEST');
  return hosts.slice(0, MAX_SOURCES).flatMap((host: unknown) => {
    const result = v.safeParse(SCHEMAS[version].source, host, { abortEarly: true });
    return result.success ? [result.output] : [];
  });
}

/** Files of a reply to DISCOVER. */
export function readFiles(
  reply: Record<string, unknown>,
  version: ControlVersion = 1,
): Map<string, ListedFile> {
  if (reply['status'] !== 'OK') throw unexpected('DISCOVER');
  return readFileMap(reply['files'], { left: MAX_REPLY_ENTRIES }, version);
}

/** Hosts of a reply to LIST by hostname; entries that are not valid are left out. */
export function readRegistry(
  reply: Record<string, unknown>,
  version: ControlVersion = 1,
): Map<string, ListedHost> {
  const registry = reply['status'] === 'OK' ? reply['registry'] : undefined;
  if (!isPlainObject(registry)) throw unexpected('LIST');
  const budget = { left: MAX_REPLY_ENTRIES };
  const nowMs = readNow(reply);
  const hosts = new Map<string, ListedHost>();
  for (const [hostname, value] of Object.entries(registry)) {
    const host = readHost(hostname, value, { version, nowMs });
    if (host === undefined) continue;
    if (budget.left <= 0) break;
    budget.left -= 1;
    const files = readFileMap((value as Record<string, unknown>)['files'], budget, version);
    hosts.set(hostname, { ...host, files });
  }
  return hosts;
}

/** The tracker's clock by a message of version 2; 0 when it does not say. JSON can write infinity. */
export function readNow({ now }: Record<string, unknown>): number {
  return typeof now === 'number' && Number.isFinite(now) ? now : 0;
}

/** One host without its files, or undefined when it is not valid. @param nowMs by the tracker's clock. */
export function readHost(
  hostname: string,
  value: unknown,
  { version, nowMs }: { readonly version: ControlVersion; readonly nowMs: number },
): Omit<ListedHost, 'files'> | undefined {
  const result = v.safeParse(SCHEMAS[version].host, value, { abortEarly: true });
  if (!result.success || opaqueNameProblem(hostname) !== undefined) return undefined;
  const { lastSeen, ...host } = { lastSeen: undefined, ...result.output };
  const { ageMs = 0 } = { ageMs: undefined, ...result.output };
  return {
    ...host,
    displayName: host.displayName ?? hostname,
    lastSeen: lastSeen ?? Math.max(0, nowMs - ageMs) / 1_000,
  };
}

/** @throws INVALID_MESSAGE unless the reply's status is one of `expected`. */
export function expectStatus(reply: Record<string, unknown>, expected: readonly string[]): string {
  const status = reply['status'];
  if (typeof status !== 'string' || !expected.includes(status))
    throw unexpected(expected.join('/'));
  return status;
}

/** Valid files by name, as many as the budget has left; it gets smaller by them. */
export function readFileMap(
  files: unknown,
  budget: { left: number },
  version: ControlVersion,
): Map<string, ListedFile> {
  const map = new Map<string, ListedFile>();
  if (!isPlainObject(files)) return map;
  for (const [fname, value] of Object.entries(files)) {
    if (budget.left <= 0) break;
    const result = v.safeParse(SCHEMAS[version].file, value, { abortEarly: true });
    if (!result.success || opaqueNameProblem(fname) !== undefined) continue;
    budget.left -= 1;
    map.set(fname, result.output);
  }
  return map;
}

function unexpected(what: string): PeershelfError {
  return new PeershelfError('INVALID_MESSAGE', `the tracker sent no valid reply to ${what}`);
}
