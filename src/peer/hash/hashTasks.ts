import type { PlainError } from '../../common/errors';
import type { FileStamp } from './fileStamp';

/** What hash workers do. Plain data: it crosses to their threads. */
export type HashTask = HashRange | HashSmallFiles | StoreBlock | StoreFiles;

/** Hashes some blocks of a large file. */
export interface HashRange {
  readonly kind: 'range';
  readonly path: string;
  /** The file must still look like this. */
  readonly stamp: FileStamp;
  readonly firstBlock: number;
  readonly endBlock: number;
}

/** Hashes whole files of at most one block each. One that cannot be read does not stop the others. */
export interface HashSmallFiles {
  readonly kind: 'small';
  readonly paths: readonly string[];
}

/** Hashes a received block and writes it at its place. The memory is handed over, and comes back. */
export interface StoreBlock {
  readonly kind: 'store';
  readonly descriptor: number;
  readonly position: number;
  readonly memory: ArrayBuffer;
  /** Bytes of the block at the start of `memory`. */
  readonly length: number;
  readonly fileBytes: number;
}

/**
 * Writes received small files to their places, those whose hash is right. The memory is handed over
 * and not needed any more.
 */
export interface StoreFiles {
  readonly kind: 'files';
  readonly memory: ArrayBuffer;
  readonly files: readonly {
    readonly start: number;
    readonly length: number;
    readonly root: string;
    /** Where it is written before it gets its name, on the same volume. */
    readonly temporary: string;
    /** The path of its place, whose folder is there. */
    readonly path: string;
    /** Folder that the place must lie in. */
    readonly within: string;
  }[];
}

/** `left`: something is in the way, is wrong or went wrong; it has to be fetched on its own. */
export type StoredFile = 'fetched' | 'alreadyThere' | 'left';

/** A small file's root, that it is larger than a block, or why it could not be read. */
export type SmallFileResult =
  | { readonly stamp: FileStamp; readonly root: string }
  | { readonly stamp: FileStamp; readonly root: undefined }
  | { readonly error: PlainError };

export interface HashResults {
  /** Hashes of the blocks, one after the other. */
  readonly range: { readonly hashes: Uint8Array };
  readonly small: { readonly files: readonly SmallFileResult[] };
  readonly files: { readonly outcomes: readonly StoredFile[] };
  readonly store: {
    readonly hash: Uint8Array;
    readonly memory: ArrayBuffer;
    /** Why it could not be written. */
    readonly error: PlainError | undefined;
  };
}

export interface ToHashWorker {
  readonly id: number;
  readonly task: HashTask;
}

export type FromHashWorker =
  | { readonly id: number; readonly result: HashResults[keyof HashResults] }
  | { readonly id: number; readonly error: PlainError };
