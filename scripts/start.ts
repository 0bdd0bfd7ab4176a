// Starts everything to try the extension by hand: a team's session on this computer and VS Code
// with the extension, one window per user, each a member already.
//   npm start -- [--peers 2] [--open-session] [--folder PATH] [--desktop] [--open]
//                [--build oldest|newest] [--no-build]
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { buildExtension } from './host/builds';
import { Cleanup } from './host/cleanup';
import { openPeer, type PeerStart } from './host/demoPeer';
import { startSession } from './host/demoTracker';
import { interruption } from './host/interruption';
import { Janitor } from './host/janitor';
import { unfinishedInstalls } from './host/npmInstall';
import { SERVER_VERSIONS, type BuildName } from './host/serverBuild';

const NAMES = ['Alice', 'Bob', 'Carol', 'Dave'];
const USAGE =
  'usage: npm start -- [--peers 0..4] [--open-session] [--folder PATH] [--desktop] [--open] ' +
  '[--build oldest|newest] [--no-build]';

const log = (line: string): void => console.log(line);

interface Choice {
  names: string[];
  openSession: boolean;
  folder: string | undefined;
  desktop: boolean;
  open: boolean;
  build: BuildName;
  /** Take `dist/` as it is. */
  built: boolean;
}

function readChoice(): Choice {
  const { values } = parseArgs({
    options: {
      peers: { type: 'string', default: '1' },
      'open-session': { type: 'boolean', default: false },
      folder: { type: 'string' },
      desktop: { type: 'boolean', default: false },
      open: { type: 'boolean', default: false },
      build: { type: 'string', default: 'newest' },
      'no-build': { type: 'boolean', default: false },
    },
  });
  const peers = Number(values.peers);
  const build = (Object.keys(SERVER_VERSIONS) as BuildName[]).find((name) => name === values.build);
  if (!(peers >= 0 && peers <= NAMES.length) || build === undefined) {
    throw new Error(USAGE);
  }
  const { folder, desktop, open, 'open-session': openSession, 'no-build': built } = values;
  return { names: NAMES.slice(0, peers), openSession, folder, desktop, open, build, built };
}

async function main(): Promise<void> {
  const choice = readChoice();
  const end = interruption();
  const root = path.join(os.tmpdir(), `peershelf-start-${randomUUID()}`);
  const janitor = Janitor.start([root, unfinishedInstalls()]);
  const cleanup = new Cleanup();
  cleanup.add(() => janitor.clean());
  try {
    await Promise.race([startAll(choice, root, cleanup), end]);
    await end;
    log('\nstopping');
  } finally {
    await cleanup.run();
  }
}

async function startAll(choice: Choice, root: string, cleanup: Cleanup): Promise<void> {
  if (!choice.built) {
    await buildExtension();
  }
  // Only its user may read the invite and the keys in it.
  await mkdir(root, { mode: 0o700 });
  const session = await startSession(cleanup, { root, open: choice.openSession });
  log(`tracker: ${session.address}`);
  if (session.inviteFile !== undefined) {
    log(`invite: ${session.inviteFile}`);
  }
  for (const name of choice.names) {
    const start: PeerStart = { ...choice, name, root, session, cleanup, log };
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
