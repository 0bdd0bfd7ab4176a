import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Cleanup } from '../../scripts/host/cleanup';
import { temporaryFolder } from './temporaryFolder';

/** Makes a disk appear on an empty folder; `aside` is for what it needs elsewhere. */
export type MakeDisk = (folder: string, aside: string) => void;

/** A disk in memory. */
export const memoryDisk =
  (sizeMib: number): MakeDisk =>
  (folder) =>
    run('mount', '-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', folder);

/** A disk in a file, whose file system lets files share blocks. */
export const sharingDisk =
  (sizeMib: number): MakeDisk =>
  (folder, aside) => {
    const image = join(aside, 'image');
    run('truncate', '-s', `${sizeMib}M`, image);
    run('mkfs.btrfs', '--quiet', image);
    run('mount', '-t', 'btrfs', '-o', 'loop', image, folder);
  };

/** A folder on a disk of its own, both gone after the test. */
export function folderOnDisk(cleanup: Pick<Cleanup, 'add'>, make: MakeDisk): string {
  const aside = temporaryFolder(cleanup);
  const folder = temporaryFolder(cleanup);
  make(folder, aside);
  const unmount = (): void => {
    process.off('exit', unmount);
    // Lazily, as it must go whoever still has a file open on it.
    run('umount', '--lazy', folder);
  };
  // A run that is broken off has no time for clean-up.
  process.on('exit', unmount);
  cleanup.add(unmount);
  return folder;
}

/**
 * Linux lets its superuser make disks, but not in every container. Where it does not, what would be
 * shown with them is not shown, and the output of the tests says so.
 */
export function canMakeDisk(what: string, make: MakeDisk): boolean {
  const undo: (() => unknown)[] = [];
  try {
    folderOnDisk({ add: (step) => undo.push(step) }, make);
    return true;
  } catch (error) {
    process.stderr.write(`NOT TESTED HERE: ${what}; no disk can be made: ${String(error)}\n`);
    return false;
  } finally {
    undo.reverse().forEach((step) => step());
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
