import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { newOwner, OWNER_VARIABLE, ownedBy } from '../../scripts/host/processTree';
import { useCleanup } from '../support/cleanup';
import { CLI } from '../support/commandLine';
import { startProcess } from '../support/startProcess';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const REPOSITORY = join(__dirname, '../..');
const LINUX = process.platform === 'linux';

/** Runs a command in a new terminal, which closes when standard input ends. */
const IN_TERMINAL = `
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    for ready in select.select([terminal, 0], [], [])[0]:
        try:
            data = os.read(ready, 4096)
        except OSError: # The command has ended.
            data = b''
        if not data:
            sys.exit()
        os.write(1 if ready == terminal else terminal, data)
`;
const CONTROL_C = '\x03';

interface Started {
  /** npm, or the terminal around it. */
  readonly child: ChildProcess;
  readonly tracker: string;
  /** As printed; undefined in an open session. */
  readonly inviteFile: string | undefined;
  /** Numbers of the processes whose command line has this argument. */
  readonly running: (argument: string) => number[];
  readonly temporaryFolders: () => string[];
  /** Resolves when neither a process nor a temporary folder is left. */
  readonly nothingLeft: () => Promise<void>;
}

/** Without windows: they are started and ended as the tracker is. Windows has no signals. */
if (process.platform !== 'win32')
  describe('npm start', () => {
    const cleanup = useCleanup();

    async function start(options: readonly string[] = [], terminal = false): Promise<Started> {
      const temporary = temporaryFolder(cleanup);
      const owner = newOwner();
      const npm = ['npm', 'start', '--', '--no-build', '--peers', '0', ...options];
      const [file = '', ...args] = terminal ? ['python3', '-c', IN_TERMINAL, ...npm] : npm;
      const child = spawn(file, args, {
        cwd: REPOSITORY,
        env: { ...process.env, TMPDIR: temporary, [OWNER_VARIABLE]: owner },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      cleanup.add(() => {
        for (const pid of ownedBy(owner)) process.kill(pid, 'SIGKILL');
      });
      const said = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
      await eventually(() => /^Ctrl\+C stops/mu.test(text), 'a start').catch((error: unknown) => {
        throw new Error(text, { cause: error });
      });
      const temporaryFolders = (): string[] =>
        readdirSync(temporary).filter((name) => name.startsWith('peershelf-'));
      assert.equal(temporaryFolders().length, 1);
      return {
        child,
        tracker: said(/^tracker: (\S+)/mu) ?? '',
        inviteFile: said(/^invite: ([^\r\n]+)/mu),
        running: (argument) => ownedBy(owner).filter((pid) => argumentsOf(pid).includes(argument)),
        temporaryFolders,
        nothingLeft: async () => {
          await eventually(() => ownedBy(owner).length === 0, 'the end of all processes');
          assert.deepEqual(temporaryFolders(), []);
        },
      };
    }

    const list = (...session: string[]): Promise<number | NodeJS.Signals> =>
      startProcess(cleanup, process.execPath, [CLI, 'list', ...session]).exited;

    it("starts a team's session, and leaves nothing behind when SIGINT reaches npm only", async () => {
      const started = await start();
      const { inviteFile = '' } = started;
      assert.equal(statSync(inviteFile).mode & 0o777, 0o600);
      assert.equal(await list('--invite-file', inviteFile), 0);
      assert.equal(await list('--tracker', started.tracker), 1);
      started.child.kill('SIGINT');
      await once(started.child, 'close');
      assert.deepEqual(started.temporaryFolders(), []);
      await started.nothingLeft();
    });

    it('starts an open session if told to, and leaves nothing behind when SIGTERM reaches npm only', async () => {
      const started = await start(['--open-session']);
      assert.equal(started.inviteFile, undefined);
      assert.equal(await list('--tracker', started.tracker), 0);
      started.child.kill('SIGTERM');
      await once(started.child, 'close');
      assert.deepEqual(started.temporaryFolders(), []);
      await started.nothingLeft();
    });

    it('leaves nothing behind when npm is killed', async () => {
      const started = await start();
      started.child.kill('SIGKILL');
      await started.nothingLeft();
    });

    for (const signal of LINUX ? (['SIGTERM', 'SIGKILL'] as const) : [])
      it(`leaves nothing behind when ${signal} reaches the script only`, async () => {
        const started = await start();
        const scripts = started.running('scripts/start.ts');
        assert.equal(scripts.length, 1);
        for (const pid of scripts) process.kill(pid, signal);
        await started.nothingLeft();
      });

    it('leaves nothing behind when Ctrl+C is pressed in its terminal', async () => {
      const started = await start([], true);
      started.child.stdin?.write(CONTROL_C);
      await started.nothingLeft();
    });

    it('leaves nothing behind when its terminal is closed', async () => {
      const started = await start([], true);
      started.child.stdin?.end();
      await started.nothingLeft();
    });
  });

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // It has ended.
  }
}
