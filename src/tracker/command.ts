import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../common/clock';
import { DisposableStore } from '../common/disposable';
import { type ErrorCode, PeershelfError } from '../common/errors';
import { createLogger, type Logger, streamSink } from '../common/logger';
import { LanAnnouncer } from '../lan/lanAnnouncer';
import { MULTICAST_DNS_PORT } from '../lan/lanSocket';
import { announcedAddresses } from '../lan/ownAddresses';
import { formatHostPort, type HostPort, isLoopback } from '../protocol/address';
import { DEFAULT_TRACKER_PORT } from '../protocol/limits';
import { MAX_VERIFIER_CHARACTERS, parseVerifier } from '../protocol/verifier';
import { Lease, readLeaseFile } from './lease';
import { LIMIT_SPECS, type TrackerLimits } from './limits';
import type { TrackerIo } from './processIo';
import { Tracker, type TrackerTeam } from './tracker';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Four missed renewals of an editor that renews every 15 seconds. */
const DEFAULT_LEASE_SECONDS = 60;

const WHICH_SESSION =
  'error: give --verifier-file for the session of a team, or --open for one without encryption and ' +
  'authentication, on a trusted network';

const LOOPBACK = '127.0.0.1';

/** Means standard input where a file is named. */
const STANDARD_INPUT = '-';

export interface TrackerCommandOptions extends TrackerLimits {
  readonly host: string;
  readonly port: number;
  readonly open?: true;
  readonly verifierFile?: string;
  readonly stateFolder?: string;
  readonly withParent?: true;
  readonly json?: true;
  readonly leaseFile?: string;
  readonly leaseSeconds: number;
  readonly announce: boolean;
  readonly announcePort?: number;
}

/** Starts the session of a team whose keys this program makes, in place of `tracker` itself. */
export interface TrackerLauncher {
  /** Adds its own options. */
  readonly extend: (command: Command) => void;
  /** Resolves to the exit code of the tracker. @throws what the user has to know. */
  readonly launch: (options: TrackerCommandOptions) => Promise<number>;
}

/**
 * The command `tracker`, to run alone or as part of another program. Parsing rejects with a
 * `CommanderError` whose `exitCode` is 1 for a failure, 2 for wrong usage, 0 for help; what the user
 * has to know is on `io.stderr` by then. It resolves when the tracker was asked to stop and has.
 */
export function createTrackerCommand(io: TrackerIo, launcher?: TrackerLauncher): Command {
  const command = new Command('tracker')
    .description('start a tracker and run it until it is stopped')
    .option('--open', 'start an open session: no encryption, no authentication')
    .option('--host <address>', 'address to listen on', parseHost, LOOPBACK)
    .option(
      '--port <number>',
      'port to listen on, 0 lets the system choose',
      parsePort,
      DEFAULT_TRACKER_PORT,
    )
    .option('--verifier-file <path>', 'start the session of a team whose keys others keep')
    .option(
      '--state-folder <path>',
      "where the tracker keeps the session's statement and whose hostnames are (default: beside the verifier)",
    )
    .option('--no-announce', 'do not tell the network that the session is here')
    .option('--json', 'print one JSON object per line')
    .addOption(
      // For tests, which keep to themselves.
      new Option('--announce-port <number>', 'announce on this port of loopback')
        .argParser(parsePort)
        .hideHelp(),
    )
    .addOption(new Option('--with-parent', 'end together with the parent').hideHelp())
    .addOption(
      new Option('--lease-file <path>', 'end when this file is not renewed any more').hideHelp(),
    )
    .addOption(
      new Option('--lease-seconds <number>', 'how long a renewal of the lease file lasts')
        .argParser(parseSeconds)
        .default(DEFAULT_LEASE_SECONDS)
        .hideHelp(),
    );
  for (const { flag, description, defaultValue } of LIMIT_SPECS)
    command.option(
      `${flag} <number>`,
      description,
      flag.endsWith('-seconds') ? parseSeconds : parseAmount,
      defaultValue,
    );
  launcher?.extend(command);
  return command
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .exitOverride(({ exitCode, code, message }) => {
      const isOurs = exitCode === 0 || code === 'peershelf.tracker';
      throw new CommanderError(isOurs ? exitCode : EXIT_USAGE, code, message);
    })
    .action((options: TrackerCommandOptions) => run(command, options, { io, launcher }));
}

/** Runs the command with the arguments after the program's name. Resolves to the exit code. */
export async function runTracker(argv: readonly string[], io: TrackerIo): Promise<number> {
  try {
    await createTrackerCommand(io).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === EXIT_USAGE)
      await io.notifyParent({ type: 'failed', code: 'INVALID_ARGUMENT', message: error.message });
    return error.exitCode;
  }
}

async function run(
  command: Command,
  options: TrackerCommandOptions,
  { io, launcher }: { readonly io: TrackerIo; readonly launcher: TrackerLauncher | undefined },
): Promise<void> {
  const isOwn = options.open === true || options.verifierFile !== undefined;
  if (!isOwn && launcher === undefined)
    command.error(WHICH_SESSION, { exitCode: EXIT_USAGE, code: 'peershelf.tracker' });
  let exitCode: number;
  try {
    if (isOwn || launcher === undefined) {
      await serve(options, io);
      return;
    }
    exitCode = await launcher.launch(options);
  } catch (error) {
    const failure = PeershelfError.from(error);
    const message = explain(failure);
    await io.notifyParent({ type: 'failed', code: failure.code, message });
    command.error(`error: ${message}`, { exitCode: EXIT_FAILED, code: 'peershelf.tracker' });
  }
  // The process that ran it has said why.
  if (exitCode !== 0) throw new CommanderError(exitCode, 'peershelf.tracker', 'it has ended');
}

