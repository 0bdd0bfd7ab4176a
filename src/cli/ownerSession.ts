import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../common/clock';
import { openIdentity } from '../peer/identity/identity';
import type { KnownMember } from '../peer/peerApi';
import { bringStatement } from '../peer/team/bringStatement';
import { inviteOf, type SessionRecord } from '../peer/team/sessionRecord';
import { synchronise } from '../peer/team/synchronise';
import { type HostPort, parseHostPort } from '../protocol/address';
import { formatInvite } from '../protocol/invite';
import { DEFAULT_TRACKER_PORT, MAX_INVITE_ADDRESSES } from '../protocol/limits';
import type { CommandContext } from './commandContext';
import { printJson, printLine } from './output';
import type { ChoiceOptions } from './recipients';
import { ownIdentity, withPeer } from './session';
import {
  keepSessionRecord,
  readSessionRecord,
  type SessionRecordOptions,
  withSessionLock,
} from './sessionStore';

export interface OwnerOptions extends SessionRecordOptions, ChoiceOptions {
  readonly address: readonly HostPort[];
  readonly inviteFile?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Makes a command that brings a statement to the tracker, and finds the folder of its session. */
export interface OwnerCommandTools {
  readonly command: (parent: Command, name: string, description: string) => Command;
  readonly folderOf: (options: OwnerOptions) => string;
}

/**
 * Changes a session: what is kept of it is brought in line with its tracker, changed, kept, and brought
 * to the tracker, while no other program on this computer does so.
 * @param change gives the record with a new statement, or the same one when there is nothing to do.
 * @throws OWNER_BUSY, and as `synchronise`, `bringStatement` and `change`.
 */
export async function changeSession(
  options: OwnerOptions,
  folder: string,
  context: CommandContext,
  change: (record: SessionRecord) => SessionRecord | Promise<SessionRecord>,
): Promise<SessionRecord> {
  const { signal } = context;
  return withSessionLock({ folder, session: options.session, signal }, async () => {
    const record = await newestRecord(options, folder, context);
    const next = await change(record);
    if (next !== record) {
      // Kept first: a crash in between is mended by the next command, which brings it.
      keepSessionRecord(folder, next);
      await bringStatement(next, { addresses: options.address, clock: systemClock, signal });
    }
    return next;
  });
}

/**
 * The record in line with what the tracker has heard, and kept so: another owner, or another copy of this
 * one's key, may have gone on since.
 */
async function newestRecord(
  { address, session }: OwnerOptions,
  folder: string,
  { signal }: CommandContext,
): Promise<SessionRecord> {
  const identity = openIdentity(await ownIdentity());
  const kept = readSessionRecord(folder, session);
  const options = { addresses: address, clock: systemClock, signal, identity };
  const record = await synchronise(kept, options);
  if (record !== kept) keepSessionRecord(folder, record);
  // A command that was killed kept an epoch that no tracker knows, in which nobody can be asked for members.
  await bringStatement(record, options);
  return record;
}

/** Members as the tracker tells of them, and those that this computer has seen before. */
export async function membersOf(
  record: SessionRecord,
  { address, verbose = false }: OwnerOptions,
  { output, signal }: CommandContext,
): Promise<readonly KnownMember[]> {
  let members: readonly KnownMember[] = [];
  const invite = formatInvite(inviteOf(record, address));
  await withPeer({ options: { invite, verbose }, output, signal }, async (peer) => {
    await peer.refreshNetwork();
    members = await peer.members();
  });
  return members;
}

export function tell(
  { output }: CommandContext,
  { json }: OwnerOptions,
  { text, data }: { readonly text: string; readonly data: object },
): void {
  if (json === true) printJson(output, data);
  else printLine(output, text);
}

export function addAddress(text: string, before: readonly HostPort[] = []): HostPort[] {
  if (before.length === MAX_INVITE_ADDRESSES)
    throw new InvalidArgumentError(`An invite has at most ${MAX_INVITE_ADDRESSES} addresses.`);
  return [...before, parseHostPort(text, DEFAULT_TRACKER_PORT)];
}
