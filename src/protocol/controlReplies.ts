import * as v from 'valibot';
import { PeershelfError } from '../common/errors';
import { isAddressLiteral, unmapIpv4 } from './address';
import { MAX_REPLY_ENTRIES, MAX_SOURCES } from './limits';
import { opaqueNameProblem } from './names';
import { isPlainObject } from './requestFields';

/** Replies of the control conversation, version 1, as a client reads them. A tracker is not trusted. */

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
}

export interface ListedFile {
  readonly size: number;
  readonly modified: number;
  readonly publishedAt: number;
}

export interface ListedHost {
  readonly displayName: string;
  readonly ip: string;
  readonly port: number;
  readonly files: ReadonlyMap<string, ListedFile>;
  /** Seconds since the epoch, by the tracker's clock. */
  readonly lastSeen: number;
  readonly connectedAt: number;
}

const name = v.pipe(
  v.string(),
  v.check((text) => opaqueNameProblem(text) === undefined),
);
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const ip = v.pipe(v.string(), v.check(isAddressLiteral), v.transform(unmapIpv4));

const fileSchema = v.object({
  size: v.nullish(size, 0),
  modified: v.nullish(amount, 0),
  published_at: v.nullish(amount, 0),
});

const sourceSchema = v.object({
  hostname: name,
  display_name: v.nullish(name),
  ip,
  port,
  size: v.nullish(size, 0),
  modified: v.nullish(amount, 0),
});

const hostSchema = v.object({
  addr: v.tuple([ip, port]),
  display_name: v.nullish(name),
  last_seen: v.nullish(amount, 0),
  connected_at: v.nullish(amount, 0),
});

/**
 * The parsed line.
 * @throws INVALID_MESSAGE when it is no JSON object with a status.
 * @throws TRACKER_REFUSED with the tracker's reason when the status is ERROR.
 */
export function parseReply(line: string): Record<string, unknown> {
  let reply: unknown;
  try {
    reply = JSON.parse(line);
  } catch (error) {
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent no JSON', { cause: error });
  }
  if (!isPlainObject(reply) || typeof reply['status'] !== 'string')
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent a reply without status');
  if (reply['status'] !== 'ERROR') return reply;
  const reason = typeof reply['reason'] === 'string' ? reply['reason'] : 'no reason given';
  throw new PeershelfError('TRACKER_REFUSED', `the tracker refused: ${reason}`, {
    details: { reason },
  });
}

/** Hosts of a reply to REQUEST; those that are not valid are left out. */
export function readSources(reply: Record<string, unknown>): SourceInfo[] {
  if (reply['status'] === 'NOTFOUND') return [];
  const hosts = reply['status'] === 'FOUND' ? reply['hosts'] : undefined;
  if (!Array.isArray(hosts)) throw unexpected('REQUEST');
  return hosts.slice(0, MAX_SOURCES).flatMap((host: unknown) => {
    const result = v.safeParse(sourceSchema, host, { abortEarly: true });
    if (!result.success) return [];
    const { display_name: displayName, ...source } = result.output;
    return [{ ...source, displayName: displayName ?? source.hostname }];
  });
}

/** Files of a reply to DISCOVER. */
export function readFiles(reply: Record<string, unknown>): Map<string, ListedFile> {
  if (reply['status'] !== 'OK') throw unexpected('DISCOVER');
  return readFileMap(reply['files'], { left: MAX_REPLY_ENTRIES });
}

/** Hosts of a reply to LIST by hostname; entries that are not valid are left out. */
export function readRegistry(reply: Record<string, unknown>): Map<string, ListedHost> {
  const registry = reply['status'] === 'OK' ? reply['registry'] : undefined;
  if (!isPlainObject(registry)) throw unexpected('LIST');
  const budget = { left: MAX_REPLY_ENTRIES };
  const hosts = new Map<string, ListedHost>();
  for (const [hostname, value] of Object.entries(registry)) {
    const result = v.safeParse(hostSchema, value, { abortEarly: true });
    if (!result.success || opaqueNameProblem(hostname) !== undefined) continue;
    if (budget.left <= 0) break;
    budget.left -= 1;
    hosts.set(hostname, {
      displayName: result.output.display_name ?? hostname,
      ip: result.output.addr[0],
      port: result.output.addr[1],
      files: readFileMap((value as Record<string, unknown>)['files'], budget),
      lastSeen: result.output.last_seen,
      connectedAt: result.output.connected_at,
    });
  }
  return hosts;
}

/** @throws INVALID_MESSAGE unless the reply's status is one of `expected`. */
export function expectStatus(reply: Record<string, unknown>, expected: readonly string[]): string {
  const status = reply['status'];
  if (typeof status !== 'string' || !expected.includes(status))
    throw unexpected(expected.join('/'));
  return status;
}

function readFileMap(files: unknown, budget: { left: number }): Map<string, ListedFile> {
  const map = new Map<string, ListedFile>();
  if (!isPlainObject(files)) return map;
  for (const [fname, value] of Object.entries(files)) {
    if (budget.left <= 0) break;
    const result = v.safeParse(fileSchema, value, { abortEarly: true });
    if (!result.success || opaqueNameProblem(fname) !== undefined) continue;
    budget.left -= 1;
    const { published_at: publishedAt, ...file } = result.output;
    map.set(fname, { ...file, publishedAt });
  }
  return map;
}

function unexpected(what: string): PeershelfError {
  return new PeershelfError('INVALID_MESSAGE', `the tracker sent no valid reply to ${what}`);
}
