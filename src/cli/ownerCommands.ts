import type { Command } from 'commander';
import { writeSecretFile } from '../common/secretFile';
import { openIdentity } from '../peer/identity/identity';
import {
  inviteOf,
  type SessionRecord,
  withAdmission,
  withNewKey,
  withoutMembers,
  withRenewedLease,
} from '../peer/team/sessionRecord';
import { formatInvite } from '../protocol/invite';
import { isIdentity } from '../protocol/shortFingerprint';
import type { CommandContext } from './commandContext';
import { chooseMember } from './memberNames';
import { addOwnerKeyCommands } from './ownerKeyCommands';
import {
  addAddress,
  changeSession,
  membersOf,
  type OwnerCommandTools,
  type OwnerOptions,
  tell,
} from './ownerSession';
import { addChoiceOptions, chooseRecipients } from './recipients';
import { ownIdentity } from './session';
import { addSessionRecordOptions } from './sessionStore';

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
      let leftOut = 0;
      const next = await changeSession(options, folderOf(options), context, async (record) => {
        // A command that was killed may have done it already, and its members be on their way back.
        if (names.every((name) => isRemoved(record, name))) return record;
        const members = await membersOf(record, options, context);
        const removed = names.map((name) => chooseMember(members, name).identity);
        const recipients = await chooseRecipients(record, { members, removed, options }, context);
        const without = withoutMembers(record, { removed, recipients, now: new Date() });
        leftOut = recipients.length - without.envelopes.length;
        return without;
      });
      const { length: count } = next.envelopes;
      const others = leftOut === 0 ? '' : `; ${leftOut} others need a new invite`;
      tell(context, options, {
        text: `removed ${names.join(', ')}; ${count} members go on by themselves${others}`,
        data: { removed: names, members: count, ...(leftOut > 0 && { left_out: leftOut }) },
      });
    });
  addMemberCommands(program, context, { command, folderOf });

  const owner = program.command('owner').description('look after the keys of a session');
  addOwnerKeyCommands(owner, context, { command, folderOf });
  command(owner, 'renew', 'renew the lease of a session').action(async (options: OwnerOptions) => {
    const next = await changeSession(options, folderOf(options), context, (record) =>
      withRenewedLease(record, new Date()),
    );
    const until = new Date(next.statement.statement.validUntilMs).toISOString();
    tell(context, options, { text: `the session is valid until ${until}`, data: { until } });
  });
}

function isRemoved({ statement: { statement } }: SessionRecord, name: string): boolean {
  return statement.removed.some(({ identity }) => identity === name);
}

/** `members allow` and `open`: who may be a member. */
function addMemberCommands(
  program: Command,
  context: CommandContext,
  { command, folderOf }: OwnerCommandTools,
): void {
  const members = program.command('members').description('choose who may be a member');
  command(members, 'allow', 'let only listed members in, and add some to the list')
    .argument('<host...>', 'host names or identities')
    .action(async (names: string[], options: OwnerOptions) => {
      const next = await changeSession(options, folderOf(options), context, async (record) => {
        // An owner whom another one has not listed is let in by this alone, and joins nothing before.
        const isJoining = !names.every(isIdentity);
        const known = isJoining ? await membersOf(record, options, context) : [];
        const allowed = names.map((name) =>
          isIdentity(name) ? name : chooseMember(known, name).identity,
        );
        // Without the owner's own identity, no later command could ask for members.
        const self = openIdentity(await ownIdentity()).fingerprint;
        const list = new Set([...record.statement.statement.members, self, ...allowed]);
        return withAdmission(record, {
          ...{ admission: 'listed', members: [...list], now: new Date() },
        });
      });
      const { length: count } = next.statement.statement.members;
      tell(context, options, { text: `${count} members are listed`, data: { members: count } });
    });
  command(members, 'open', 'let everybody in who has the invite').action(
    async (options: OwnerOptions) => {
      await changeSession(options, folderOf(options), context, (record) =>
        withAdmission(record, { admission: 'invite', members: [], now: new Date() }),
      );
      tell(context, options, { text: 'everybody with the invite is let in', data: { open: true } });
    },
  );
}

/** Makes a new invite of a session whose tracker runs, and lets nobody in with the old one. */
export async function renewInvite(
  options: OwnerOptions & { readonly expiresMs?: number | undefined },
  folder: string,
  context: CommandContext,
): Promise<string> {
  const record = await changeSession(options, folder, context, (kept) =>
    withNewKey(kept, new Date()),
  );
  const invite = formatInvite(inviteOf(record, options.address, options.expiresMs));
  if (options.inviteFile !== undefined)
    writeSecretFile(options.inviteFile, `${invite}\n`, 'replace');
  return invite;
}
