import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { mapConcurrently } from '../../../common/concurrency';
import { fromPlainError, fromWriteError, PeershelfError, systemCode } from '../../../common/errors';
import type { ContentId } from '../../../protocol/contentId';
import {
  BLOCK_BYTES,
  blockCount,
  expectedPieceHash,
  HASH_BYTES,
  hashPiece,
  pieceBytes,
  pieceCount,
} from '../../../protocol/hashTree';
import { stampOfDescriptor } from '../../hash/fileStamp';
import type { ContentHasher } from '../../hash/contentHasher';
import type { HashPool } from '../../hash/hashPool';
import type { BlockPool } from './blockPool';
import type { ReceivedBlock } from './objectConnection';

/** A journal holds one line for every piece, so this is never reached by an honest one. */
const MAX_JOURNAL_BYTES = 1024 * 1024;

/** Pieces of an earlier attempt that are hashed at the same time. */
const RECOVERED_AT_ONCE = 4;

export interface PieceFileOptions {
  /** The temporary file beside the destination, without links. */
  readonly path: string;
  /** A path that leads to it for sure, if there is another one. */
  readonly at?: string;
  /** Numbers of verified pieces, one a line; only ever a hint, as what it names is hashed again. */
  readonly journal: string;
  readonly contentId: ContentId;
  /** Checked piece layer; empty when the content has only one piece. */
  readonly layer: Buffer;
}

export interface PieceFileDependencies {
  readonly pool: HashPool;
  readonly hasher: ContentHasher;
  readonly blocks: BlockPool;
}

/** `wrong`: the bytes of the piece are not those of the content. */
export type PieceVerdict = 'incomplete' | 'right' | 'wrong';

/** The blocks of a piece that have been hashed and written. */
interface PartialPiece {
  readonly hashes: Buffer;
  left: number;
}

/**
 * A file that grows piece by piece, in any order. A piece counts when its hash is right and it has
 * been written; then it is noted in the journal, so that nothing is transferred twice whatever
 * happens to the process.
 */
export class PieceFile {
  private readonly verified: boolean[];
  private readonly partial = new Map<number, PartialPiece>();
  private readonly descriptor: number;
  private readonly journal: number;
  private bytesVerified = 0;

  private constructor(
    private readonly options: PieceFileOptions,
    private readonly dependencies: PieceFileDependencies,
    descriptors: { readonly file: number; readonly journal: number },
  ) {
    this.descriptor = descriptors.file;
    this.journal = descriptors.journal;
    this.verified = new Array<boolean>(pieceCount(options.contentId.sizeBytes)).fill(false);
  }

  /**
   * Opens or makes the file, with room for everything, and keeps what an earlier attempt has
   * verified.
   * @throws DISK_FULL before anything is allocated, FOLDER_NOT_WRITABLE, CANCELLED.
   */
  static async open(
    options: PieceFileOptions,
    dependencies: PieceFileDependencies,
    signal: AbortSignal,
  ): Promise<PieceFile> {
    const { path, at = path, journal, contentId } = options;
    const noted = readJournal(journal, pieceCount(contentId.sizeBytes));
    const opened: number[] = [];
    try {
      const { O_CREAT, O_RDWR, O_NOFOLLOW } = constants;
      const file = openSync(at, O_CREAT | O_RDWR | O_NOFOLLOW, 0o666);
      opened.push(file);
      const existing = fstatSync(file).size;
      assertSpace(at, contentId.sizeBytes - existing);
      ftruncateSync(file, contentId.sizeBytes);
      const journalFile = openSync(journal, 'a', 0o600);
      opened.push(journalFile);
      const pieces = new PieceFile(options, dependencies, { file, journal: journalFile });
      if (existing > 0) await pieces.recover(noted, signal);
      return pieces;
    } catch (error) {
      opened.forEach(closeSync);
      throw fromWriteError(error, dirname(path));
    }
  }

  /** How many there are. */
  get pieces(): number {
    return this.verified.length;
  }

  isVerified(piece: number): boolean {
    return this.verified[piece] === true;
  }

  get verifiedBytes(): number {
    return this.bytesVerified;
  }

