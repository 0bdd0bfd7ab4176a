import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { fromWriteError, PeershelfError, systemCode, toPlainError } from '../../common/errors';
import { BLOCK_BYTES, contentOfBlocks, HASH_BYTES, hashBlock } from '../../protocol/hashTree';
import { isSameStamp, stampOfDescriptor } from './fileStamp';
import type {
  FromHashWorker,
  HashRange,
  HashResults,
  HashSmallFiles,
  HashTask,
  SmallFileResult,
  StoreBlock,
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
  const hashes = length === 0 ? bytes : hashBlock(bytes, length);
  return { stamp, root: contentOfBlocks(hashes, length).contentId.root };
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
    // A pipe in the file's place would wait for ever without O_NONBLOCK. Windows has neither.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    const code = systemCode(cause) === 'ENOENT' ? 'FILE_GONE' : 'FILE_UNREADABLE';
    throw new PeershelfError(code, `cannot read ${path}`, { cause, details: { path } });
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
