/** What every call may be given besides its request. */

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface FetchOptions extends CallOptions {
  /** At most a few times a second. */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

export interface TransferProgress {
  readonly bytes: number;
  readonly totalBytes: number;
}
