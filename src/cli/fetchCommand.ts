import { statSync } from 'node:fs';
import { basename, join, posix, relative, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { type ErrorCode, fromPlainError, PeershelfError, toShownError } from '../common/errors';
import type {
  FetchResult,
  FolderFetchRequest,
  FolderFetchResult,
  TransferProgress,
} from '../peer/peerApi';
import { toLocalName } from '../protocol/names';
import { fullHostLabel } from '../protocol/hostLabel';
import { plainText } from '../protocol/text';
import type { CommandContext } from './commandContext';
import { errorText } from './errorText';
import { formatSize, printJson, printLine, withFingerprint } from './output';
import { parseMegabytes } from './rate';
import { type SessionOptions, withPeer } from './session';

interface FetchCommandOptions extends SessionOptions {
  readonly from: readonly string[];
  readonly fromAll?: boolean;
  readonly allowExecutables?: boolean;
  readonly output?: string;
  readonly force?: boolean;
  readonly maxDownload?: number;
  readonly json?: boolean;
}

/** Errors whose text begins with the name of the file. */
const NAMES_FILE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['GIT_REPOSITORY', 'RISKY_PLACE']);

/** `fetch NAME`: fetches one file into PATH, by default its base name in the current folder. */
export function addFetchCommand(program: Command, context: CommandContext): void {
  context
    .session(program.command('fetch <name>').description('fetch a file, or a folder: NAME/'))
    .option('--from <hostname>', 'host to fetch from; of a folder, one or several', addHostname, [])
    .option('--from-all', 'fetch what anybody offers in the folder')
    .option('--output <path>', 'file or existing folder to fetch into')
    .option('--force', 'replace what is there')
    .option(
      '--allow-executables',
      'fetch files that can make programs run, or that programs and agents obey, too',
    )
    .option('--max-download <megabytes>', 'megabytes a second fetched in all', parseMegabytes)
    .action(async (name: string, options: FetchCommandOptions) => {
      if (name.endsWith('/')) return fetchFolder(name, context, options);
      const { output, signal } = context;
      const hostname = oneHostname(options);
      const destination = chooseDestination(name, options.output);
      const bar = createBar(context, options.json === true);
      const settings = { maxDownloadBytesPerSecond: options.maxDownload };
      await withPeer({ options, output, signal, settings }, async (peer) => {
        try {
          const result = await peer.fetch(
            {
              name,
              hostname,
              destination,
              guardedAs: options.allowExecutables === true ? undefined : basename(destination),
              ifExists: options.force === true ? 'overwrite' : 'fail',
            },
            // Not the signal: a fetch that is interrupted is gone on with the next time.
            { onProgress: bar.update },
          );
          bar.stop();
          report(result, context, options);
        } finally {
          bar.stop();
        }
      });
    });
}

async function fetchFolder(
  prefix: string,
  context: CommandContext,
  options: FetchCommandOptions,
): Promise<void> {
  const { output, signal } = context;
  const base = basename(toLocalName(posix.basename(prefix), process.platform));
  const destination = resolve(options.output ?? base);
  const bar = createBar(context, options.json === true);
  const settings = { maxDownloadBytesPerSecond: options.maxDownload };
  if (options.fromAll === true && options.from.length > 0)
    throw new PeershelfError('INVALID_ARGUMENT', 'use either --from or --from-all');
  await withPeer({ options, output, signal, settings }, async (peer) => {
    try {
      const request: FolderFetchRequest = {
        prefix,
        hostnames: options.from,
        fromAll: options.fromAll,
        destination,
        folder: destination,
        guardedAs: guardedFolder(base, options),
        ifExists: options.force === true ? 'overwrite' : 'fail',
      };
      const result = await peer.fetchFolder(request, { onProgress: bar.update });
      bar.stop();
      reportFolder(result, context, options);
    } finally {
      bar.stop();
    }
  });
}

function addHostname(hostname: string, before: readonly string[]): string[] {
  return [...before, hostname];
}

/** @throws INVALID_ARGUMENT for what goes with a folder only. */
function oneHostname({ from, fromAll }: FetchCommandOptions): string | undefined {
  if (from.length > 1 || fromAll === true)
    throw new PeershelfError(
      'INVALID_ARGUMENT',
      'several --from, and --from-all, go with a folder: NAME/',
    );
  return from[0];
}

