import type { KeyObject } from 'node:crypto';
import * as v from 'valibot';
import { type ContentId, toContentId } from './contentId';
import { MAX_ENTRY_CHARACTERS, MAX_NOTE_CHARACTERS } from './limits';
import { nameField, wholeField } from './replyFields';
import { isSigned, type SignedText, signText } from './signedText';
import { isTeamId } from './teamKeys';

/** What a host says of one of its names. */
export interface Entry {
  readonly teamId: string;
  readonly hostname: string;
  readonly name: string;
  readonly contentId: ContentId;
  /** Number of the content under this name, from 1 on. */
  readonly version: number;
  /** Grows with every change of what is said of this name; receivers never go back to a lower one. */
  readonly sequence: number;
  readonly state: 'published' | 'withdrawn';
  /** A few words of the publisher; empty when there are none. */
  readonly note: string;
  /** When it stops to hold, in milliseconds since 1970; undefined: when it is replaced. */
  readonly expiresMs?: number | undefined;
  /** When it was signed, by the publisher's clock. */
  readonly timeMs: number;
}

/** Whose entry it must be: an entry of another host, name or team says nothing here. */
export interface EntryPlace {
  readonly teamId: string;
  readonly hostname: string;
  readonly name: string;
  /** Of the host, from its verified record. */
  readonly publicKey: KeyObject;
}

const entrySchema = v.pipe(
  v.object({
    team: v.pipe(v.string(), v.check(isTeamId)),
    hostname: nameField,
    name: nameField,
    root: v.string(),
    size: wholeField,
    version: v.pipe(wholeField, v.minValue(1)),
    seq: wholeField,
    state: v.picklist(['published', 'withdrawn']),
    note: v.pipe(v.string(), v.maxLength(MAX_NOTE_CHARACTERS)),
    expires: v.nullish(wholeField),
    time: wholeField,
  }),
  v.check(({ root, size }) => toContentId(root, size) !== undefined),
);

/** @param privateKey of the host's identity. */
export function signEntry(entry: Entry, privateKey: KeyObject): SignedText {
  const text = JSON.stringify({
    team: entry.teamId,
    hostname: entry.hostname,
    name: entry.name,
    root: entry.contentId.root,
    size: entry.contentId.sizeBytes,
    version: entry.version,
    seq: entry.sequence,
    state: entry.state,
    note: entry.note,
    ...(entry.expiresMs === undefined ? {} : { expires: entry.expiresMs }),
    time: entry.timeMs,
  });
  return signText('entry', text, privateKey);
}

/**
 * What is said of a name, if its host has said it.
 * @returns undefined when anything about it is not as it must be.
 */
export function openEntry(signed: SignedText, place: EntryPlace): Entry | undefined {
  if (signed.text.length > MAX_ENTRY_CHARACTERS) return undefined;
  return isSigned('entry', signed, place.publicKey) ? readEntry(signed.text, place) : undefined;
}

/** As `openEntry`, for a text whose signature has been verified before. */
export function readEntry(text: string, place: EntryPlace): Entry | undefined {
  const entry = parse(text);
  const { teamId, hostname, name } = place;
  if (entry?.teamId !== teamId || entry.hostname !== hostname) return undefined;
  return entry.name === name ? entry : undefined;
}

function parse(text: string): Entry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = v.safeParse(entrySchema, value);
  if (!result.success) return undefined;
  const { team, root, size, seq, expires, time, ...same } = result.output;
  return {
    ...same,
    teamId: team,
    contentId: { root, sizeBytes: size },
    sequence: seq,
    expiresMs: expires ?? undefined,
    timeMs: time,
  };
}
