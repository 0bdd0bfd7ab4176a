import type { TransferHandle } from '../transferHandle';
import type { TransferList } from '../transferList';

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
  readonly peer: string;
  readonly totalBytes: number;
}

/** The uploads that run, by published name. */
export class Uploads {
  private readonly running = new Map<TransferHandle, Set<string>>();

  constructor(private readonly transfers: TransferList) {}

  start(about: UploadAbout, names: Iterable<string> = [about.name]): RunningUpload {
    const handle = this.transfers.start({ direction: 'upload', ...about });
    const sent = new Set(names);
    this.running.set(handle, sent);
    return {
      signal: handle.signal,
      setBytes: (bytes) => handle.setBytes(bytes),
      setTotal: (totalBytes) => handle.setTotal(totalBytes),
      addName: (name) => sent.add(name),
      finish: (error) => {
        this.running.delete(handle);
        handle.finish(error);
      },
    };
  }

  /** How many uploads send this name. */
  countOf(name: string): number {
    return [...this.running.values()].filter((names) => names.has(name)).length;
  }

  /** Ends the uploads of these names: unpublished means not served, at once. */
  cancelOf(names: ReadonlySet<string>): void {
    for (const [handle, sent] of this.running)
      if ([...sent].some((name) => names.has(name))) this.transfers.cancel(handle.id);
  }
}
