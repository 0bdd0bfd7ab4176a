// Starts everything to try the extension by hand: an open tracker on this computer and VS Code
// with the extension, one window per user.
//   npm start -- [--peers 2] [--folder PATH] [--desktop] [--open] [--build oldest|newest]
import { parseArgs } from 'node:util';
import { buildExtension } from './host/builds';
import { Cleanup } from './host/cleanup';
import { openPeer, type PeerStart } from './host/demoPeer';
import { startTracker } from './host/demoTracker';
import { SERVER_VERSIONS, type BuildName } from './host/serverBuild';

const NAMES = ['Alice', 'Bob', 'Carol', 'Dave'];
const USAGE =
  'usage: npm start -- [--peers 1..4] [--folder PATH] [--desktop] [--open] [--build oldest|newest]';

const log = (line: string): void => console.log(line);

interface Choice {
  names: string[];
  folder: string | undefined;
  desktop: boolean;
  open: boolean;
  build: BuildName;
}

function readChoice(): Choice {
  const { values } = parseArgs({
    options: {
      peers: { type: 'string', default: '1' },
      folder: { type: 'string' },
      desktop: { type: 'boolean', default: false },
      open: { type: 'boolean', default: false },
      build: { type: 'string', default: 'newest' },
    },
  });
  const peers = Number(values.peers);
  const build = (Object.keys(SERVER_VERSIONS) as BuildName[]).find((name) => name === values.build);
  if (!(peers >= 1 && peers <= NAMES.length) || build === undefined) {
    throw new Error(USAGE);
  }
  const { folder, desktop, open } = values;
  return { names: NAMES.slice(0, peers), folder, desktop, open, build };
}

/** Resolves at Ctrl+C or when the terminal goes away. A second Ctrl+C ends at once. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => resolve());
    }
  });
}

async function main(): Promise<void> {
  const choice = readChoice();
  const cleanup = new Cleanup();
  const end = interrupted();
  try {
    await Promise.race([startAll(choice, cleanup), end]);
    await end;
    log('\nstopping');
  } finally {
    await cleanup.run();
  }
}

async function startAll(choice: Choice, cleanup: Cleanup): Promise<void> {
  await buildExtension();
  const root = await cleanup.temporaryFolder('peershelf-start-');
  const tracker = await startTracker(cleanup);
  log(`tracker: ${tracker}`);
  for (const name of choice.names) {
    const start: PeerStart = { ...choice, name, root, tracker, cleanup, log };
    log(`${name}: ${await openPeer(start)}`);
  }
  log('Ctrl+C stops everything');
}

main().then(
  // Something that was still starting must not keep the process.
  () => process.exit(),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
