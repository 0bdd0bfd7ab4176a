import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Cleanup } from '../../scripts/host/cleanup';

/** Another account of this computer. */
export interface OtherAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Output of a program that runs as this account; undefined when it fails. */
  run(command: string, ...args: string[]): string | undefined;
}

/** Makes an account, which goes with the cleanup, or says why that cannot be done here. */
export function makeAccount(cleanup: Cleanup): OtherAccount | string {
  if (process.platform !== 'linux') return 'accounts are made on Linux only';
  if (process.geteuid?.() !== 0) return 'only the superuser makes accounts';
  const name = `psh-${randomBytes(4).toString('hex')}`;
  const made = spawnSync('useradd', ['--no-create-home', '--user-group', name]);
  if (made.error !== undefined) return 'there is no useradd';
  if (made.status !== 0) throw new Error(made.stderr.toString());
  cleanup.add(() => spawnSync('userdel', [name]));
  const idOf = (option: string): number =>
    Number(spawnSync('id', [option, name]).stdout.toString().trim());
  const account = { uid: idOf('-u'), gid: idOf('-g') };
  return {
    ...{ name, ...account },
    run: (command, ...args) => {
      const done = spawnSync(command, args, { ...account, cwd: '/' });
      return done.status === 0 ? done.stdout.toString() : undefined;
    },
  };
}
