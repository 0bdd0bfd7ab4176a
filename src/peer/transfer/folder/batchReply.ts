import { PeershelfError } from '../../../common/errors';
import { type ContentId, formatContentId } from '../../../protocol/contentId';

/** Status and content id. */
const MAX_LINE_BYTES = 128;

const LINE_FEED = 0x0a;

/** Where in the memory of a batch an object lies, or the status for which there is none. */
export type BatchItem =
  | { readonly status: 200; readonly start: number; readonly length: number }
  | { readonly status: number; readonly start?: undefined };

/**
 * Reads the answer to a batch as it arrives: for each content id, in the order asked, a line
 * `STATUS ROOT-SIZE`, and behind a 200 as many bytes as the id says. Bytes go into one memory that is
 * as large as all objects together.
 */
export class BatchReply {
  readonly memory: ArrayBuffer;
  private readonly bytes: Uint8Array;
  private readonly found: BatchItem[] = [];
  private line = Buffer.alloc(0);
  private filled = 0;
  private bodyLeft = 0;

  constructor(private readonly ids: readonly ContentId[]) {
    this.memory = new ArrayBuffer(ids.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    this.bytes = new Uint8Array(this.memory);
  }

  /** @throws INVALID_MESSAGE for anything that was not asked for. */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.bodyLeft > 0 ? this.takeBody(rest) : this.takeLine(rest);
  }

  /** One item for every content id. @throws CONNECTION_LOST when some are missing. */
  end(): readonly BatchItem[] {
    if (this.found.length === this.ids.length && this.bodyLeft === 0) return this.found;
    throw new PeershelfError('CONNECTION_LOST', 'the publisher ended before all was sent');
  }

  private takeBody(bytes: Buffer): Buffer {
    const count = Math.min(bytes.length, this.bodyLeft);
    this.bytes.set(bytes.subarray(0, count), this.filled);
    this.filled += count;
    this.bodyLeft -= count;
    return bytes.subarray(count);
  }

  private takeLine(bytes: Buffer): Buffer {
    const end = bytes.indexOf(LINE_FEED);
    const part = bytes.subarray(0, end === -1 ? bytes.length : end);
    this.line = Buffer.concat([this.line, part.subarray(0, MAX_LINE_BYTES + 1)]);
    if (this.line.length > MAX_LINE_BYTES) throw unexpected();
    if (end === -1) return Buffer.alloc(0);
    this.begin(this.line.toString('latin1'));
    this.line = Buffer.alloc(0);
    return bytes.subarray(end + 1);
  }

  private begin(line: string): void {
    const id = this.ids[this.found.length];
    const [, status, name] = /^([2-5]\d\d) (\S+)$/u.exec(line) ?? [];
    if (id === undefined || name !== formatContentId(id)) throw unexpected();
    if (status !== '200') {
      this.found.push({ status: Number(status) });
      return;
    }
    this.found.push({ status: 200, start: this.filled, length: id.sizeBytes });
    this.bodyLeft = id.sizeBytes;
  }
}

function unexpected(): PeershelfError {
  return new PeershelfError('INVALID_MESSAGE', 'the publisher sent something else than asked');
}
