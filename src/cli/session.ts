import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import envPaths from 'env-paths';
import { onAbort } from '../common/abort';
import { systemClock } from '../common/clock';
import { PeershelfError } from '../common/errors';
import { readInviteText } from '../common/inviteFile';
import { createLogger, streamSink } from '../common/logger';
import {
  DEFAULT_MAX_UPLOADS,
  DEFAULT_PEER_PORTS,
  DEFAULT_TRACKER_PORT,
  MAX_INVITE_TEXT_CHARACTERS,
} from '../protocol/limits';
import { parseHostPort } from '../protocol/address';
import { parseInvite } from '../protocol/invite';
import { SessionFinder } from '../lan/sessionFinder';
import type { StoredIdentity } from '../peer/identity/identity';
import { loadIdentityFile } from '../peer/identity/identityFile';
import { Peer } from '../peer/peer';
import type { ConnectRequest, PeerSettings } from '../peer/peerApi';
import { type InviteFileMemory, recallInviteFile } from './inviteFileMemory';
import type { Output } from './output';

/** Options that every command with a session has. */
export interface SessionOptions {
  readonly tracker?: string;
  readonly invite?: string;
  readonly inviteFile?: string;
  readonly verbose?: boolean;
  readonly lanPort?: number;
}

export interface WithPeer {
  readonly options: SessionOptions;
  readonly settings?: Partial<PeerSettings>;
  readonly output: Output;
  /** Ends the peer, and with it whatever waits. */
  readonly signal: AbortSignal;
}

/** Folder of this user for what the command line remembers. */
export const DATA_FOLDER = envPaths('peershelf', { suffix: '' }).data;

/** What an invite is read from when no option names one. */
const INVITE_VARIABLE = 'PEERSHELF_INVITE';

/** Adds the options that say which session is meant. */
export function addSessionOptions(command: Command): Command {
  return command
    .option('--invite-file <path>', `a file with the invite; else ${INVITE_VARIABLE} is asked`)
    .addOption(
      // Arguments are visible to other users of a machine.
      new Option('--invite <link>', 'the invite itself').hideHelp(),
    )
    .addOption(
      // For tests, which keep to themselves.
      new Option('--lan-port <number>', 'look for the tracker on this port of loopback')
        .argParser(Number)
        .hideHelp(),
    )
    .option('--tracker <host:port>', 'the tracker of an open session');
}

/** @throws INVALID_ARGUMENT unless exactly one session is named, and what is wrong with it. */
async function toConnectRequest(
  { tracker, invite, inviteFile }: SessionOptions,
  storageFolder: string,
): Promise<ConnectRequest> {
  const named = [tracker, invite, inviteFile].filter((option) => option !== undefined);
  if (named.length > 1)
    throw new PeershelfError('INVALID_ARGUMENT', 'name one session: a tracker or an invite');
  if (tracker !== undefined) return { tracker: parseHostPort(tracker, DEFAULT_TRACKER_PORT) };
  const text =
    invite ?? (inviteFile === undefined ? process.env[INVITE_VARIABLE] : readInvite(inviteFile));
  if (text === undefined)
    throw new PeershelfError(
      'INVALID_ARGUMENT',
      `name a session with --invite-file, ${INVITE_VARIABLE} or --tracker`,
    );
  parseInvite(text);
  return { invite: text, identity: await ownIdentity(storageFolder), isReturning: true };
}

/** @throws INVITE_FOREIGN when an invite file has become that of another team. */
function memoryOf(
  { inviteFile }: SessionOptions,
  target: ConnectRequest,
  storageFolder: string,
): InviteFileMemory | undefined {
  if (inviteFile === undefined || !('invite' in target)) return undefined;
  // The very text that is joined by: the file may change once more.
  return recallInviteFile(inviteFile, parseInvite(target.invite), storageFolder);
}

/** Identity of this user in sessions of teams; made when there is none. */
export function ownIdentity(folder = join(DATA_FOLDER, 'cli')): Promise<StoredIdentity> {
  return loadIdentityFile(join(folder, 'identity.json'), new Date());
}

export function readInvite(path: string): string {
  return readInviteText(path, { maxBytes: MAX_INVITE_TEXT_CHARACTERS, mustBeOwn: true });
}

/** Runs `task` with a peer that is in the session, and ends the peer whatever happens. */
export async function withPeer(
  { options, settings, output, signal }: WithPeer,
  task: (peer: Peer) => Promise<void>,
): Promise<void> {
  const storageFolder = join(DATA_FOLDER, 'cli');
  const target = await toConnectRequest(options, storageFolder);
  const memory = memoryOf(options, target, storageFolder);
  const level = options.verbose === true ? 'trace' : 'error';
  const logger = createLogger(streamSink(output.stderr, level));
  const finder = new SessionFinder(
    { clock: systemClock, logger: logger.child('lan') },
    options.lanPort === undefined ? {} : { port: options.lanPort, addresses: ['127.0.0.1'] },
  );
  const peer = new Peer(
    { logger, findTracker: (fingerprint, found) => finder.findTracker(fingerprint, found) },
    {
      storageFolder,
      keepCatalogue: false,
      lazyNetwork: true,
      windowId: randomUUID(),
      // Beside this program.
      hashWorker: join(__dirname, 'hashWorker.js'),
      settings: {
        hostname: hostname(),
        displayName: userName(),
        ports: DEFAULT_PEER_PORTS,
        advertiseAddress: '',
        listenHost: '',
        maxUploads: DEFAULT_MAX_UPLOADS,
        ...settings,
      },
    },
  );
  const abort = onAbort(signal, () => void peer.stop());
  try {
    await peer.connect(target);
    memory?.keep();
    await task(peer);
  } finally {
    abort.dispose();
    await peer.stop();
    finder.dispose();
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return hostname(); // A user without an entry in the system's list, as in some containers.
  }
}