  /**
   * Hashes and writes a block; its memory goes back. All blocks of a piece must come from the same
   * source, and a piece that is begun again only after all earlier calls for it have settled.
   * @throws DISK_FULL and others of writing.
   */
  async store(block: ReceivedBlock): Promise<PieceVerdict> {
    const { pool, blocks } = this.dependencies;
    const { contentId } = this.options;
    const { position, length, memory } = block;
    const descriptor = this.descriptor;
    const fileBytes = contentId.sizeBytes;
    const task = { kind: 'store', descriptor, position, memory, length, fileBytes } as const;
    const result = await pool.run(task).catch((error: unknown) => {
      blocks.forget();
      throw error;
    });
    blocks.give(result.memory);
    if (result.error !== undefined) throw this.writeError(fromPlainError(result.error));
    return this.note(position, Buffer.from(result.hash));
  }

  /** Forgets the blocks of a piece that is not whole. */
  forget(piece: number): void {
    this.partial.delete(piece);
  }

  close(): void {
    closeSync(this.descriptor);
    closeSync(this.journal);
  }

  private note(position: number, hash: Buffer): PieceVerdict {
    const { contentId } = this.options;
    const bytesPerPiece = pieceBytes(contentId.sizeBytes);
    const piece = Math.floor(position / bytesPerPiece);
    const [first, end] = this.blocksOf(piece);
    const partial = this.partial.get(piece) ?? {
      hashes: Buffer.alloc((end - first) * HASH_BYTES),
      left: end - first,
    };
    this.partial.set(piece, partial);
    hash.copy(partial.hashes, (position / BLOCK_BYTES - first) * HASH_BYTES);
    partial.left -= 1;
    if (partial.left > 0) return 'incomplete';
    this.partial.delete(piece);
    if (!this.isRight(piece, partial.hashes)) return 'wrong';
    this.accept(piece);
    this.writeJournal(piece);
    return 'right';
  }

  /** Not synchronized: after a crash of the machine, what the journal names is hashed again. */
  private writeJournal(piece: number): void {
    try {
      writeSync(this.journal, `${piece}\n`);
    } catch (error) {
      throw fromWriteError(error, dirname(this.options.journal));
    }
  }

  private isRight(piece: number, blockHashes: Buffer): boolean {
    const { contentId, layer } = this.options;
    const found = hashPiece(blockHashes, contentId.sizeBytes);
    return found.equals(expectedPieceHash(layer, contentId, piece));
  }

  private accept(piece: number): void {
    const { sizeBytes } = this.options.contentId;
    this.verified[piece] = true;
    const start = piece * pieceBytes(sizeBytes);
    this.bytesVerified += Math.min(sizeBytes, start + pieceBytes(sizeBytes)) - start;
  }

  /** Hashes the pieces that the journal names: a crash may have noted what was never written. */
  private async recover(noted: ReadonlySet<number>, signal: AbortSignal): Promise<void> {
    const { path } = this.options;
    const stamp = stampOfDescriptor(this.descriptor);
    await mapConcurrently([...noted], RECOVERED_AT_ONCE, async (piece) => {
      const { hasher } = this.dependencies;
      const hashes = await hasher.hashBlocks({ path, stamp }, this.blocksOf(piece), { signal });
      if (this.isRight(piece, hashes)) this.accept(piece);
    });
  }

  /** First block of a piece, and the one behind its last. */
  private blocksOf(piece: number): readonly [number, number] {
    const { sizeBytes } = this.options.contentId;
    const perPiece = pieceBytes(sizeBytes) / BLOCK_BYTES;
    return [piece * perPiece, Math.min(blockCount(sizeBytes), (piece + 1) * perPiece)];
  }

  private writeError(error: PeershelfError): PeershelfError {
    const path = dirname(this.options.path);
    return new PeershelfError(error.code, `cannot write ${path}`, {
      cause: error,
      details: { path },
    });
  }
}

/** Fails before anything is written when it cannot fit. */
function assertSpace(path: string, neededBytes: number): void {
  const space = statfsSync(dirname(path));
  // Some file systems report nothing at all; they fail by themselves when they are full.
  if (space.blocks === 0 || neededBytes <= space.bavail * space.bsize) return;
  throw new PeershelfError('DISK_FULL', `no space for ${neededBytes} bytes`, {
    details: { path: dirname(path), sizeBytes: neededBytes },
  });
}

function readJournal(path: string, pieces: number): Set<number> {
  let text: string;
  try {
    text = readFileSync(path, 'latin1').slice(0, MAX_JOURNAL_BYTES);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return new Set();
    throw error;
  }
  const numbers = text.split('\n').filter((line) => /^\d{1,6}$/u.test(line));
  return new Set(numbers.map(Number).filter((piece) => piece < pieces));
}
