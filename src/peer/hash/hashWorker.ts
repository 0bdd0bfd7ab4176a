import {
  closeSync,
  lstatSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type MessagePort, parentPort } from 'node:worker_threads';
import {
  fromReadError,
  fromWriteError,
  PeershelfError,
  systemCode,
  toPlainError,
} from '../../common/errors';
import { BLOCK_BYTES, contentOfBlocks, HASH_BYTES, hashBlock } from '../../protocol/hashTree';
import { HeldFolder } from '../fetch/heldFolder';
import { wouldBeRepository } from '../fetch/repositoryGuard';
import { moveWithoutReplacing } from '../transfer/destination';
import { openExactly } from '../publish/exactPath';
import { isSameStamp, stampOfDescriptor } from './fileStamp';
import type {
  FromHashWorker,
  HashRange,
  HashResults,
  HashSmallFiles,
  HashTask,
  SmallFileResult,
  StoreBlock,
  StoredFile,
  StoreFiles,
  ToHashWorker,
} from './hashTasks';

/** One block, used again for every read. */
const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);

/** Entry of a hash worker: one task at a time, in order. File calls are synchronous on purpose. */
function main(port: MessagePort): void {
  port.on('message', ({ id, task }: ToHashWorker) => {
    try {
      const result = run(task);
      const handedBack = 'memory' in result ? [result.memory] : [];
      port.postMessage({ id, result } satisfies FromHashWorker, handedBack);
    } catch (error) {
      port.postMessage({ id, error: toPlainError(error) } satisfies FromHashWorker);
    }
  });
}

function run(task: HashTask): HashResults[keyof HashResults] {
  switch (task.kind) {
    case 'range':
      return hashRange(task);
    case 'small':
      return hashSmallFiles(task);
    case 'store':
      return storeBlock(task);
    case 'files':
      return storeFiles(task);
  }
}

function hashRange({ path, stamp, firstBlock, endBlock }: HashRange): HashResults['range'] {
  return withFile(path, (descriptor) => {
    if (!isSameStamp(stampOfDescriptor(descriptor), stamp)) throw changed(path);
    const hashes = new Uint8Array((endBlock - firstBlock) * HASH_BYTES);
    for (let index = firstBlock; index < endBlock; index += 1) {
      const position = index * BLOCK_BYTES;
      const length = Math.min(BLOCK_BYTES, stamp.sizeBytes - position);
      if (readWhole(descriptor, length, position) < length) throw changed(path);
      const bytes = block.subarray(0, length);
      hashes.set(hashBlock(bytes, stamp.sizeBytes), (index - firstBlock) * HASH_BYTES);
    }
    return { hashes };
  });
}

function hashSmallFiles({ paths }: HashSmallFiles): HashResults['small'] {
  return {
    files: paths.map((path): SmallFileResult => {
      try {
        return withFile(path, (descriptor) => hashSmallFile(path, descriptor));
      } catch (error) {
        return { error: toPlainError(error) };
      }
    }),
  };
}

function hashSmallFile(path: string, descriptor: number): SmallFileResult {
  const stamp = stampOfDescriptor(descriptor);
  if (stamp.sizeBytes > BLOCK_BYTES) return { stamp, root: undefined };
  const length = readWhole(descriptor, stamp.sizeBytes, 0);
  if (length < stamp.sizeBytes || !isSameStamp(stampOfDescriptor(descriptor), stamp))
    throw changed(path);
  const bytes = block.subarray(0, length);
  return { stamp, root: rootOf(bytes) };
}

function storeBlock(task: StoreBlock): HashResults['store'] {
  const { descriptor, position, memory, length, fileBytes } = task;
  const bytes = new Uint8Array(memory, 0, length);
  let error: HashResults['store']['error'];
  try {
    for (let offset = 0; offset < length;)
      offset += writeSync(descriptor, bytes, offset, length - offset, position + offset);
  } catch (cause) {
    error = toPlainError(fromWriteError(cause, 'the temporary file'));
  }
  return { hash: Uint8Array.from(hashBlock(bytes, fileBytes)), memory, error };
}

function storeFiles({ memory, files }: StoreFiles): HashResults['files'] {
  const all = Buffer.from(memory);
  return {
    outcomes: files.map(({ start, length, root, temporary, path, within }): StoredFile => {
      const bytes = all.subarray(start, start + length);
      if (rootOf(bytes) !== root) return 'left';
      try {
        writeFileSync(temporary, bytes, { flag: 'wx' });
        const folder = HeldFolder.open({ path: dirname(path), within });
        try {
          return place(temporary, { folder, name: basename(path) }, bytes);
        } finally {
          folder.close();
        }
      } catch {
        return 'left'; // Fetched again on its own, and what is wrong is told then.
      }
    }),
  };
}

/** Gives a written file its name, unless something is there. */
function place(
  temporary: string,
  { folder, name }: { readonly folder: HeldFolder; readonly name: string },
  bytes: Buffer,
): StoredFile {
  const path = folder.at(name);
  try {
    folder.assertInPlace();
    const realPath = join(folder.realPath, name);
    if (wouldBeRepository(realPath)) return 'left';
    if (moveWithoutReplacing(temporary, path)) {
      if (folder.isInPlace() && !wouldBeRepository(realPath)) return 'fetched';
      // Taken back: a file that went elsewhere, where folders cannot be held, and one that has become
      // part of a Git repository by what another process has placed meanwhile.
      unlinkIfThere(path);
      return 'left';
    }
    const stats = lstatSync(path);
    const isSame =
      stats.isFile() && stats.size === bytes.length && readFileSync(path).equals(bytes);
    return isSame ? 'alreadyThere' : 'left';
  } finally {
    unlinkIfThere(temporary);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function rootOf(bytes: Buffer): string {
  const hashes = bytes.length === 0 ? bytes : hashBlock(bytes, bytes.length);
  return contentOfBlocks(hashes, bytes.length).contentId.root;
}

function readWhole(descriptor: number, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, block, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

function withFile<T>(path: string, use: (descriptor: number) => T): T {
  let descriptor: number;
  try {
    // Whatever is hashed is what lies at this path: its stamp is what is served by.
    descriptor = openExactly(path);
  } catch (error) {
    throw fromReadError(error, path);
  }
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function changed(path: string): PeershelfError {
  return new PeershelfError('FILE_CHANGED', `${path} changed while it was read`, {
    details: { path },
  });
}

if (parentPort !== null) main(parentPort);
