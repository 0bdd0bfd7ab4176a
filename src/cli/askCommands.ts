import type { Command } from 'commander';
import type { NetworkFile, NetworkPeer } from '../peer/peerApi';
import { hostLabel } from '../protocol/hostLabel';
import { shortFingerprint } from '../protocol/shortFingerprint';
import type { CommandContext } from './commandContext';
import { formatAge, formatSize, printJson, printLine, printTable, withFingerprint } from './output';
import { type SessionOptions, withPeer } from './session';

/** Nobody reads more; what is left out is said. */
const MAX_LISTED_FILES = 100_000;

interface AskOptions extends SessionOptions {
  readonly json?: boolean;
}

/** `list`, `peers`, `search`, `discover` and `ping`: they ask the tracker and never register. */
export function addAskCommands(program: Command, context: CommandContext): void {
  const { output, session, signal } = context;

  session(program.command('list').description('list what everyone offers'))
    .option('--host <hostname>', 'only files of this host')
    .action(async (options: AskOptions & { host?: string }) => {
      await withPeer({ options, output, signal }, async (peer) => {
        await peer.refreshNetwork();
        const query = { hostname: options.host, limit: MAX_LISTED_FILES };
        const { files, total } = await peer.networkFiles(query);
        printFiles(context, options, files);
        if (total > files.length)
          output.stderr.write(`peershelf: only ${files.length} of ${total} files are listed\n`);
      });
    });

  session(
    program
      .command('peers')
      .description('list who is in the session, with fingerprints to compare'),
  ).action(async (options: AskOptions) => {
    await withPeer({ options, output, signal }, async (peer) => {
      await peer.refreshNetwork();
      printPeers(context, options, await peer.networkPeers());
    });
  });

  session(
    program.command('search <query>').description('list files whose name or owner matches'),
  ).action(async (text: string, options: AskOptions) => {
    await withPeer({ options, output, signal }, async (peer) => {
      const files = await peer.searchNetwork({ text, limit: MAX_LISTED_FILES });
      printFiles(context, options, files);
      if (files.length === MAX_LISTED_FILES)
        output.stderr.write(`peershelf: only the first ${files.length} files are listed\n`);
    });
  });

  session(program.command('discover <hostname>').description('list what one host offers')).action(
    async (hostname: string, options: AskOptions) => {
      await withPeer({ options, output, signal }, async (peer) => {
        printFiles(context, options, await peer.discover({ hostname }));
      });
    },
  );

  session(program.command('ping <hostname>').description('tell whether a host is online')).action(
    async (hostname: string, options: AskOptions) => {
      await withPeer({ options, output, signal }, async (peer) => {
        const online = await peer.ping({ hostname });
        if (options.json === true) printJson(output, { hostname, online });
        else printLine(output, online ? 'online' : 'not online');
        if (!online) context.setExitCode(1);
      });
    },
  );
}

function printFiles(
  { output }: CommandContext,
  { json }: AskOptions,
  files: readonly NetworkFile[],
): void {
  if (json === true) files.forEach((file) => printJson(output, withFingerprint(file)));
  else if (files.length === 0) output.stderr.write('No files.\n');
  else
    printTable(
      output,
      files.map((file) => [
        file.name,
        formatSize(file.sizeBytes),
        ownerOf(file),
        formatAge(Date.now() - file.publishedAtMs),
      ]),
    );
}

/** Told apart from look-alikes; else the two names, once where they are the same. */
function ownerOf(file: NetworkFile): string {
  const { displayName, hostname, looksAlike } = file;
  if (looksAlike === true) return hostLabel(file);
  return displayName === hostname ? hostname : `${displayName} (${hostname})`;
}

/** Names and fingerprint stand side by side in every row: look-alikes are told apart by it. */
function printPeers(
  { output }: CommandContext,
  { json }: AskOptions,
  peers: readonly NetworkPeer[],
): void {
  if (json === true) peers.forEach((peer) => printJson(output, withFingerprint(peer)));
  else if (peers.length === 0) output.stderr.write('Nobody else is here.\n');
  else
    printTable(
      output,
      peers.map((peer) => [
        peer.displayName,
        peer.hostname,
        peer.identity === undefined ? '-' : shortFingerprint(peer.identity),
        peer.state === 'online' ? 'online' : `away, last seen ${formatAge(peer.sinceAgeMs)}`,
        ...(peer.looksAlike === true ? ['looks like another'] : []),
      ]),
    );
}
