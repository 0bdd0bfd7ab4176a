import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { newOwner, OWNER_VARIABLE } from './processTree';
import { REPOSITORY } from './paths';

/** Removes temporary files also when this process is killed. */
export class Janitor {
  private constructor(
    private readonly child: ChildProcess,
    private readonly ended: Promise<void>,
  ) {}

  /**
   * Starts a process that removes every file whose path begins with one of `prefixes`, after it has
   * killed the programs that this process starts from now on: at `clean`, and when this process has
   * ended, however it has ended. Call it before the first such file exists.
   */
  static start(prefixes: readonly string[]): Janitor {
    const owner = newOwner();
    const program = path.join(__dirname, 'janitorProgram.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', program, owner, ...prefixes], {
      cwd: REPOSITORY,
      // A session of its own: Ctrl+C and the end of the terminal do not reach it.
      detached: true,
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    child.stdin.on('error', () => undefined);
    // Programs inherit it from here, and so do the programs that they start.
    process.env[OWNER_VARIABLE] = owner;
    return new Janitor(child, ended);
  }

  /** Cleans now. @throws if something could not be removed. */
  async clean(): Promise<void> {
    const { child, ended } = this;
    const answered = once(child.stdout ?? child, 'data');
    child.stdin?.write('\n');
    const answer = await Promise.race([answered, ended]);
    if (answer === undefined) throw new Error('temporary files have stayed');
  }
}
