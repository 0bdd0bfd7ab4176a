import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Disposable } from '../common/disposable';
import { deferred } from '../common/deferred';
import { fromPlainError, PeershelfError } from '../common/errors';
import { onAbort } from '../common/abort';
import { formatHostPort, isAddressLiteral } from '../protocol/address';
import { plainText } from '../protocol/text';
import type { Peer } from '../peer/peer';
import type {
  Notice,
  PeerSettings,
  PortRange,
  PublishRequest,
  Reachability,
} from '../peer/peerApi';
import { heldBack } from '../peer/publish/publicationGate';
import { findFiles, type FoundFile } from '../peer/selection/fileFinder';
import type { CommandContext } from './commandContext';
import { noteDuplicates } from './duplicateNotes';
import { errorText } from './errorText';
import { type Output, printJson, printLine } from './output';
import { parseMegabytes } from './rate';
import { DATA_FOLDER, type SessionOptions, withPeer } from './session';

/** Files that look like secrets and are named one by one. */
const MAX_NAMED_SECRETS = 20;

interface ShareOptions extends SessionOptions {
  readonly name?: string;
  readonly hostname?: string;
  readonly displayName?: string;
  readonly port?: string;
  readonly host?: string;
  readonly advertise?: string;
  readonly maxUpload?: number;
  readonly includeSecrets?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `share PATH…`: publishes and serves until stopped. */
export function addShareCommand(program: Command, context: CommandContext): void {
  context
    .session(
      program.command('share <path...>').description('publish files and folders, and serve them'),
    )
    .option('--name <name>', 'published name, for a single file')
    .option('--hostname <hostname>', 'name of this peer in the network')
    .option('--display-name <name>', 'name that people see')
    .option('--port <port>', 'port or range to serve on, such as 6012 or 6000-7000; 0 for any')
    .option('--host <address>', 'address to serve on')
    .option(
      '--advertise <address>',
      'address that others are told, if not the one that the tracker sees',
    )
    .option('--max-upload <megabytes>', 'megabytes a second sent in all', parseMegabytes)
    .option('--include-secrets', 'share files that look like keys, passwords or tokens, too')
    .option('--force', 'read every file, whatever is remembered of its content')
    .action(async (paths: string[], options: ShareOptions) => {
      const { output, signal } = context;
      const files = await chooseFiles(paths, options, context);
      if (files.length === 0) {
        context.setExitCode(1);
        return;
      }
      await withPeer({ options, output, signal, settings: toSettings(options) }, (peer) =>
        share(peer, { files, anew: options.force }, { context, json: options.json === true }),
      );
    });
}

async function share(
  peer: Peer,
  request: PublishRequest,
  { context, json }: { context: CommandContext; json: boolean },
): Promise<void> {
  const { output, signal } = context;
  await noteDuplicates(peer, request.files, output);
  const outcomes = await peer.publish(request);
  for (const { name, error } of outcomes) {
    if (error !== undefined) {
      context.setExitCode(1);
      output.stderr.write(`peershelf: ${errorText(fromPlainError(error))}\n`);
    } else if (json) printJson(output, { published: name });
    else printLine(output, `published ${plainText(name, Number.POSITIVE_INFINITY)}`);
  }
  const { serving } = await peer.snapshot();
  if (serving === undefined || outcomes.every(({ error }) => error !== undefined)) return;
  if (json) printJson(output, { serving });
  else printLine(output, `serving on ${formatHostPort(serving)}`);
  const connection = peer.onDidChangeConnection((state) => {
    if (state.kind === 'waiting')
      output.stderr.write(`peershelf: ${errorText(fromPlainError(state.error))}\n`);
  });
  const reachability = reportReachability(peer, output);
  const notices = peer.onDidNotice((notice) => {
    for (const line of noticeLines(notice)) output.stderr.write(`peershelf: ${line}\n`);
  });
  await untilAborted(signal);
  notices.dispose();
  reachability.dispose();
  connection.dispose();
}

/** Says when others cannot reach this computer, and when they can again. */
function reportReachability(peer: Peer, output: Output): Disposable {
  let last: Reachability['kind'] = 'unknown';
  const report = (reachability: Reachability): void => {
    // A lost connection says nothing new.
    if (reachability.kind === 'unknown') return;
    const { kind, port } = reachability;
    if (kind === 'unreachable' && last !== 'unreachable')
      output.stderr.write(
        `peershelf: others cannot reach this computer on port ${port}: allow the port in the firewall, or ` +
          'choose another one with --port\n',
      );
    if (kind === 'reachable' && last === 'unreachable')
      output.stderr.write(`peershelf: others reach this computer on port ${port} now\n`);
    last = kind;
  };
  void peer.snapshot().then(({ reachability }) => report(reachability));
  return peer.onDidChangeReachability(report);
}

function noticeLines(notice: Notice): string[] {
  const plain = (text: string): string => plainText(text, Number.POSITIVE_INFINITY);
  switch (notice.kind) {
    case 'unpublishedMissing':
      return notice.names.map((name) => `${plain(name)} is gone and not published any more`);
    case 'heldBack':
      return notice.files.map(({ name, reason }) => errorText(heldBack(name, reason)));
    case 'identityChanged':
      return [`somebody else has the hostname ${plain(notice.hostname)} now and is not shown`];
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  const stopped = deferred<undefined>();
  // A timer keeps the process alive: sockets and timers of the engine do not.
  const alive = setInterval(() => undefined, 60_000);
  onAbort(signal, () => stopped.resolve(undefined));
  await stopped.promise;
  clearInterval(alive);
}

/** What is shared of the paths; says what is not, and why. */
async function chooseFiles(
  paths: readonly string[],
  { name, includeSecrets }: ShareOptions,
  { output, signal, setExitCode }: CommandContext,
): Promise<PublishRequest['files']> {
  const tell = (line: string): unknown => output.stderr.write(`peershelf: ${line}\n`);
  const { files, failures } = await findFiles({ places: toPlaces(paths, name) }, signal, [
    DATA_FOLDER,
  ]);
  for (const { error } of failures) {
    setExitCode(1);
    tell(errorText(error));
  }
  const isWanted = ({ secrets }: FoundFile): boolean =>
    includeSecrets === true || secrets.length === 0;
  const leftOut = files.filter((file) => !isWanted(file));
  for (const { name: secret, secrets } of leftOut.slice(0, MAX_NAMED_SECRETS))
    tell(errorText(heldBack(secret, secrets[0] ?? 'name')));
  if (leftOut.length > MAX_NAMED_SECRETS)
    tell(`${leftOut.length - MAX_NAMED_SECRETS} more files look like secrets and are not shared`);
  if (files.length + failures.length === 0) tell('there is nothing to share there');
  return files.filter(isWanted).map((file) => ({ ...file, consent: file.secrets }));
}

function toPlaces(
  paths: readonly string[],
  name: string | undefined,
): { path: string; name: string }[] {
  if (name !== undefined && paths.length > 1)
    throw new PeershelfError('INVALID_ARGUMENT', '--name goes with a single file');
  return paths.map((given) => {
    const path = resolve(given);
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (isFolder && name !== undefined)
      throw new PeershelfError('INVALID_ARGUMENT', '--name goes with a file, not a folder');
    return { path, name: name ?? basename(path) };
  });
}

function toSettings(options: ShareOptions): Partial<PeerSettings> {
  const { hostname, displayName, port, host, advertise, maxUpload } = options;
  for (const [flag, address] of Object.entries({ '--host': host, '--advertise': advertise }))
    if (address !== undefined && !isAddressLiteral(address))
      throw new PeershelfError('INVALID_ADDRESS', `${flag} takes an address`, {
        details: { address },
      });
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(port === undefined ? {} : { ports: parsePorts(port) }),
    ...(host === undefined ? {} : { listenHost: host === '0.0.0.0' ? '::' : host }),
    ...(advertise === undefined ? {} : { advertiseAddress: advertise }),
    ...(maxUpload === undefined ? {} : { maxUploadBytesPerSecond: maxUpload }),
  };
}

function parsePorts(text: string): PortRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/u.exec(text);
  const first = Number(match?.[1] ?? Number.NaN);
  const last = Number(match?.[2] ?? first);
  if (!(first <= last && last <= 65_535 && (first > 0 || last === 0)))
    throw new PeershelfError('INVALID_ARGUMENT', `${text} is no port or range of ports`);
  return { first, last };
}
