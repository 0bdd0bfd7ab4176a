/** One block is read while another is sent. Larger blocks were not faster on loopback. */
export const UPLOAD_BLOCK_BYTES = 512 * 1024;

/** Blocks kept for the next upload. */
const MAX_KEPT = 8;

/** Memory for uploads, used again: a fetcher asks for a file in many ranges. */
export class UploadBlocks {
  private readonly free: Buffer[] = [];

  /** Memory for an upload of so many bytes; what is shorter than a block gets only what it needs. */
  take(bytes: number): Buffer {
    if (bytes < UPLOAD_BLOCK_BYTES) return Buffer.allocUnsafe(bytes);
    return this.free.pop() ?? Buffer.allocUnsafeSlow(UPLOAD_BLOCK_BYTES);
  }

  /** Gives back what `take` gave, when nothing of it is on its way any more. */
  give(block: Buffer): void {
    if (block.length === UPLOAD_BLOCK_BYTES && this.free.length < MAX_KEPT) this.free.push(block);
  }
}
