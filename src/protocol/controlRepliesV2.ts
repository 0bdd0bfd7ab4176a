import * as v from 'valibot';
import { PeershelfError } from '../common/errors';
import { type ContentId, formatContentId } from './contentId';
import { expectStatus } from './controlReplies';
import { CONTROL_VERSIONS, type ControlVersion, type EntryRefusal } from './controlRequestsV2';
import {
  type HEARTBEAT_INTERVALS_MS,
  HEARTBEAT_RANGE_MS,
  MAX_PUBLISH_ENTRIES,
  MAX_REPLY_ENTRIES,
  MAX_SOURCES,
} from './limits';
import { nameField, portField, wholeField } from './replyFields';
import { locatedSchema } from './replySchemasV2';
import { isPlainObject } from './requestFields';

/** What only replies of version 2 have, as a client reads it. A tracker is not trusted. */

/** One host that has a content, and a name under which it offers it. */
export interface LocatedSource {
  readonly hostname: string;
  readonly displayName: string;
  readonly ip: string;
  readonly port: number;
  readonly name: string;
  /** Of its certificate, by a host record that was verified; open sessions have none. */
  readonly fingerprint?: string | undefined;
}

/** Milliseconds between pings, by the state of the peer. */
export type HeartbeatIntervals = Readonly<Record<keyof typeof HEARTBEAT_INTERVALS_MS, number>>;

export interface Hello {
  readonly version: ControlVersion;
  /** Most files of one PUBLISH. */
  readonly maxPublish: number;
}

/** What a tracker says without being asked. Nothing of it but the name is checked. */
export interface ControlEvent {
  readonly name: string;
  readonly members: Record<string, unknown>;
}

const intervalField = v.pipe(
  v.number(),
  v.minValue(HEARTBEAT_RANGE_MS.min),
  v.maxValue(HEARTBEAT_RANGE_MS.max),
);
const heartbeatSchema = v.object({
  idle: intervalField,
  active: intervalField,
  busy: intervalField,
});
const refusalSchema = v.object({ name: nameField, reason: v.string() });
const maxPublishSchema = v.pipe(wholeField, v.minValue(1));

/** @throws INVALID_MESSAGE for a version that nobody has asked for. */
export function readHello(reply: Record<string, unknown>): Hello {
  expectStatus(reply, ['OK']);
  const version = CONTROL_VERSIONS.find((known) => known === reply['version']);
  if (version === undefined)
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent no valid reply to HELLO');
  const found = v.safeParse(maxPublishSchema, reply['max_publish']);
  const maxPublish = found.success ? found.output : MAX_PUBLISH_ENTRIES;
  return { version, maxPublish: Math.min(maxPublish, MAX_PUBLISH_ENTRIES) };
}

/** The intervals of a reply to REGISTER, or undefined unless all of them make sense. */
export function readHeartbeatIntervals(
  reply: Record<string, unknown>,
): HeartbeatIntervals | undefined {
  const result = v.safeParse(heartbeatSchema, reply['heartbeat_ms']);
  return result.success ? result.output : undefined;
}

/** What was not taken of `names`. */
export function readRefusals(
  reply: Record<string, unknown>,
  names: readonly string[],
): EntryRefusal[] {
  const { refused } = reply;
  if (!Array.isArray(refused)) return [];
  const asked = new Set(names);
  return refused.slice(0, names.length).flatMap((refusal: unknown) => {
    const result = v.safeParse(refusalSchema, refusal);
    return result.success && asked.has(result.output.name) ? [result.output] : [];
  });
}

/** Hosts of a reply to LOCATE for each of `ids` that somebody has, by `formatContentId`. */
export function readLocated(
  reply: Record<string, unknown>,
  ids: readonly ContentId[],
): Map<string, LocatedSource[]> {
  expectStatus(reply, ['FOUND']);
  const { hosts } = reply;
  if (!isPlainObject(hosts))
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent no valid reply to LOCATE');
  const located = new Map<string, LocatedSource[]>();
  let left = MAX_REPLY_ENTRIES;
  for (const id of ids) {
    const key = formatContentId(id);
    const list = Object.hasOwn(hosts, key) ? hosts[key] : undefined;
    if (!Array.isArray(list)) continue;
    const taken = list.slice(0, Math.min(MAX_SOURCES, left));
    left -= taken.length;
    const sources = taken.flatMap((host: unknown) => {
      const result = v.safeParse(locatedSchema, host, { abortEarly: true });
      return result.success ? [result.output] : [];
    });
    if (sources.length > 0) located.set(key, sources);
  }
  return located;
}

/** What a tracker says without being asked, or undefined for a reply. */
export function readEvent(message: Record<string, unknown>): ControlEvent | undefined {
  if (message['event'] === undefined || message['status'] !== undefined) return undefined;
  const { event } = message;
  // What is no name is an event that nobody knows.
  return { name: typeof event === 'string' ? event : '', members: message };
}

const reachableSchema = v.object({ port: portField, reachable: v.boolean() });

/** Whether a port of this peer can be reached, or undefined unless an event says so. */
export function readReachable({
  name,
  members,
}: ControlEvent): v.InferOutput<typeof reachableSchema> | undefined {
  const result = v.safeParse(reachableSchema, members);
  return name === 'reachable' && result.success ? result.output : undefined;
}