/** The folder as far as its publishers have named it: what the user has named is no risk of theirs. */
function guardedFolder(
  base: string,
  { output, allowExecutables }: FetchCommandOptions,
): string | undefined {
  if (allowExecutables === true) return undefined;
  return output === undefined ? base : '';
}

/** One summary, and a line for every file that was not fetched. */
function reportFolder(
  result: FolderFetchResult,
  context: CommandContext,
  options: FetchCommandOptions,
): void {
  const { output } = context;
  const { path, files, fetched, alreadyThere, sizeBytes, failed, failedCount } = result;
  if (failedCount > 0) context.setExitCode(1);
  if (options.json === true) {
    const shown = failed.map(({ name, error }) => ({ name, error: toShownError(error) }));
    printJson(output, { ...result, failed: shown });
    return;
  }
  for (const { name, error } of failed) {
    const text = errorText(fromPlainError(error));
    // Errors of one file alone name it themselves.
    const shown = NAMES_FILE.has(error.code) ? '' : `${plainText(name)}: `;
    output.stderr.write(`peershelf: ${shown}${text}\n`);
  }
  const parts = [
    `${fetched} of ${files} files fetched`,
    ...(alreadyThere > 0 ? [`${alreadyThere} already there`] : []),
    ...(failedCount > 0 ? [`${failedCount} not fetched`] : []),
  ];
  const place = plainText(relative('.', path) || path, Number.POSITIVE_INFINITY);
  printLine(output, `${place}: ${parts.join(', ')} (${formatSize(sizeBytes)})`);
}

function chooseDestination(name: string, output: string | undefined): string {
  const isFolder =
    output !== undefined && statSync(output, { throwIfNoEntry: false })?.isDirectory();
  if (output !== undefined && isFolder !== true) return resolve(output);
  // The last part only: a name must not choose a folder of its own.
  return resolve(
    join(output ?? '.', basename(toLocalName(posix.basename(name), process.platform))),
  );
}

function report(
  result: FetchResult,
  { output }: CommandContext,
  options: FetchCommandOptions,
): void {
  if (options.json === true) {
    printJson(output, withFingerprint(result));
    return;
  }
  const path = plainText(relative('.', result.path) || result.path, Number.POSITIVE_INFINITY);
  const done = result.outcome === 'fetched' ? 'fetched' : 'already there:';
  // A fetch does not look at all hosts: whose file it was is told in full, not only beside a look-alike.
  const { identity } = result;
  const owner =
    identity === undefined ? plainText(result.displayName) : fullHostLabel({ ...result, identity });
  const size = formatSize(result.sizeBytes);
  printLine(output, `${done} ${path} (${size}) from ${owner}${describeParts(result)}`);
  if (result.changedSincePublished)
    output.stderr.write(
      'peershelf: the file has changed since it was published; this is the new content\n',
    );
}

/** What was here already, and who else has sent something. */
function describeParts({ outcome, keptBytes, receivedBytes, sources }: FetchResult): string {
  if (outcome === 'alreadyThere') return '';
  const parts: string[] = [];
  if (sources.length > 1) parts.push(`${sources.length} sources`);
  if (keptBytes > 0 && receivedBytes > 0)
    parts.push(
      `${formatSize(keptBytes)} were here already, ${formatSize(receivedBytes)} transferred`,
    );
  if (keptBytes > 0 && receivedBytes === 0) parts.push('copied on this computer');
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

/** A progress bar on a terminal, nothing elsewhere. */
function createBar(
  { output }: CommandContext,
  json: boolean,
): { update: (progress: TransferProgress) => void; stop: () => void } {
  if (json || output.stderr.isTTY !== true)
    return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: '{bar} {percentage}% of {size}',
    stream: process.stderr,
    clearOnComplete: true,
  });
  let started = false;
  return {
    update: ({ bytes, totalBytes }) => {
      const payload = { size: formatSize(totalBytes) };
      if (started) bar.update(bytes, payload);
      else bar.start(totalBytes, bytes, payload);
      started = true;
    },
    stop: () => {
      if (started) bar.stop();
      started = false;
    },
  };
}
