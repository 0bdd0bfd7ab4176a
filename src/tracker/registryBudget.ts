import { getHeapStatistics } from 'node:v8';
import type { FileMetadata } from '../protocol/controlRequests';
import {
  type AccountShare,
  COST_STEP_BYTES,
  FILE_OVERHEAD_BYTES,
  HOST_OVERHEAD_BYTES,
  REGISTRY_HEAP_SHARE,
  RESERVED_SHARE,
} from './limits';

/** Bytes of one UTF-16 unit in replies of ASCII, which escape what is not. */
const ESCAPED_BYTES = 6;
/** A text is held once for itself and once folded for the search; the replies of two versions have it, too. */
const REPLIES_KEPT = 2;
const COPIES_KEPT = 2;
/** By UTF-16 unit, as a text is held with two bytes for each when one of them needs it. */
const BEYOND_LATIN1 = /[\u0100-\uffff]/;
const BEYOND_ASCII = /[\u0080-\uffff]/;

/** Account of the memory that a host takes. */
export interface Account {
  readonly key: string;
  readonly share: AccountShare;
}

/** Memory that is given back. */
export interface Freed {
  readonly accounts: readonly Account[];
  readonly bytes: number;
}

/**
 * Share of the heap for the registry, in all and of each account. Counted is what a file really
 * costs at most: its texts as they are held, its places in the indexes, and the replies kept with it.
 */
export class RegistryBudget {
  private readonly used = new Map<string, number>();
  private sum = 0;

  constructor(private readonly limit = getHeapStatistics().heap_size_limit * REGISTRY_HEAP_SHARE) {}

  get total(): number {
    return this.sum;
  }

  /** Whether these accounts may take `bytes` when `freed` has been given back, by whichever accounts. */
  hasRoom(accounts: readonly Account[], bytes: number, freed: readonly Freed[] = []): boolean {
    const freedOf = (key?: string): number =>
      freed.reduce(
        (sum, one) =>
          key === undefined || one.accounts.some((account) => account.key === key)
            ? sum + one.bytes
            : sum,
        0,
      );
    const free = this.limit - (this.sum - freedOf() + bytes);
    const unreserved = free - this.limit * RESERVED_SHARE;
    return (
      free >= 0 &&
      accounts.every(
        ({ key, share }) =>
          (this.used.get(key) ?? 0) - freedOf(key) + bytes <=
          Math.max(unreserved * share.ofFree, this.limit * share.fixed),
      )
    );
  }

  /** @param bytes negative when they are given back. */
  add(accounts: readonly Account[], bytes: number): void {
    this.sum += bytes;
    for (const { key } of accounts) {
      const used = (this.used.get(key) ?? 0) + bytes;
      if (used === 0) this.used.delete(key);
      else this.used.set(key, used);
    }
  }
}

/** Cost of a file at most, with all that is kept for it. */
export function costOfFile(name: string, { signed }: Pick<FileMetadata, 'signed'>): number {
  const signedBytes =
    signed === undefined ? 0 : costOfText(signed.text) + costOfText(signed.signature);
  return inSteps(FILE_OVERHEAD_BYTES + costOfText(name) + signedBytes);
}

export function costOfFiles(files: ReadonlyMap<string, FileMetadata>): number {
  let sum = 0;
  for (const [name, file] of files) sum += costOfFile(name, file);
  return sum;
}

/** Cost of a host without its files. */
export function costOfHost(texts: readonly (string | undefined)[]): number {
  return inSteps(texts.reduce((sum, text) => sum + costOfText(text ?? ''), HOST_OVERHEAD_BYTES));
}

function inSteps(bytes: number): number {
  return Math.ceil(bytes / COST_STEP_BYTES) * COST_STEP_BYTES;
}

/** Cost of a text with its copies, as it is held and written. */
export function costOfText(text: string): number {
  const held = BEYOND_LATIN1.test(text) ? 2 : 1;
  const written = BEYOND_ASCII.test(text) ? ESCAPED_BYTES : 1;
  return text.length * (held * COPIES_KEPT + written * REPLIES_KEPT);
}
