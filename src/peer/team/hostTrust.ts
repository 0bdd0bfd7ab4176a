import type { KeyObject } from 'node:crypto';
import * as v from 'valibot';
import type { Clock } from '../../common/clock';
import { type Disposable, DisposableBase, toDisposable } from '../../common/disposable';
import { describeError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { openHostRecord, type SealedHostRecord } from '../../protocol/hostRecord';
import { HOST_RECORD_LIFETIME_MS } from '../../protocol/limits';
import { readJsonFile, writeJsonFile } from '../../common/jsonFile';
import type { TeamMember } from './teamMember';

/**
 * Identities remembered. Of more, first those are forgotten that were seen on one day only: a member
 * that takes very many hostnames must not make us forget those whom we see day by day.
 */
const MAX_PINS = 20_000;
/** Hosts whose last record is kept, and identities told of: as many as are remembered. */
const MAX_KNOWN = MAX_PINS;
/** A hostname that nobody has had for this long may become somebody else's. */
const PIN_LIFETIME_MS = 90 * 24 * 3_600_000;
/** Many pins that come at once are written together. */
const WRITE_DELAY_MS = 1_000;
/** How old the stored time of a pin may become before it is written anew. */
const PIN_RENEWAL_MS = 24 * 3_600_000;

/** A host whose record was verified. */
export interface TrustedHost {
  readonly displayName: string;
  /** Of the certificate that every connection with it must show. */
  readonly fingerprint: string;
}

/** By what a host signs. */
export interface HostKey {
  readonly publicKey: KeyObject;
  /** Of its certificate. */
  readonly fingerprint: string;
}

/** The identity that a hostname had when it was seen first. */
interface Pin {
  readonly fingerprint: string;
  readonly seenMs: number;
  /** Seen on several days. */
  readonly isEstablished?: boolean | undefined;
}

interface Known extends TrustedHost, HostKey {
  readonly mac: string;
  readonly sequence: number;
  readonly timeMs: number;
}

export interface HostTrustDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly member: Pick<TeamMember, 'teamId' | 'membershipKey'>;
  /** Where pins are kept over restarts; undefined: they are not. */
  readonly pinsFile: string | undefined;
  /** A hostname came with another identity than before. Called once for each such identity. */
  readonly onIdentityChanged: (hostname: string) => void;
}

const pinsSchema = v.record(
  v.string(),
  v.object({
    fingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)),
    seenMs: v.pipe(v.number(), v.minValue(0)),
    isEstablished: v.optional(v.boolean()),
  }),
);

/**
 * Which hosts of a tracker's answers are members of the team, and the same as before. A tracker can
 * leave hosts out; what it invents, alters or repeats from long ago counts for nothing here.
 */
export class HostTrust extends DisposableBase {
  /** By hostname; the one that was seen longest ago comes first. */
  private readonly pins: Map<string, Pin>;
  /** The highest record of each hostname, so that one that comes again costs no signature. */
  private readonly known = new Map<string, Known>();
  private readonly warned = new Set<string>();
  private writing: Disposable | undefined;

  constructor(private readonly dependencies: HostTrustDependencies) {
    super();
    this.pins = this.load();
    this.register(toDisposable(() => this.write()));
  }

  /** The host, or undefined when its record is missing, not valid, too old or of another identity. */
  verify(hostname: string, sealed: SealedHostRecord | undefined): TrustedHost | undefined {
    if (sealed === undefined) return undefined;
    const known = this.known.get(hostname);
    const host = known?.mac === sealed.mac ? known : this.open(hostname, sealed);
    if (host === undefined || !this.isFresh(host)) return undefined;
    return { displayName: host.displayName, fingerprint: host.fingerprint };
  }

  /** The key of a host whose record has been verified, however long ago. */
  keyOf(hostname: string): HostKey | undefined {
    return this.known.get(hostname);
  }

