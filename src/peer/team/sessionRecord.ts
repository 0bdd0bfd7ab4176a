import { createSecretKey } from 'node:crypto';
import * as v from 'valibot';
import { PeershelfError } from '../../common/errors';
import type { HostPort } from '../../protocol/address';
import type { Invite } from '../../protocol/invite';
import { MAX_SESSION_NAME_BYTES } from '../../protocol/limits';
import {
  createTeam,
  createTeamKey,
  deriveTeamKeys,
  hashTrackerToken,
  isTeamId,
  type Team,
  TEAM_KEY_BYTES,
} from '../../protocol/teamKeys';
import type { Verifier } from '../../protocol/verifier';
import { createIdentity, openIdentity, type StoredIdentity } from '../identity/identity';

/**
 * What whoever starts a team session keeps of it, so that its invite stays valid when the tracker is
 * started again. All of it is secret: it is never given to the tracker.
 */
export interface SessionRecord {
  readonly name: string;
  readonly team: Team;
  /** The tracker's, not the user's. */
  readonly tracker: StoredIdentity;
}

const recordSchema = v.object({
  name: v.string(),
  team: v.object({
    id: v.pipe(v.string(), v.check(isTeamId)),
    key: v.pipe(v.string(), v.regex(/^[\w-]{43}$/u)),
  }),
  tracker: v.object({ certificate: v.string(), privateKey: v.string() }),
});

/** @throws INVALID_ARGUMENT for a name that is empty or too long. */
export async function createSessionRecord(name: string, now: Date): Promise<SessionRecord> {
  const trimmed = name.trim();
  if (trimmed === '' || Buffer.byteLength(trimmed) > MAX_SESSION_NAME_BYTES)
    throw new PeershelfError(
      'INVALID_ARGUMENT',
      `the name of a session has 1 to ${MAX_SESSION_NAME_BYTES} bytes`,
    );
  return { name: trimmed, team: createTeam(), tracker: await createIdentity(now) };
}

/** The same session with a key that nobody has: invites so far lead nowhere any more. */
export function withNewKey(record: SessionRecord): SessionRecord {
  return { ...record, team: { id: record.team.id, key: createTeamKey() } };
}

export function formatSessionRecord({ name, team, tracker }: SessionRecord): string {
  return JSON.stringify({
    name,
    team: { id: team.id, key: team.key.export().toString('base64url') },
    tracker,
  });
}

/** @throws INVALID_ARGUMENT for what is none; the error quotes nothing of it. */
export function parseSessionRecord(text: string): SessionRecord {
  const result = v.safeParse(recordSchema, parseJson(text));
  const key = Buffer.from(result.success ? result.output.team.key : '', 'base64url');
  if (!result.success || key.length !== TEAM_KEY_BYTES)
    throw new PeershelfError('INVALID_ARGUMENT', 'this is no record of a session');
  const { name, team, tracker } = result.output;
  openIdentity(tracker);
  return { name, team: { id: team.id, key: createSecretKey(key) }, tracker };
}

/** What the tracker is given. */
export function verifierOf({ name, team, tracker }: SessionRecord): Verifier {
  const tokenHash = hashTrackerToken(deriveTeamKeys(team).trackerToken);
  return { ...tracker, tokenHash, sessionName: name };
}

/** @param addresses of the tracker, the likeliest first. */
export function inviteOf(record: SessionRecord, addresses: readonly HostPort[]): Invite {
  const { fingerprint } = openIdentity(record.tracker);
  return { sessionName: record.name, addresses, fingerprint, team: record.team };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // What the parser says may quote the text.
  }
}
