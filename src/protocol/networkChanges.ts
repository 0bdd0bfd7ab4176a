import { PeershelfError } from '../common/errors';
import { type ListedFile, type ListedHost, readFileMap, readHost, readNow } from './controlReplies';
import type { SealedHostRecord } from './hostRecord';
import { MAX_CHANGES, MAX_CURSOR_CHARACTERS, MAX_REPLY_ENTRIES } from './limits';
import { opaqueNameProblem } from './names';
import { recordOf } from './recordReplies';
import { isPlainObject } from './requestFields';

/** What a subscriber is told of one host, as a client reads it. A tracker is not trusted. */
export interface HostChange {
  readonly hostname: string;
  /** What was under the hostname is no more; nothing else is said then. */
  readonly isGone: boolean;
  /** Undefined when only files have changed. */
  readonly host: Omit<ListedHost, 'files'> | undefined;
  /** What the host says of itself, not verified; only where there is a host. */
  readonly record: SealedHostRecord | undefined;
  readonly files: ReadonlyMap<string, ListedFile>;
  readonly withdrawn: readonly string[];
}

/** The number of a `changes` event, of a reply to SUBSCRIBE or SYNC. @throws INVALID_MESSAGE. */
export function readSequence(message: Record<string, unknown>): number {
  const { seq } = message;
  if (typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0) return seq;
  throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent no valid sequence number');
}

/** Where the next page begins, or undefined behind the last. */
export function readCursor(reply: Record<string, unknown>): string | undefined {
  const { cursor } = reply;
  const isValid = typeof cursor === 'string' && cursor.length <= MAX_CURSOR_CHARACTERS;
  return isValid ? cursor : undefined;
}

/** What a `changes` event says, in its order; what is not valid is left out. */
export function readChanges(members: Record<string, unknown>): HostChange[] {
  const { changes } = members;
  if (!Array.isArray(changes)) return [];
  const budget = { left: MAX_REPLY_ENTRIES };
  const nowMs = readNow(members);
  // A host that goes and comes is two of the list.
  return changes.slice(0, 2 * MAX_CHANGES).flatMap((change: unknown) => {
    if (!isPlainObject(change)) return [];
    const { hostname } = change;
    if (typeof hostname !== 'string' || opaqueNameProblem(hostname) !== undefined) return [];
    const isGone = change['gone'] === true;
    const host =
      isGone || change['addr'] === undefined
        ? undefined
        : readHost(hostname, change, { version: 2, nowMs });
    return [
      {
        ...{ hostname, isGone, host },
        record: host && recordOf(members, hostname),
        files: readFileMap(change['files'], budget, 2),
        withdrawn: readNames(change['withdrawn']),
      },
    ];
  });
}

function readNames(names: unknown): string[] {
  if (!Array.isArray(names)) return [];
  return names.slice(0, MAX_CHANGES).filter((name: unknown) => typeof name === 'string');
}
