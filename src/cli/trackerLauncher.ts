import { type ChildProcess, fork } from 'node:child_process';
import type { Command } from 'commander';
import { makeDataFolder } from '../common/privateFiles';
import { every, systemClock } from '../common/clock';
import { DisposableStore } from '../common/disposable';
import { PeershelfError } from '../common/errors';
import { writeSecretFile } from '../common/secretFile';
import { formatHostPort, type HostPort } from '../protocol/address';
import { formatInvite } from '../protocol/invite';
import { reachableAddresses } from '../lan/ownAddresses';
import { bringStatement } from '../peer/team/bringStatement';
import { openIdentity } from '../peer/identity/identity';
import { reconcile } from '../peer/team/reconcile';
import { hear } from '../peer/team/synchronise';
import { errorText } from './errorText';
import { ownIdentity } from './session';
import {
  inviteOf,
  type SessionRecord,
  verifierOf,
  withRenewedLease,
} from '../peer/team/sessionRecord';
import {
  addSessionRecordOptions,
  keepSessionRecord,
  loadSessionRecord,
  readSessionRecord,
  withSessionLock,
} from './sessionStore';
import type { TrackerCommandOptions, TrackerLauncher } from '../tracker/command';
import { LIMIT_SPECS } from '../tracker/limits';
import type { TrackerIo, TrackerMessage } from '../tracker/processIo';

/** Age at which a lease is renewed, which holds for two weeks, and time between two looks at it. */
const LEASE_RENEWAL_MS = 24 * 3_600_000;
const LEASE_LOOK_MS = 3_600_000;

interface LaunchOptions extends TrackerCommandOptions {
  readonly session: string;
  readonly data?: string;
  readonly inviteFile?: string;
}

export interface TrackerLauncherDependencies {
  readonly io: TrackerIo;
  /** Bundle of the stand-alone tracker. */
  readonly bundle: string;
  /** Where sessions are kept when nothing else is said. */
  readonly dataFolder: string;
}

/**
 * Starts the session of a team: keeps its keys, and runs the tracker in a process of its own that never
 * gets them. Its invite stays valid when it is started again.
 */
export function createTrackerLauncher(dependencies: TrackerLauncherDependencies): TrackerLauncher {
  return {
    extend: (command: Command) => {
      addSessionRecordOptions(command).option(
        '--invite-file <path>',
        'write the invite to this file instead of printing it',
      );
    },
    launch: (options) => launch(options as LaunchOptions, dependencies),
  };
}

