import type { ChildProcess } from 'node:child_process';
import * as path from 'node:path';
import type { Cleanup } from './cleanup';
import { exitWithParent, spawnOwned } from './ownedProcess';
import { REPOSITORY } from './paths';

const START_TIMEOUT_MS = 15_000;

/** The session that the windows of a start are in. */
export interface DemoSession {
  /** `host:port` of the tracker. */
  readonly address: string;
  /** File with the invite; undefined in an open session, which needs none. */
  readonly inviteFile: string | undefined;
}

export interface DemoSessionOptions {
  /** Temporary folder of this start; the keys of a team and its invite lie in it. */
  readonly root: string;
  /** Start an open session instead of a team's. */
  readonly open: boolean;
}

/** Starts a session on a free port of this computer. */
export async function startSession(
  cleanup: Cleanup,
  { root, open }: DemoSessionOptions,
): Promise<DemoSession> {
  const program = path.join(REPOSITORY, 'dist', 'cli.js');
  const inviteFile = open ? undefined : path.join(root, 'invite.txt');
  const kind =
    inviteFile === undefined
      ? ['--open']
      : ['--session', 'Try it', '--data', path.join(root, 'keys'), '--invite-file', inviteFile];
  const { child, stop } = spawnOwned(
    process.execPath,
    [
      ...[...exitWithParent(program), program],
      ...['tracker', '--host', '127.0.0.1', '--port', '0', ...kind],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  cleanup.add(stop);
  // A team's tracker prints its address when the invite has been written.
  return { address: await listening(child), inviteFile };
}

function listening(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new Error(`tracker: ${reason}\n${output}`));
    const timer = setTimeout(() => fail('did not say that it listens'), START_TIMEOUT_MS);
    child.stdout?.on('data', (data: Buffer) => {
      output += data.toString();
      const address = /^listening on (\S+)$/m.exec(output)?.[1];
      if (address !== undefined) {
        clearTimeout(timer);
        resolve(address);
      }
    });
    child.on('error', (error) => fail(error.message));
    child.on('close', (code, signal) => fail(`ended with ${signal ?? String(code)}`));
  });
}
