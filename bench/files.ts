import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 16 * 1024 ** 2;

export const GIBIBYTE = 1024 ** 3;

/** Writes a file of random bytes, which nothing can make smaller. Gives its path. */
export function writeRandomFile(path: string, sizeBytes: number): string {
  const block = Buffer.alloc(BLOCK_BYTES);
  const descriptor = openSync(path, 'w');
  for (let written = 0; written < sizeBytes; written += BLOCK_BYTES) {
    randomFillSync(block);
    writeSync(descriptor, block, 0, Math.min(BLOCK_BYTES, sizeBytes - written));
  }
  closeSync(descriptor);
  return path;
}

/** Makes a file of zeros that takes no room on the disk. Gives its path. */
export function writeSparseFile(path: string, sizeBytes: number): string {
  writeFileSync(path, '');
  truncateSync(path, sizeBytes);
  return path;
}

/** @throws when the files differ. */
export function assertSameFile(left: string, right: string): void {
  const sizeBytes = statSync(left).size;
  if (statSync(right).size !== sizeBytes) throw new Error(`${right} is not whole`);
  const files = [left, right].map((path) => openSync(path, 'r'));
  const blocks = files.map(() => Buffer.alloc(BLOCK_BYTES));
  try {
    for (let position = 0; position < sizeBytes; position += BLOCK_BYTES) {
      const [one, other] = files.map((file, index) => {
        const block = blocks[index] ?? Buffer.alloc(0);
        return block.subarray(0, readSync(file, block, { position }));
      });
      if (one === undefined || other === undefined || !one.equals(other))
        throw new Error(`${right} has other content`);
    }
  } finally {
    files.forEach(closeSync);
  }
}

export interface TreeShape {
  /** Folders in the root, and folders in each of them. */
  readonly folders: readonly [number, number];
  readonly filesPerFolder: number;
  readonly fileBytes: number;
}

/** Writes small files of random bytes in nested folders. Gives the root. */
export function writeTree(root: string, shape: TreeShape): string {
  const { folders, filesPerFolder, fileBytes } = shape;
  const content = Buffer.alloc(fileBytes);
  for (let outer = 0; outer < folders[0]; outer += 1)
    for (let inner = 0; inner < folders[1]; inner += 1) {
      const folder = join(root, `part-${outer}`, `section-${inner}`);
      mkdirSync(folder, { recursive: true });
      for (let file = 0; file < filesPerFolder; file += 1)
        writeFileSync(join(folder, `file-${file}.bin`), randomFillSync(content));
    }
  return root;
}

/** @throws when one folder has other files than the other, or other content in them. */
export function assertSameTree(left: string, right: string): void {
  const files = listFiles(left);
  const found = listFiles(right);
  if (files.length !== found.length || files.some((path, index) => path !== found[index]))
    throw new Error(`${right} has ${found.length} files instead of the ${files.length} expected`);
  for (const path of files)
    if (!readFileSync(join(left, path)).equals(readFileSync(join(right, path))))
      throw new Error(`${join(right, path)} has other content`);
}

/** Relative paths of all files, in a fixed order. */
function listFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

/**
 * Writes so many bytes and removes them again. A virtual machine gives memory that is free for a
 * while back to its host, and getting it again costs up to eight times what writing a file costs:
 * without this, a turn would be as fast as the memory that it happens to get.
 */
export function warmMemory(folder: string, bytes: number): void {
  const path = join(folder, 'warm');
  const block = Buffer.alloc(4 * 1024 ** 2, 1);
  const file = openSync(path, 'w');
  try {
    for (let written = 0; written < bytes; written += block.length) writeSync(file, block);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
