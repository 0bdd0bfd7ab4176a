import { onAbort } from '../../../common/abort';
import type { Clock } from '../../../common/clock';
import type { Disposable } from '../../../common/disposable';
import type { TransferHandle } from '../transferHandle';
import type { TransferList } from '../transferList';
import type { Recipient } from './connections';
import { Declined } from './declined';

/** One running upload of one name or, in a batch, of many. */
export interface RunningUpload {
  /** Aborted when the user cancels it, and when one of its names is unpublished. */
  readonly signal: AbortSignal;
  setBytes(bytes: number): void;
  setTotal(totalBytes: number): void;
  /** Another name of which bytes are sent. */
  addName(name: string): void;
  /** Ends it: without an error as done. Later calls change nothing. */
  finish(error?: unknown): void;
}

export interface UploadAbout {
  /** Published name, as it is shown. */
  readonly name: string;
  readonly recipient: Recipient;
  readonly totalBytes: number;
  /** Where its files lie, when they are many: who ends it does not want the others there sent either. */
  readonly folder?: string;
}

interface Sent {
  readonly names: Set<string>;
  /** That the user ends it is remembered. */
  readonly declining: Disposable;
}

/** The uploads that run, by published name. */
export class Uploads {
  private readonly running = new Map<TransferHandle, Sent>();
  private readonly declined: Declined;
  /** What is sent about a file, by its name, and is not shown. */
  private readonly unseen = new Map<AbortController, string>();

  constructor(
    private readonly transfers: TransferList,
    clock: Clock,
    private readonly nameOf: (recipient: Recipient) => string | undefined,
  ) {
    this.declined = new Declined(clock);
  }

  start({ name, recipient, totalBytes, folder }: UploadAbout): RunningUpload {
    const peer = this.nameOf(recipient) ?? recipient.address;
    const handle = this.transfers.start({ direction: 'upload', name, peer, totalBytes });
    const names = new Set([name]);
    const declining = onAbort(handle.signal, () => {
      this.declined.add(keyOf(recipient), folder === undefined ? { names } : { folder });
    });
    this.running.set(handle, { names, declining });
    return {
      signal: handle.signal,
      setBytes: (bytes) => handle.setBytes(bytes),
      setTotal: (totalBytes) => handle.setTotal(totalBytes),
      addName: (one) => names.add(one),
      finish: (error) => {
        declining.dispose();
        this.running.delete(handle);
        handle.finish(error);
      },
    };
  }

  /**
   * Sends something about a file that is no byte of it, such as the hashes of its pieces: not shown as an
   * upload, but ended with those of its name.
   */
  async whileOffered(name: string, send: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const ended = new AbortController();
    this.unseen.set(ended, name);
    try {
      await send(ended.signal);
    } finally {
      this.unseen.delete(ended);
    }
  }

  /** How many uploads send this name. */
  countOf(name: string): number {
    return [...this.running.values()].filter(({ names }) => names.has(name)).length;
  }

  /** Whether the user has just ended sending this file, or its folder, to this recipient. */
  isDeclined(recipient: Recipient, name: string): boolean {
    return this.declined.has(keyOf(recipient), name);
  }

  /** Ends all. */
  cancelAll(): void {
    for (const handle of this.running.keys()) this.transfers.cancel(handle.id);
    for (const ended of this.unseen.keys()) ended.abort();
  }

  /** Ends the uploads of these names: unpublished means not served, at once. */
  cancelOf(names: ReadonlySet<string>): void {
    this.declined.forget(names);
    for (const [ended, name] of this.unseen) if (names.has(name)) ended.abort();
    for (const [handle, sent] of this.running) {
      if (![...sent.names].some((name) => names.has(name))) continue;
      // What is published again is served at once.
      sent.declining.dispose();
      this.transfers.cancel(handle.id);
    }
  }
}

/** Several people may share an address, and in an open session nothing else tells them apart. */
function keyOf({ address, fingerprint }: Recipient): string {
  return fingerprint ?? address;
}
