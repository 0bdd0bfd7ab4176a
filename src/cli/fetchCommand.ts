import { statSync } from 'node:fs';
import { basename, join, posix, relative, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { fromPlainError, toShownError } from '../common/errors';
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
  readonly from?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly maxDownload?: number;
  readonly json?: boolean;
}

/** `fetch NAME`: fetches one file into PATH, by default its base name in the current folder. */
export function addFetchCommand(program: Command, context: CommandContext): void {
  context
    .session(program.command('fetch <name>').description('fetch a file, or a folder: NAME/'))
    .option('--from <hostname>', 'the host to fetch from')
    .option('--output <path>', 'file or existing folder to fetch into')
    .option('--force', 'replace what is there')
    .option('--max-download <megabytes>', 'megabytes a second fetched in all', parseMegabytes)
    .action(async (name: string, options: FetchCommandOptions) => {
      if (name.endsWith('/')) return fetchFolder(name, context, options);
      const { output, signal } = context;
      const destination = chooseDestination(name, options.output);
      const bar = createBar(context, options.json === true);
      const settings = { maxDownloadBytesPerSecond: options.maxDownload };
      await withPeer({ options, output, signal, settings }, async (peer) => {
        try {
          const result = await peer.fetch(
            {
              name,
              hostname: options.from,
              destination,
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
  await withPeer({ options, output, signal, settings }, async (peer) => {
    try {
      const request: FolderFetchRequest = {
        prefix,
        hostname: options.from,
        destination,
        folder: destination,
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

/** One summary, and a line for every file that failed. */
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
    output.stderr.write(`peershelf: ${plainText(name)}: ${text}\n`);
  }
  const parts = [
    `${fetched} of ${files} files fetched`,
    ...(alreadyThere > 0 ? [`${alreadyThere} already there`] : []),
    ...(failedCount > 0 ? [`${failedCount} failed`] : []),
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
