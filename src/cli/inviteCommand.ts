import { type Command, InvalidArgumentError } from 'commander';
import { writeSecretFile } from '../common/secretFile';
import { type HostPort, parseHostPort } from '../protocol/address';
import { formatInvite } from '../protocol/invite';
import { DEFAULT_TRACKER_PORT, MAX_INVITE_ADDRESSES } from '../protocol/limits';
import { inviteOf, verifierOf } from '../peer/team/sessionRecord';
import type { CommandContext } from './commandContext';
import { printJson, printLine } from './output';
import {
  addSessionRecordOptions,
  loadSessionRecord,
  type SessionRecordOptions,
} from './sessionStore';

interface InviteOptions extends SessionRecordOptions {
  readonly address: readonly HostPort[];
  readonly verifierFile?: string;
  readonly inviteFile?: string;
  readonly json?: boolean;
}

/**
 * `invite`: the invite of a session whose tracker runs on another machine, and what that tracker needs
 * instead of a key.
 */
export function addInviteCommand(
  program: Command,
  { output }: CommandContext,
  dataFolder: string,
): void {
  addSessionRecordOptions(
    program.command('invite').description('make the invite of a session, for a tracker elsewhere'),
  )
    .requiredOption('--address <host:port...>', 'where the tracker will be found', addAddress)
    .option('--verifier-file <path>', 'write what the tracker needs to this file')
    .option('--invite-file <path>', 'write the invite to this file instead of printing it')
    .option('--json', 'print one JSON object per line')
    .action(async (options: InviteOptions) => {
      const { session, data = dataFolder, address, verifierFile, inviteFile, json } = options;
      const record = await loadSessionRecord(data, session);
      const invite = formatInvite(inviteOf(record, address));
      if (verifierFile !== undefined)
        writeSecretFile(verifierFile, JSON.stringify(verifierOf(record)), 'replace');
      if (inviteFile !== undefined) writeSecretFile(inviteFile, `${invite}\n`, 'replace');
      if (json === true)
        printJson(output, { ...(inviteFile === undefined ? { invite } : { inviteFile }) });
      else if (inviteFile === undefined) printLine(output, `invite: ${invite}`);
      else printLine(output, `the invite is in ${inviteFile}`);
    });
}

function addAddress(text: string, before: readonly HostPort[] = []): HostPort[] {
  if (before.length === MAX_INVITE_ADDRESSES)
    throw new InvalidArgumentError(`An invite has at most ${MAX_INVITE_ADDRESSES} addresses.`);
  return [...before, parseHostPort(text, DEFAULT_TRACKER_PORT)];
}
