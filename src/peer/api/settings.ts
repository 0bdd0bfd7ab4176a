/** What the engine is told of how it should work. */

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What holds in a folder (an absolute path), but in those within it that have a rule of their own. */
export interface FolderRule {
  readonly folder: string;
  readonly isOn: boolean;
}

export interface PeerSettings {
  /** Wished hostname; `-2`, `-3` … follows when the tracker has it already. */
  readonly hostname: string;
  readonly displayName: string;
  /** Ports to listen on; `{first: 0, last: 0}` lets the system choose. */
  readonly ports: PortRange;
  /** Address that others are told; empty: the one that the tracker sees. */
  readonly advertiseAddress: string;
  /** Address to listen on; empty: loopback when the tracker is on this machine, else all. */
  readonly listenHost: string;
  /** Uploads at the same time; more wait or are refused until one ends. */
  readonly maxUploads: number;
  /** All uploads together; 0 or nothing is no limit. */
  readonly maxUploadBytesPerSecond?: number | undefined;
  /** All downloads together; 0 or nothing is no limit. */
  readonly maxDownloadBytesPerSecond?: number | undefined;
  /** In which folders a published file is published again, under its name, when it has changed. */
  readonly autoRepublish?: readonly FolderRule[] | undefined;
}

/** What the engine worker is started with. */
export interface EngineOptions {
  /** Folder for what outlives the window: published files, leftovers, hashes. */
  readonly storageFolder: string;
  /** Whether published files are offered again after a restart; the command line does not. */
  readonly keepCatalogue: boolean;
  /**
   * Whether others see this peer in a session before it has published anything, where the tracker
   * speaks version 2. Who only looks is not seen.
   */
  readonly presence?: boolean | undefined;
  /**
   * Whether what others offer is asked for by `refreshNetwork` only. Otherwise the index is kept up to
   * date from the first connection on.
   */
  readonly lazyNetwork?: boolean | undefined;
  /** What tells this window from others: an engine that starts again takes its own place back. */
  readonly windowId: string;
  /** Bundle of the hash worker. */
  readonly hashWorker: string;
  /** Where sessions are looked for in the network; tests have a place of their own. */
  readonly lan?: { readonly port: number; readonly addresses: readonly string[] } | undefined;
  readonly settings: PeerSettings;
}
