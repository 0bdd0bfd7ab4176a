import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../common/clock';
import { PeershelfError } from '../common/errors';
import { writeSecretFile } from '../common/secretFile';
import { openIdentity } from '../peer/identity/identity';
import { bringStatement } from '../peer/team/bringStatement';
import {
  inviteOf,
  type SessionRecord,
  withAdmission,
  withNewKey,
  withoutMembers,
  withRenewedLease,
} from '../peer/team/sessionRecord';
import { synchronise } from '../peer/team/synchronise';
import type { KnownMember } from '../peer/peerApi';
import { type HostPort, parseHostPort } from '../protocol/address';
import { formatInvite } from '../protocol/invite';
import { DEFAULT_TRACKER_PORT, MAX_INVITE_ADDRESSES } from '../protocol/limits';
import type { CommandContext } from './commandContext';
import { printJson, printLine } from './output';
import { addOwnerKeyCommands } from './ownerKeyCommands';
import { addChoiceOptions, type ChoiceOptions, chooseRecipients } from './recipients';
import { ownIdentity, withPeer } from './session';
import {
  addSessionRecordOptions,
  keepSessionRecord,
  readSessionRecord,
  type SessionRecordOptions,
} from './sessionStore';

export interface OwnerOptions extends SessionRecordOptions, ChoiceOptions {
  readonly address: readonly HostPort[];
  readonly inviteFile?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const MEMBERS_OF = 'which the owner of the session can do, wherever its tracker runs';

/**
 * Commands for the owner of a session: remove members, renew the invite or the lease, and choose who
 * may be a member. Each changes what is kept of the session first, then brings its statement to the
 * tracker; to run it again after a failure does the rest.
 */
export function addOwnerCommands(
  program: Command,
  context: CommandContext,
  dataFolder: string,
): void {
  const command = (parent: Command, name: string, description: string): Command =>
    addSessionRecordOptions(parent.command(name).description(`${description}, ${MEMBERS_OF}`))
      .requiredOption('--address <host:port...>', 'where the tracker is', addAddress)
      .option('--json', 'print one JSON object per line');
  const folderOf = ({ data }: OwnerOptions): string => data ?? dataFolder;

  addChoiceOptions(command(program, 'remove', 'remove members'))
    .argument('<host...>', 'host names or identities')
    .action(async (names: string[], options: OwnerOptions) => {
      const record = await newestRecord(options, folderOf(options), context);
      const { statement } = record.statement;
      // A command that was killed may have done it already, and its members be on their way back.
      if (names.every((name) => statement.removed.some(({ identity }) => identity === name))) {
        const data = { removed: names, members: record.envelopes.length };
        tell(context, options, { text: `${names.join(', ')} had been removed`, data });
        return;
      }
      const members = await membersOf(record, options, context);
      const removed = names.map((name) => choose(members, name).identity);
      const recipients = await chooseRecipients(record, { members, removed, options }, context);
      const next = withoutMembers(record, { removed, recipients, now: new Date() });
      await settle(next, options, folderOf(options), context);
      const { length: count } = next.envelopes;
      const leftOut = recipients.length - count;
      const others = leftOut === 0 ? '' : `; ${leftOut} others need a new invite`;
      tell(context, options, {
        text: `removed ${names.join(', ')}; ${count} members go on by themselves${others}`,
        data: { removed, members: count, ...(leftOut > 0 && { left_out: leftOut }) },
      });
    });

  const members = program.command('members').description('choose who may be a member');
  command(members, 'allow', 'let only listed members in, and add some to the list')
    .argument('<host...>', 'host names or identities')
    .action(async (names: string[], options: OwnerOptions) => {
      const record = await newestRecord(options, folderOf(options), context);
      const known = await membersOf(record, options, context);
      const allowed = names.map((name) => choose(known, name).identity);
      // Without the owner's own identity, no later command could ask for members.
      const self = openIdentity(await ownIdentity()).fingerprint;
      const list = new Set([...record.statement.statement.members, self, ...allowed]);
      const change = { admission: 'listed', members: [...list], now: new Date() } as const;
      await settle(withAdmission(record, change), options, folderOf(options), context);
      tell(context, options, { text: `${list.size} members are listed`, data: { allowed } });
    });

  command(members, 'open', 'let everybody in who has the invite').action(
    async (options: OwnerOptions) => {
      const record = await newestRecord(options, folderOf(options), context);
      const change = { admission: 'invite', members: [], now: new Date() } as const;
      await settle(withAdmission(record, change), options, folderOf(options), context);
      tell(context, options, { text: 'everybody with the invite is let in', data: { open: true } });
    },
  );

  const owner = program.command('owner').description('look after the keys of a session');
  addOwnerKeyCommands(owner, context, { command, folderOf });
  command(owner, 'renew', 'renew the lease of a session').action(async (options: OwnerOptions) => {
    const record = await newestRecord(options, folderOf(options), context);
    const next = withRenewedLease(record, new Date());
    await settle(next, options, folderOf(options), context);
    const until = new Date(next.statement.statement.validUntilMs).toISOString();
    tell(context, options, { text: `the session is valid until ${until}`, data: { until } });
  });
}

/** Makes a new invite of a session whose tracker runs, and lets nobody in with the old one. */
export async function renewInvite(
  options: OwnerOptions & { readonly expiresMs?: number | undefined },
  folder: string,
  context: CommandContext,
): Promise<string> {
  const record = withNewKey(await newestRecord(options, folder, context), new Date());
  await settle(record, options, folder, context);
  const invite = formatInvite(inviteOf(record, options.address, options.expiresMs));
  if (options.inviteFile !== undefined)
    writeSecretFile(options.inviteFile, `${invite}\n`, 'replace');
  return invite;
}

/**
 * The record in line with what the tracker has heard, and kept so: another owner, or another copy of this
 * one's key, may have gone on since.
 */
export async function newestRecord(
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

/** Keeps the record, then brings its statement. */
export async function settle(
  record: SessionRecord,
  { address }: OwnerOptions,
  folder: string,
  { signal }: CommandContext,
): Promise<void> {
  keepSessionRecord(folder, record);
  await bringStatement(record, { addresses: address, clock: systemClock, signal });
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

/** @throws NOT_FOUND, AMBIGUOUS_NAME. */
export function choose(members: readonly KnownMember[], name: string): KnownMember {
  const found = members.filter(
    ({ identity, hostnames }) => identity === name || hostnames.includes(name),
  );
  const [member] = found;
  if (member === undefined)
    throw new PeershelfError('NOT_FOUND', `no member is called ${name}`, { details: { name } });
  if (found.length > 1)
    throw new PeershelfError('AMBIGUOUS_NAME', `several members are called ${name}`, {
      details: { name },
    });
  return member;
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
