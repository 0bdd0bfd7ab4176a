import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { PeershelfError } from '../common/errors';
import type { KnownMember, SealedMember } from '../peer/peerApi';
import type { SessionRecord } from '../peer/team/sessionRecord';
import { shortFingerprint } from '../protocol/shortFingerprint';
import type { CommandContext } from './commandContext';
import { chooseMember } from './memberNames';
import { printTable } from './output';
import { ownIdentity } from './session';
import { openIdentity } from '../peer/identity/identity';

/** Choice of those who go on by themselves into the next epoch. */
export interface ChoiceOptions {
  readonly keep?: readonly string[];
  readonly yes?: boolean;
  readonly vouchedOnly?: boolean;
}

export function addChoiceOptions(command: Command): Command {
  return command
    .option('--keep <member...>', 'these go on, beside those that you have accepted before')
    .option('--yes', 'everybody else goes on')
    .option('--vouched-only', 'nobody goes on but those that you have accepted before');
}

/**
 * Members who get the key of the next epoch: those whom the owner has accepted before, and of the others
 * those that are chosen now. Somebody who is removed may have made further identities beforehand.
 * @throws MEMBERS_UNDECIDED when it is not said, and nobody can be asked; NOT_FOUND and AMBIGUOUS_NAME
 * for a name of one to keep.
 */
export async function chooseRecipients(
  { vouched }: SessionRecord,
  {
    members,
    removed,
    options: { keep = [], yes = false, vouchedOnly = false },
  }: {
    readonly members: readonly KnownMember[];
    readonly removed: readonly string[];
    readonly options: ChoiceOptions;
  },
  { output, signal }: CommandContext,
): Promise<SealedMember[]> {
  const self = openIdentity(await ownIdentity()).fingerprint;
  const accepted = new Set([self, ...vouched.map(({ identity }) => identity)]);
  const rest = members.filter(
    ({ identity }) => !removed.includes(identity) && !accepted.has(identity),
  );
  // Of all members: a second identity may have the host name of one that was accepted before.
  const kept = keep
    .filter((name) => !accepted.has(name))
    .map((name) => chooseMember(members, name));
  let chosen = yes ? rest : rest.filter((member) => kept.includes(member));
  if (rest.length > 0 && !yes && !vouchedOnly && keep.length === 0) {
    printTable({ ...output, stdout: output.stderr }, [
      ['NAME', 'HOSTS', 'FINGERPRINT', 'SEEN'],
      ...rest.map(({ displayName, hostnames, identity, seenMs }) => [
        ...[displayName, hostnames.join(', '), shortFingerprint(identity)],
        new Date(seenMs).toISOString().slice(0, 10),
      ]),
    ]);
    chosen = (await mayAllGoOn(signal)) ? rest : [];
  }
  const sealed = new Map(vouched.map((member) => [member.identity, member]));
  for (const { identity, sealingPoint } of members) {
    const goesOn = accepted.has(identity) || chosen.some((one) => one.identity === identity);
    if (goesOn && sealingPoint !== undefined) sealed.set(identity, { identity, sealingPoint });
  }
  return [...sealed.values()].filter(({ identity }) => !removed.includes(identity));
}

async function mayAllGoOn(signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new PeershelfError('MEMBERS_UNDECIDED', 'nobody says who goes on');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question('Do all of them go on? [y/N] ', { signal });
    return /^y(?:es)?$/iu.test(answer.trim());
  } finally {
    terminal.close();
  }
}
