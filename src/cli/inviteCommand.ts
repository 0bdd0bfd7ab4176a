import { type Command, InvalidArgumentError } from 'commander';
import { writeSecretFile } from '../common/secretFile';
import type { HostPort } from '../protocol/address';
import { formatInvite } from '../protocol/invite';
import { inviteOf, verifierOf } from '../peer/team/sessionRecord';
import type { CommandContext } from './commandContext';
import { printJson, printLine } from './output';
import { renewInvite } from './ownerCommands';
import { addAddress } from './ownerSession';
import {
  addSessionRecordOptions,
  loadSessionRecord,
  type SessionRecordOptions,
} from './sessionStore';

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

interface InviteOptions extends SessionRecordOptions {
  readonly address: readonly HostPort[];
  readonly verifierFile?: string;
  readonly inviteFile?: string;
  readonly renew?: boolean;
  /** Milliseconds from now. */
  readonly expires?: number;
  readonly json?: boolean;
}

/**
 * `invite`: the invite of a session whose tracker runs on another machine, and what that tracker needs
 * instead of a key.
 */
export function addInviteCommand(
  program: Command,
  context: CommandContext,
  dataFolder: string,
): void {
  const { output } = context;
  addSessionRecordOptions(
    program.command('invite').description('make the invite of a session, for a tracker elsewhere'),
  )
    .requiredOption('--address <host:port...>', 'where the tracker will be found', addAddress)
    .option('--verifier-file <path>', 'write what the tracker needs to this file')
    .option('--invite-file <path>', 'write the invite to this file instead of printing it')
    .option('--expires <time>', 'nobody joins by it after this time, such as 7d or 12h', parseTime)
    .option('--renew', 'make another invite: nobody comes back with those so far')
    .option('--json', 'print one JSON object per line')
    .action(async (options: InviteOptions) => {
      const { session, data = dataFolder, address, verifierFile, inviteFile, json } = options;
      const expiresMs = options.expires === undefined ? undefined : Date.now() + options.expires;
      let invite: string;
      if (options.renew === true)
        invite = await renewInvite({ ...options, expiresMs }, data, context);
      else {
        const record = await loadSessionRecord(data, session);
        invite = formatInvite(inviteOf(record, address, expiresMs));
        if (verifierFile !== undefined)
          writeSecretFile(verifierFile, JSON.stringify(verifierOf(record)), 'replace');
        if (inviteFile !== undefined) writeSecretFile(inviteFile, `${invite}\n`, 'replace');
      }
      if (json === true)
        printJson(output, { ...(inviteFile === undefined ? { invite } : { inviteFile }) });
      else if (inviteFile === undefined) printLine(output, `invite: ${invite}`);
      else printLine(output, `the invite is in ${inviteFile}`);
    });
}

function parseTime(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,4})([mhd])$/u.exec(text) ?? [];
  const timeMs = Number(count) * (UNIT_MS[unit] ?? 0);
  if (timeMs > 0) return timeMs;
  throw new InvalidArgumentError(
    'Give a number of minutes, hours or days, such as 30m, 12h or 7d.',
  );
}
