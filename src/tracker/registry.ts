import type { HostRecordText } from '../protocol/credentials';
import type { SealedHostRecord } from '../protocol/hostRecord';
import type { FileMetadata } from '../protocol/controlRequests';
import type {
  ControlVersion,
  EntryRefusal,
  InstanceClaim,
  NamedFile,
  PageRequest,
} from '../protocol/controlRequestsV2';
import type { SignedText } from '../protocol/signedText';
import type { Subscriber, Subscription } from './changeFeed';
import type { MaybePromise } from './maybePromise';

/** The control connection on whose behalf something is changed: it acts only for its own host. */
export interface Owner {
  /** Unique among all connections of all trackers that share the registry. */
  readonly id: string;
  /** Where the connection comes from; an IPv4 address is never mapped. */
  readonly address: string;
  /** Called when a later connection of the same instance has taken the owner's host. */
  readonly onReplaced?: () => void;
}

/** Who a host is, in a team session. */
export interface HostIdentity {
  /** Of its certificate. */
  readonly fingerprint: string;
  /** What it says of itself, passed on as it is. */
  readonly record: SealedHostRecord;
}

export interface Registration {
  readonly hostname: string;
  readonly displayName: string;
  readonly ip: string;
  /** 0: the host serves nothing, and is nobody's source. */
  readonly port: number;
  /** Version 1 has none. */
  readonly instance?: InstanceClaim | undefined;
  /** In a team session: then only this identity takes the host over. */
  readonly identity?: HostIdentity | undefined;
  readonly files: ReadonlyMap<string, FileMetadata>;
}

/** What a host says with a sign of life. */
export interface Renewal {
  /** Replaces its host record. */
  readonly record?: HostRecordText | undefined;
  readonly isBusy: boolean;
}

/** A change was made, or nothing was changed for the given reason. */
export type ChangeOutcome<Reason extends string> = 'done' | Reason;

/** What was not changed, each with its reason, or why nothing was. */
export type BatchOutcome = readonly EntryRefusal[] | 'unknown host' | 'not your host';

/**
 * Who is online and what each host offers. Times come from the registry's clock. Reads give whole
 * replies (see replies.ts and repliesV2.ts) of version 1 when none is named, so that an implementation can keep them until something changes. Methods
 * may answer at once or later; a caller keeps the order.
 */
export interface Registry {
  /**
   * Adds the host, or replaces what it is and offers. The owner's host under another name goes.
   * Another connection's host is taken over by a higher counter of the same instance; of another
   * instance or of none, only from the same address, and only when that connection is closed or has
   * been silent for long.
   */
  register(
    owner: Owner,
    registration: Registration,
  ): MaybePromise<ChangeOutcome<'hostname in use' | 'replaced' | 'too many files'>>;

  /** The owner's host says what it does and, in a team session, who it is; of others nothing is changed. */
  renew(owner: Owner, hostname: string, renewal: Renewal): MaybePromise<void>;

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

  /** Offers many files, and gives those that were not taken. An entry never becomes an older one. */
  publishAll(
    owner: Owner,
    hostname: string,
    files: readonly NamedFile[],
  ): MaybePromise<BatchOutcome>;

  /**
   * Hides many files, and gives those that are not there.
   * @param withdrawn what the host has signed of them instead of what it had signed before.
   */
  unpublishAll(
    owner: Owner,
    hostname: string,
    names: readonly string[],
    withdrawn?: ReadonlyMap<string, SignedText>,
  ): MaybePromise<BatchOutcome>;

  /** Removes a host at once. One that is not there is removed already. */
  unregister(owner: Owner, hostname: string): MaybePromise<ChangeOutcome<'not your host'>>;

  has(hostname: string): MaybePromise<boolean>;

  /** The reply to REQUEST: hosts that offer the name, in the order in which they came. */
  request(name: string, version?: ControlVersion): MaybePromise<string>;

  /** The reply to DISCOVER, or undefined for an unknown host. */
  discover(hostname: string, version?: ControlVersion): MaybePromise<string | undefined>;

  /** The reply to LIST. */
  list(version?: ControlVersion): MaybePromise<string>;

  /** The reply to one page of LIST or SEARCH. The cursor must be one that `isCursor` knows. */
  page(request: PageRequest): MaybePromise<string>;

  /**
   * The first page of everything, as reply to SUBSCRIBE, and from then on what changes. Whoever takes
   * the reply sends it before any event, and disposes the subscription.
   */
  subscribe(
    subscriber: Subscriber,
    request: PageRequest,
  ): MaybePromise<{ readonly reply: string; readonly subscription: Subscription }>;

  /** Resolves when subscribers have been told what has changed until now, to the number of that event. */
  flushed(): MaybePromise<number>;

  /** The reply to LOCATE, for content ids as `formatContentId` writes them. */
  locate(ids: readonly string[]): MaybePromise<string>;

  /** Notes a sign of life of the owner's host, if it has one. */
  touch(owner: Owner): MaybePromise<void>;

  /** Whether the owner has a host. */
  holds(owner: Owner): MaybePromise<boolean>;

  /** The owner's connection is closed. Its host stays until it expires. */
  release(owner: Owner): MaybePromise<void>;

  /** Removes hosts that have been silent for too long and gives their number. */
  expire(): MaybePromise<number>;
}
