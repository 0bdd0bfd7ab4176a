import {
  closeSync,
  constants,
  copyFileSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../../../common/abort';

const COPY_BLOCK_BYTES = 1024 * 1024;

/** `cloned`: both files share their blocks on the disk. */
export type CopyOutcome = 'cloned' | 'copied' | 'otherFile';

/**
 * Copies a file of this machine to a path where nothing is yet; `otherFile`, and nothing is done,
 * when what is there cannot be a content of `sizeBytes`. Where the file system cannot share the
 * blocks, others get their turn after every block: large files take long to copy.
 * @throws CANCELLED, and what the system says.
 */
export async function copyFile(
  from: string,
  to: string,
  { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal },
): Promise<CopyOutcome> {
  // A pipe in the file's place would wait for ever, and a file that has grown could fill the disk.
  const stats = statSync(from);
  if (!stats.isFile() || stats.size !== sizeBytes) return 'otherFile';
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return 'cloned';
  } catch {
    // Most file systems cannot, none can to another disk; what else is wrong shows below.
  }
  const source = openSync(from, 'r');
  try {
    const target = openSync(to, 'wx');
    try {
      const block = Buffer.allocUnsafe(COPY_BLOCK_BYTES);
      for (let position = 0; position < sizeBytes;) {
        throwIfAborted(signal);
        const count = readSync(source, block);
        if (count === 0) break; // It is shorter now, which its hash will show.
        for (let offset = 0; offset < count;)
          offset += writeSync(target, block, offset, count - offset);
        position += count;
        await setImmediate();
      }
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
  return 'copied';
}
