import { BLOCK_BYTES } from '../../../protocol/hashTree';

/**
 * Memory for blocks that are being received, verified or written. It bounds what all downloads of an
 * engine hold at once, however many sources send.
 */
export class BlockPool {
  private readonly free: ArrayBuffer[] = [];
  private readonly waiting: (() => void)[] = [];
  private made = 0;

  constructor(private readonly maxBlocks: number) {}

  /** Blocks that there is memory for. */
  get madeBlocks(): number {
    return this.made;
  }

  /** Blocks that somebody has. */
  get usedBlocks(): number {
    return this.made - this.free.length;
  }

  /** Memory of one block, or undefined when all is in use: then wait with `whenFree`. */
  take(): ArrayBuffer | undefined {
    const memory = this.free.pop();
    if (memory !== undefined) return memory;
    if (this.made >= this.maxBlocks) return undefined;
    this.made += 1;
    return new ArrayBuffer(BLOCK_BYTES);
  }

  /** Gives back what `take` gave. */
  give(memory: ArrayBuffer): void {
    this.free.push(memory);
    this.waiting.shift()?.();
  }

  /** Memory that was lost with a thread: new memory may be made instead. */
  forget(): void {
    this.made -= 1;
    this.waiting.shift()?.();
  }

  /** Calls back once, when something may be free. Who does not take it must pass it on by `pass`. */
  whenFree(callback: () => void): void {
    this.waiting.push(callback);
  }

  /** Somebody who waited does not need it any more. */
  pass(): void {
    if (this.free.length > 0 || this.made < this.maxBlocks) this.waiting.shift()?.();
  }

  /** Gives memory back to the system when nothing is in use. */
  trim(): void {
    if (this.free.length < this.made) return;
    this.free.length = 0;
    this.made = 0;
  }
}
