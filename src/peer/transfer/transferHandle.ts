import type { ContentId } from '../../protocol/contentId';
import type { FetchRequest, FolderFetchRequest, Transfer } from '../peerApi';

/** What a download was asked for with, so that it can be asked for again. */
export type Wish =
  | { readonly kind: 'file'; readonly request: FetchRequest }
  | { readonly kind: 'folder'; readonly request: FolderFetchRequest };

export interface TransferAbout extends Pick<
  Transfer,
  'direction' | 'name' | 'peer' | 'totalBytes'
> {
  /** `waiting` until `begin` is called; running at once when nothing is said. */
  readonly state?: 'waiting' | 'running';
  readonly wish?: Wish;
  /** Where a download goes. */
  readonly path?: string;
}

/** A download of an earlier run that has not ended: shown as paused until it is started again. */
export interface RestoredTransfer extends Pick<
  Transfer,
  'name' | 'peer' | 'bytes' | 'totalBytes' | 'startedAtMs'
> {
  readonly wish: Wish;
  /** The content, as far as it was known. */
  readonly content: ContentId | undefined;
}

/** A download that has not ended, with all that is needed to go on with it in a later run. */
export interface UnfinishedTransfer extends RestoredTransfer {
  readonly id: string;
  readonly isPaused: boolean;
}

export interface RunOptions {
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined;
  /** Called when it is a transfer: from then on events tell what becomes of it. */
  readonly onStarted?: ((id: string) => void) | undefined;
}

/** One transfer as the one who runs it sees it. */
export interface TransferHandle {
  readonly id: string;
  /** Aborted when it must end for good: the user cancels it, or this peer stops. */
  readonly signal: AbortSignal;
  /** The user does not want it any more; without that, an aborted one may be gone on with. */
  readonly isCancelled: boolean;
  /**
   * Runs `attempt` while the transfer is not paused. A pause aborts the signal of the attempt; when
   * the transfer is resumed, another one is made. Several may be under way at once.
   * @throws what the last attempt failed with, CANCELLED when it ends while it is paused.
   */
  throughPauses<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Its turn has come. */
  begin(): void;
  setTotal(totalBytes: number): void;
  setBytes(bytes: number): void;
  /** So many files of a folder were not fetched. */
  setLeftOut(files: number): void;
  /** Somebody, by display name, has sent a part of it. */
  addSource(displayName: string): void;
  /** What is fetched, once that is known. */
  setContent(content: ContentId): void;
  /** It got another name than was wished for. */
  setPath(path: string): void;
  /** Ends it: without an error as done, with CANCELLED as cancelled. Later calls change nothing. */
  finish(error?: unknown): void;
}
