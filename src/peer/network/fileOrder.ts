import { compareFiles, type IndexedFile, type IndexedHost } from './networkModel';

/**
 * Where a host has so small a part of all files, its own are put in order for a question about it; else
 * it is faster to pass over those of others.
 */
const SMALL_PART = 1 / 50;

/** Files by name and then by hostname. */
export interface FilesInOrder {
  readonly files: readonly IndexedFile[];
  /** How many names the files from `start` to before `end` have. */
  readonly names: (start: number, end: number) => number;
}

/** No files. */
export const NO_FILES: FilesInOrder = { files: [], names: () => 0 };

/**
 * The files of the network in order, all or those of one host. Each order is made when it is asked for,
 * and kept until something comes or goes: questions about folders that have not changed cost nothing.
 */
export class FileOrder {
  private all: FilesInOrder = NO_FILES;
  private readonly ofHosts = new WeakMap<
    IndexedHost,
    { readonly revision: number; readonly order: FilesInOrder }
  >();

  /** @param files all of them, in order; the same array as long as none comes or goes. */
  constructor(private readonly files: () => readonly IndexedFile[]) {}

  ofAll(): FilesInOrder {
    const files = this.files();
    if (this.all.files !== files) this.all = countNames(files);
    return this.all;
  }

  of(host: IndexedHost): FilesInOrder {
    if (!host.isShown) return NO_FILES;
    const known = this.ofHosts.get(host);
    if (known?.revision === host.revision) return known.order;
    const all = this.files();
    const files =
      host.files.size < all.length * SMALL_PART
        ? [...host.files.values()].sort(compareFiles)
        : all.filter((file) => file.host === host);
    // A host has a name once.
    const order: FilesInOrder = { files, names: (start, end) => end - start };
    this.ofHosts.set(host, { revision: host.revision, order });
    return order;
  }
}

/** Files in order, of which several may have the same name. */
export function countNames(files: readonly IndexedFile[]): FilesInOrder {
  const before = new Uint32Array(files.length + 1);
  let name: string | undefined;
  let count = 0;
  files.forEach((file, index) => {
    if (file.name !== name) count += 1;
    name = file.name;
    before[index + 1] = count;
  });
  const at = (index: number): number => before[index] ?? 0;
  // The name that begins a part may have begun before it.
  const begins = (start: number): number => (at(start + 1) === at(start) ? 1 : 0);
  return {
    files,
    names: (start, end) => (end <= start ? 0 : at(end) - at(start) + begins(start)),
  };
}