/** Runs a tracker until a signal or the end of the lease. */
async function serve(options: TrackerCommandOptions, io: TrackerIo): Promise<void> {
  const logger = createLogger(streamSink(io.stderr), 'tracker');
  const { host, port } = options;
  const team = await readTeam(options, io);
  const tracker = new Tracker(
    { clock: systemClock, logger },
    { host, port, team, limits: options },
  );
  const watchers = new DisposableStore();
  let announcer: LanAnnouncer | undefined;
  try {
    const stopWanted = new Promise<string>((resolve) => {
      watchers.add(io.onStopSignal(resolve));
      if (options.withParent === true)
        watchers.add(io.onParentGone(() => resolve('its parent is gone')));
      if (options.leaseFile !== undefined)
        watchers.add(createLease(options.leaseFile, { options, onEnd: resolve })).start();
    });
    const address = await tracker.start();
    if (team === undefined) warnIfOpenToNetwork(address.host, logger);
    else announcer = announce(address, team, { options, logger });
    const text = formatHostPort(address);
    const ready = { type: 'ready', ...address, pid: io.pid } as const;
    io.stdout.write(
      options.json === true ? `${JSON.stringify(ready)}\n` : `listening on ${text}\n`,
    );
    await io.notifyParent(ready);
    logger.info(`stopping: ${await stopWanted}`);
  } finally {
    watchers.dispose();
    await announcer?.stop();
    await tracker.stop();
  }
}

/** Tells the network of a team's tracker, unless only this computer reaches it. */
function announce(
  { host, port }: HostPort,
  { sessionName, identity }: TrackerTeam,
  { options, logger }: { readonly options: TrackerCommandOptions; readonly logger: Logger },
): LanAnnouncer | undefined {
  const { announce: isWanted, announcePort } = options;
  if (!isWanted || sessionName === undefined) return undefined;
  if (announcePort === undefined && isLoopback(host)) return undefined;
  const place =
    announcePort === undefined
      ? { port: MULTICAST_DNS_PORT, addresses: () => announcedAddresses(host) }
      : { port: announcePort, addresses: () => [LOOPBACK] };
  const { fingerprint } = identity;
  const dependencies = { clock: systemClock, logger: logger.child('lan') };
  const announcer = new LanAnnouncer(dependencies, { sessionName, fingerprint, port }, place);
  announcer.start();
  return announcer;
}

/** @throws INVALID_ARGUMENT for both kinds of session at once, and for a file that is no verifier. */
async function readTeam(
  { open, verifierFile, stateFolder }: TrackerCommandOptions,
  io: TrackerIo,
): Promise<TrackerTeam | undefined> {
  if (verifierFile === undefined) return undefined;
  if (open === true)
    throw new PeershelfError('INVALID_ARGUMENT', 'a session is open or that of a team, not both');
  const text =
    verifierFile === STANDARD_INPUT
      ? await io.readInput(MAX_VERIFIER_CHARACTERS)
      : readVerifierFile(verifierFile);
  const folder =
    stateFolder ?? (verifierFile === STANDARD_INPUT ? undefined : dirname(verifierFile));
  const verifier = parseVerifier(text);
  if (folder === undefined) return verifier;
  const { teamId } = verifier.statement.statement;
  return {
    ...verifier,
    bindingsFile: join(folder, `hostnames-${teamId}.json`),
    statementFile: join(folder, `statement-${teamId}.json`),
  };
}

function readVerifierFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PeershelfError('INVALID_ARGUMENT', `cannot read ${path}`, { cause });
  }
}

function createLease(
  leaseFile: string,
  {
    options,
    onEnd,
  }: {
    readonly options: TrackerCommandOptions;
    readonly onEnd: (reason: string) => void;
  },
): Lease {
  return new Lease({
    clock: systemClock,
    read: () => readLeaseFile(leaseFile),
    leaseMs: options.leaseSeconds * 1_000,
    onEnd: (reason) => onEnd(reason === 'stop' ? 'its editor says so' : 'its editor is gone'),
  });
}

function warnIfOpenToNetwork(host: string, logger: Logger): void {
  if (!isLoopback(host))
    logger.warn('everyone who can reach this address can see and offer files in this open session');
}

const NEXT_STEPS: Partial<Record<ErrorCode, string>> = {
  PORT_IN_USE:
    'stop the program that has the port, or choose another one with --port (0 lets the system choose)',
  INVALID_ADDRESS:
    'choose an address of this computer with --host (127.0.0.1 for this computer only)',
  INVALID_ARGUMENT: 'choose a port above 1023 with --port',
};

/** Cause and next step, for a person at a terminal. */
function explain(error: PeershelfError): string {
  const isAboutAddress = error.details['port'] !== undefined;
  const nextStep = isAboutAddress ? NEXT_STEPS[error.code] : undefined;
  if (nextStep !== undefined) return `${error.message}: ${nextStep}`;
  return `the tracker could not run: ${error.message}`;
}

function parseHost(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('An address is needed.');
  return text.trim();
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/u.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return Number(text);
}

function parseAmount(text: string): number {
  return parseWhole(text, 1_000_000_000);
}

/** As many as a timer can count. */
function parseSeconds(text: string): number {
  return parseWhole(text, 2_000_000);
}

function parseWhole(text: string, max: number): number {
  const value = /^\d{1,10}$/u.test(text) ? Number(text) : 0;
  if (value < 1 || value > max)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  return value;
}
