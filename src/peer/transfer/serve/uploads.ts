import { onAbort } from '../../../common/abort';
import type { Clock } from '../../../common/clock';
import type { Disposable } from '../../../common/disposable';
import type { TransferHandle } from '../transferHandle';
import type { TransferList } from '../transferList';
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
  /** Where it is sent. */
  readonly address: string;
  readonly totalBytes: number;
  /** One of many files of a folder: who ends it does not want the others sent either. */
  readonly isBatch?: boolean;
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

  constructor(
    private readonly transfers: TransferList,
    clock: Clock,
    private readonly nameAt: (address: string) => string | undefined,
  ) {
    this.declined = new Declined(clock);
  }

  start({ name, address, totalBytes, isBatch = false }: UploadAbout): RunningUpload {
    const peer = this.nameAt(address) ?? address;
    const handle = this.transfers.start({ direction: 'upload', name, peer, totalBytes });
    const names = new Set([name]);
    const declining = onAbort(handle.signal, () => {
      this.declined.add(address, isBatch ? 'everything' : names);
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

  /** How many uploads send this name. */
  countOf(name: string): number {
    return [...this.running.values()].filter(({ names }) => names.has(name)).length;
  }

  /** Whether the user has just ended sending this file, or all of a folder, to this address. */
  isDeclined(address: string, name: string): boolean {
    return this.declined.has(address, name);
  }

  /** Ends the uploads of these names: unpublished means not served, at once. */
  cancelOf(names: ReadonlySet<string>): void {
    for (const [handle, sent] of this.running) {
      if (![...sent.names].some((name) => names.has(name))) continue;
      // What is published again is served at once.
      sent.declining.dispose();
      this.transfers.cancel(handle.id);
    }
  }
}
