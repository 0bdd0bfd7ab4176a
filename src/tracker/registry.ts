import type { FileMetadata } from '../protocol/controlRequests';
import type { MaybePromise } from './maybePromise';

/** The control connection on whose behalf something is changed: it acts only for its own host. */
export interface Owner {
  /** Unique among all connections of all trackers that share the registry. */
  readonly id: string;
  /** Where the connection comes from; an IPv4 address is never mapped. */
  readonly address: string;
}

export interface Registration {
  readonly hostname: string;
  readonly displayName: string;
  readonly ip: string;
  readonly port: number;
  readonly files: ReadonlyMap<string, FileMetadata>;
}

/** A change was made, or nothing was changed for the given reason. */
export type ChangeOutcome<Reason extends string> = 'done' | Reason;

/**
 * Who is online and what each host offers. Times come from the registry's clock. Reads give whole
 * replies (see replies.ts), so that an implementation can keep them until something changes. Methods
 * may answer at once or later; a caller keeps the order.
 */
export interface Registry {
  /**
   * Adds the host, or replaces what it is and offers. The owner's host under another name goes.
   * Another connection's host is taken over only from the same address, and only when that
   * connection is closed or has been silent for long.
   */
  register(
    owner: Owner,
    registration: Registration,
  ): MaybePromise<ChangeOutcome<'hostname in use' | 'too many files'>>;

  /** Offers a file; one that is hidden is shown again. */
  publish(
    owner: Owner,
    hostname: string,
    name: string,
    file: FileMetadata,
  ): MaybePromise<ChangeOutcome<'unknown host' | 'not your host' | 'too many files'>>;

  /** Hides a file, which may be hidden already. */
  unpublish(
    owner: Owner,
    hostname: string,
    name: string,
  ): MaybePromise<ChangeOutcome<'unknown host' | 'not your host' | 'file not found'>>;

  /** Removes a host at once. One that is not there is removed already. */
  unregister(owner: Owner, hostname: string): MaybePromise<ChangeOutcome<'not your host'>>;

  has(hostname: string): MaybePromise<boolean>;

  /** The reply to REQUEST: hosts that offer the name, in the order in which they came. */
  request(name: string): MaybePromise<string>;

  /** The reply to DISCOVER, or undefined for an unknown host. */
  discover(hostname: string): MaybePromise<string | undefined>;

  /** The reply to LIST. */
  list(): MaybePromise<string>;

  /** Notes a sign of life of the owner's host, if it has one. */
  touch(owner: Owner): MaybePromise<void>;

  /** Whether the owner has a host. */
  holds(owner: Owner): MaybePromise<boolean>;

  /** The owner's connection is closed. Its host stays until it expires. */
  release(owner: Owner): MaybePromise<void>;

  /** Removes hosts that have been silent for too long and gives their number. */
  expire(): MaybePromise<number>;
}