  private open(hostname: string, sealed: SealedHostRecord): Known | undefined {
    const { teamId, membershipKey } = this.dependencies.member;
    const opened = openHostRecord(sealed, { id: teamId, membershipKey });
    if (opened?.record.hostname !== hostname) return undefined;
    const { displayName, fingerprint, sequence, timeMs } = opened.record;
    const { publicKey } = opened.identity;
    const host = { displayName, fingerprint, publicKey, sequence, timeMs, mac: sealed.mac };
    if (!this.isFresh(host) || !this.isSameAsBefore(hostname, fingerprint)) return undefined;
    const known = this.known.get(hostname);
    // An older record, repeated: what it said does not hold any more.
    if (known !== undefined && known.sequence > sequence) return undefined;
    this.known.delete(hostname);
    this.known.set(hostname, host);
    forgetOldest(this.known, MAX_KNOWN);
    return host;
  }

  private isFresh({ timeMs }: Known): boolean {
    return Math.abs(this.dependencies.clock.now() - timeMs) <= HOST_RECORD_LIFETIME_MS;
  }

  private isSameAsBefore(hostname: string, fingerprint: string): boolean {
    const nowMs = this.dependencies.clock.now();
    const pin = this.pins.get(hostname);
    const isPinned = pin !== undefined && nowMs - pin.seenMs <= PIN_LIFETIME_MS;
    if (isPinned && pin.fingerprint !== fingerprint) {
      this.warn(hostname, fingerprint);
      return false;
    }
    if (!isPinned) this.pin(hostname, { fingerprint, seenMs: nowMs });
    else if (nowMs - pin.seenMs > PIN_RENEWAL_MS)
      this.pin(hostname, { fingerprint, seenMs: nowMs, isEstablished: true });
    return true;
  }

  private warn(hostname: string, fingerprint: string): void {
    const key = `${fingerprint} ${hostname}`;
    if (this.warned.has(key) || this.warned.size >= MAX_KNOWN) return;
    this.warned.add(key);
    this.dependencies.logger.warn(`${hostname} comes with another identity than before`);
    this.dependencies.onIdentityChanged(hostname);
  }

  private pin(hostname: string, pin: Pin): void {
    this.pins.delete(hostname);
    this.pins.set(hostname, pin);
    forgetPins(this.pins);
    this.writing ??= this.dependencies.clock.after(WRITE_DELAY_MS, () => this.write());
  }

  /** Writes what has not been written. */
  private write(): void {
    const { pinsFile, logger } = this.dependencies;
    if (this.writing === undefined) return;
    this.writing.dispose();
    this.writing = undefined;
    try {
      if (pinsFile === undefined) return;
      // Another window may have added some; where both know a hostname, it is the same to both.
      const others = [...this.load()].filter(([hostname]) => !this.pins.has(hostname));
      const all = new Map([...others, ...this.pins]);
      forgetPins(all);
      writeJsonFile(pinsFile, Object.fromEntries(all));
    } catch (error) {
      logger.warn(`identities of others are not kept: ${describeError(error)}`);
    }
  }

  private load(): Map<string, Pin> {
    const { pinsFile, logger } = this.dependencies;
    const stored = pinsFile === undefined ? undefined : readJsonFile(pinsFile, pinsSchema, logger);
    const pins = Object.entries(stored ?? {}).sort(([, a], [, b]) => a.seenMs - b.seenMs);
    const loaded = new Map(pins);
    forgetPins(loaded);
    return loaded;
  }
}

/** Those of one day first, then whatever was seen longest ago. */
function forgetPins(pins: Map<string, Pin>): void {
  if (pins.size <= MAX_PINS) return;
  for (const [hostname, { isEstablished }] of pins) {
    if (pins.size <= MAX_PINS) return;
    if (isEstablished !== true) pins.delete(hostname);
  }
  forgetOldest(pins, MAX_PINS);
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= limit) return;
    map.delete(oldest);
  }
}