async function launch(
  options: LaunchOptions,
  { io, bundle, dataFolder }: TrackerLauncherDependencies,
): Promise<number> {
  const folder = options.data ?? dataFolder;
  // One that the user names may hold other things, too.
  if (options.data === undefined) makeDataFolder(folder);
  // Not renewed before the tracker runs and has said what it knows: it may be a copy of long ago.
  const record = await loadSessionRecord(folder, options.session);
  const child = fork(bundle, childArguments(options, folder), {
    stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
  // By its input, where no list of processes shows it.
  child.stdin?.on('error', () => undefined).end(JSON.stringify(verifierOf(record)));
  const stopping = io.onStopSignal(() => {
    if (child.connected) child.disconnect();
  });
  const renewing = new DisposableStore();
  try {
    const address = await Promise.race([whenReady(child), ended]);
    if (typeof address !== 'number') {
      const look = (): Promise<void> => renew(address, { folder, options, io });
      // Its verifier has no envelopes, and an owner killed in a rotation may not have brought them.
      // First of all: the invite of keys from a backup would be one of an epoch that has ended.
      await Promise.race([look(), ended]);
      tell(address, { record: readSessionRecord(folder, options.session), options, io });
      renewing.add(every(systemClock, LEASE_LOOK_MS, () => void look()));
    }
    return await ended;
  } finally {
    renewing.dispose();
    stopping.dispose();
    if (child.connected) child.disconnect();
  }
}

/** The record with a lease that is not old: this program is the owner's, and runs. */
function keepLease(record: SessionRecord, folder: string): SessionRecord {
  const ageMs = systemClock.now() - record.statement.statement.issuedMs;
  // A copy that was imported signs nothing before it has heard what happened since.
  if (ageMs < LEASE_RENEWAL_MS || record.isUnheard === true) return record;
  const renewed = withRenewedLease(record, new Date(systemClock.now()));
  keepSessionRecord(folder, renewed);
  return renewed;
}

/**
 * Takes over what the tracker of a session knows, renews a lease that has run for long, and brings what
 * the tracker lacks. What fails is said, and tried again an hour later.
 */
async function renew(
  address: HostPort,
  { folder, options, io }: { folder: string; options: LaunchOptions; io: TrackerIo },
): Promise<void> {
  const bring = async (): Promise<void> => {
    const addresses = reachableAddresses(address.host).map((host) => ({ ...address, host }));
    const identity = openIdentity(await ownIdentity());
    const { owner, root, statement } = readSessionRecord(folder, options.session);
    const { trackers } = statement.statement;
    const where = { addresses, clock: systemClock, identity };
    const heard = await hear({ owner, root, trackers }, where);
    await withSessionLock({ folder, session: options.session }, async () => {
      // Read again: another command of the owner may have changed it.
      const kept = readSessionRecord(folder, options.session);
      const newest = reconcile(kept, heard, { identity, now: new Date(systemClock.now()) });
      if (newest !== kept) keepSessionRecord(folder, newest);
      await bringStatement(keepLease(newest, folder), { addresses, clock: systemClock });
    });
  };
  try {
    await bring();
  } catch (error) {
    io.stderr.write(
      `the statement of the session is not renewed: ${PeershelfError.from(error).message}\n`,
    );
  }
}

function childArguments(options: LaunchOptions, folder: string): string[] {
  const limits = LIMIT_SPECS.flatMap(({ name, flag }) => [flag, `${options[name]}`]);
  const address = ['--host', options.host, '--port', `${options.port}`];
  const team = ['--verifier-file', '-', '--state-folder', folder, '--with-parent'];
  const { announce, announcePort } = options;
  const announced = announcePort === undefined ? [] : ['--announce-port', `${announcePort}`];
  return [...address, ...team, ...limits, ...(announce ? announced : ['--no-announce'])];
}

/** Where it listens. What goes wrong it says itself, before it ends. */
function whenReady(child: ChildProcess): Promise<HostPort> {
  return new Promise((resolve) => {
    child.on('message', (message: TrackerMessage) => {
      if (message.type === 'ready') resolve({ host: message.host, port: message.port });
    });
  });
}

function tell(
  { host, port }: HostPort,
  { record, options, io }: { record: SessionRecord; options: LaunchOptions; io: TrackerIo },
): void {
  const { inviteFile, json } = options;
  const invite = inviteFor(record, { host, port }, io);
  if (inviteFile !== undefined && invite !== undefined)
    writeSecretFile(inviteFile, `${invite}\n`, 'replace');
  const shown = inviteFile === undefined ? { invite } : { inviteFile };
  if (json === true) {
    const more = invite === undefined ? {} : shown;
    io.stdout.write(`${JSON.stringify({ type: 'ready', host, port, pid: io.pid, ...more })}\n`);
    return;
  }
  io.stdout.write(`listening on ${formatHostPort({ host, port })}\n`);
  if (invite !== undefined)
    io.stdout.write(
      inviteFile === undefined ? `invite: ${invite}\n` : `the invite is in ${inviteFile}\n`,
    );
}

/** The invite; undefined without the key of the epoch, which a command to the running tracker replaces. */
function inviteFor(
  record: SessionRecord,
  { host, port }: HostPort,
  io: TrackerIo,
): string | undefined {
  const addresses = reachableAddresses(host).map((address) => ({ host: address, port }));
  try {
    return formatInvite(inviteOf(record, addresses));
  } catch (error) {
    if (!PeershelfError.is(error, 'EPOCH_KEY_MISSING')) throw error;
    io.stderr.write(`peershelf: ${errorText(error)}\n`);
    return undefined;
  }
}
