import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Clock } from '../../common/clock';
import { type Disposable, DisposableBase, toDisposable } from '../../common/disposable';
import { describeError } from '../../common/errors';
import { readJsonFile, writeJsonFile } from '../../common/jsonFile';
import type { Logger } from '../../common/logger';
import { type Entry, openEntry, readEntry } from '../../protocol/signedEntry';
import type { SignedText } from '../../protocol/signedText';
import type { HostKey } from './hostTrust';

/**
 * Names of hosts of which the highest sequence is remembered: what somebody looks at or fetches. Of
 * more, those that were looked at longest ago are forgotten. 60 bytes each in the file.
 */
const MAX_SEQUENCES = 20_000;
/** What is looked at within this time is written together: the file may have a megabyte. */
const WRITE_DELAY_MS = 5_000;
/** Hosts whose entries were refused, told once each. */
const MAX_TOLD = 1_000;

/** The highest that was seen of one name of one host. */
interface Seen {
  readonly sequence: number;
  /** Of the text and its signature, which was verified; not kept over restarts. */
  readonly digest?: string;
}

export interface EntryTrustDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly teamId: string;
  /** The key of a host, by its verified record. */
  readonly keyOf: (hostname: string) => HostKey | undefined;
  /** Told of a host that is fetched from. */
  readonly onFetched?: (hostname: string) => void;
  /** Where sequences are kept over restarts; undefined: they are not. */
  readonly file: string | undefined;
}

const storedSequences = v.record(v.string(), v.pipe(v.number(), v.safeInteger(), v.minValue(0)));

/**
 * What hosts have really said of their names, and nothing older than what they were seen to say
 * before. A signature takes about 75 µs to verify: to be asked for what is shown or fetched only.
 */
export class EntryTrust extends DisposableBase {
  /** By `keyFor`; the one that was looked at longest ago comes first. */
  private readonly seen: Map<string, Seen>;
  private readonly told = new Set<string>();
  private writing: Disposable | undefined;

  constructor(private readonly dependencies: EntryTrustDependencies) {
    super();
    this.seen = this.load();
    this.register(toDisposable(() => this.write()));
  }

  /**
   * What `hostname` says of `name`, withdrawals included, or undefined when it does not say that, has
   * said something later, or it holds no more.
   * @param isFetched whether it comes from the host itself and is fetched next.
   */
  verify(
    hostname: string,
    name: string,
    signed: SignedText | undefined,
    isFetched = false,
  ): Entry | undefined {
    const entry = signed && this.open(hostname, name, signed);
    if (entry === undefined) this.tell(hostname);
    else if (isFetched) this.dependencies.onFetched?.(hostname);
    return entry;
  }

  private open(hostname: string, name: string, signed: SignedText): Entry | undefined {
    const key = this.dependencies.keyOf(hostname);
    if (key === undefined) return undefined;
    const place = {
      ...{ teamId: this.dependencies.teamId, hostname, name },
      publicKey: key.publicKey,
    };
    const id = keyFor(key.fingerprint, hostname, name);
    const digest = hash(`${signed.signature}${signed.text}`);
    const before = this.seen.get(id);
    const isKnown = before?.digest === digest;
    const entry = isKnown ? readEntry(signed.text, place) : openEntry(signed, place);
    if (entry === undefined || entry.sequence < (before?.sequence ?? 0)) return undefined;
    if (!isKnown) this.note(id, { sequence: entry.sequence, digest });
    // Noted all the same: what was said before it holds no more either.
    const { expiresMs } = entry;
    return expiresMs !== undefined && expiresMs < this.dependencies.clock.now() ? undefined : entry;
  }

  private note(id: string, seen: Seen): void {
    const isNew = this.seen.get(id)?.sequence !== seen.sequence;
    this.seen.delete(id);
    this.seen.set(id, seen);
    for (const oldest of this.seen.keys()) {
      if (this.seen.size <= MAX_SEQUENCES) break;
      this.seen.delete(oldest);
    }
    if (isNew) this.writing ??= this.dependencies.clock.after(WRITE_DELAY_MS, () => this.write());
  }

  private tell(hostname: string): void {
    if (this.told.has(hostname) || this.told.size >= MAX_TOLD) return;
    this.told.add(hostname);
    this.dependencies.logger.warn(
      `entries of ${hostname} are left out: it has not signed them, or has said something later`,
    );
  }

  private write(): void {
    const { file, logger } = this.dependencies;
    if (this.writing === undefined) return;
    this.writing.dispose();
    this.writing = undefined;
    try {
      if (file === undefined) return;
      // Another window may have seen others, or later ones.
      const sequences = new Map([...this.load()].map(([id, { sequence }]) => [id, sequence]));
      for (const [id, { sequence }] of this.seen) {
        const other = sequences.get(id) ?? 0;
        sequences.delete(id);
        sequences.set(id, Math.max(sequence, other));
      }
      writeJsonFile(file, Object.fromEntries([...sequences].slice(-MAX_SEQUENCES)));
    } catch (error) {
      logger.warn(`sequences of entries are not kept: ${describeError(error)}`);
    }
  }

  private load(): Map<string, Seen> {
    const { file, logger } = this.dependencies;
    const stored = file === undefined ? undefined : readJsonFile(file, storedSequences, logger);
    const entries = Object.entries(stored ?? {}).slice(-MAX_SEQUENCES);
    return new Map(entries.map(([id, sequence]) => [id, { sequence }]));
  }
}

/** Of an identity: who takes a hostname over begins anew. Short, and tells no name to who reads the file. */
function keyFor(fingerprint: string, hostname: string, name: string): string {
  return hash(`${fingerprint}\n${hostname}\n${name}`);
}

/** 128 bits: enough to be the only one. */
function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
