import type { KeyObject } from 'node:crypto';
import * as v from 'valibot';
import type { Clock } from '../../common/clock';
import { type Disposable, DisposableBase, toDisposable } from '../../common/disposable';
import { describeError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { openHostRecord, type SealedHostRecord } from '../../protocol/hostRecord';
import { HOST_RECORD_LIFETIME_MS } from '../../protocol/limits';
import { pairsOf, readJsonFile, writeJsonFile } from '../../common/jsonFile';
import type { KnownMember } from '../peerApi';
import { forgetPins, MAX_PINS, type Pin } from './pins';
import type { TeamMember } from './teamMember';

/** Hosts whose last record is kept, and identities told of: as many as are remembered. */
const MAX_KNOWN = MAX_PINS;
/** A hostname that nobody has had for this long may become somebody else's. */
const PIN_LIFETIME_MS = 90 * 24 * 3_600_000;
/** Many pins that come at once are written together. */
const WRITE_DELAY_MS = 1_000;
/** Records are renewed all the time: how long a crash may set back what is known of them. */
const SEQUENCE_WRITE_DELAY_MS = 60_000;
/** How old the stored time of a pin may become before it is written anew. */
const PIN_RENEWAL_MS = 24 * 3_600_000;

/** A host whose record was verified. */
export interface TrustedHost {
  readonly displayName: string;
  /** Of the certificate that every connection with it must show. */
  readonly fingerprint: string;
}

/** By what a host signs, and to what envelopes for it are sealed. */
export interface HostKey {
  readonly publicKey: KeyObject;
  /** Of its certificate. */
  readonly fingerprint: string;
  readonly sealingPoint: string;
}

interface Known extends TrustedHost, HostKey {
  /** By which the record was verified: it says nothing in another epoch. */
  readonly membershipKey: KeyObject;
  readonly mac: string;
  readonly sequence: number;
  readonly timeMs: number;
}

export interface HostTrustDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly member: Pick<TeamMember, 'teamId' | 'membershipKey'>;
  /** Whether an identity may be a host's: one that was removed may not. */
  readonly admits: (identity: string) => boolean;
  /** Where pins are kept over restarts; undefined: they are not. */
  readonly pinsFile: string | undefined;
  /** A hostname came with another identity than before. Called once for each such identity. */
  readonly onIdentityChanged: (hostname: string) => void;
}

const pinsSchema = pairsOf(
  v.object({
    fingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)),
    seenMs: v.pipe(v.number(), v.minValue(0)),
    isEstablished: v.optional(v.boolean()),
    displayName: v.optional(v.string()),
    sealingPoint: v.optional(v.pipe(v.string(), v.regex(/^[\w-]{44}$/u))),
    isFetched: v.optional(v.boolean()),
    sequence: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
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
  private writing: { readonly timer: Disposable; readonly dueMs: number } | undefined;

  constructor(private readonly dependencies: HostTrustDependencies) {
    super();
    this.pins = this.load();
    this.register(toDisposable(() => this.write()));
  }

  /** The host, or undefined when its record is missing, not valid, too old or of another identity. */
  verify(hostname: string, sealed: SealedHostRecord | undefined): TrustedHost | undefined {
    if (sealed === undefined) return undefined;
    const known = this.known.get(hostname);
    const isKnown =
      known?.mac === sealed.mac && known.membershipKey === this.dependencies.member.membershipKey;
    const host = isKnown ? known : this.open(hostname, sealed);
    if (host === undefined || !this.isFresh(host)) return undefined;
    if (!this.dependencies.admits(host.fingerprint)) return undefined;
    return { displayName: host.displayName, fingerprint: host.fingerprint };
  }

  /** The key of a host whose record has been verified, however long ago. */
  keyOf(hostname: string): HostKey | undefined {
    return this.known.get(hostname);
  }

  /** Every identity that was seen, also those that are away, and what they were called. */
  members(): KnownMember[] {
    const members = new Map<string, KnownMember>();
    for (const [hostname, pin] of this.pins) {
      const { fingerprint: identity, displayName = hostname, sealingPoint, seenMs } = pin;
      const before = members.get(identity);
      members.set(identity, {
        ...{ identity, displayName, sealingPoint },
        hostnames: [...(before?.hostnames ?? []), hostname],
        seenMs: Math.max(seenMs, before?.seenMs ?? 0),
      });
    }
    return [...members.values()].filter(({ identity }) => this.dependencies.admits(identity));
  }

  /** Something is fetched from the host: who it is, is not forgotten to make room for others. */
  keep(hostname: string): void {
    const pin = this.pins.get(hostname);
    if (pin === undefined || pin.isFetched === true) return;
    this.pins.set(hostname, { ...pin, isFetched: true });
    this.writeWithin(WRITE_DELAY_MS);
  }

  private open(hostname: string, sealed: SealedHostRecord): Known | undefined {
    const { teamId, membershipKey } = this.dependencies.member;
    const opened = openHostRecord(sealed, { id: teamId, membershipKey });
    if (opened?.record.hostname !== hostname) return undefined;
    const { displayName, fingerprint, sealingPoint, sequence, timeMs } = opened.record;
    const { publicKey } = opened.identity;
    const { mac } = sealed;
    const host = {
      ...{ displayName, fingerprint, sealingPoint, publicKey },
      ...{ sequence, timeMs, mac, membershipKey },
    };
    if (!this.isFresh(host) || !this.isSameAsBefore(hostname, host)) return undefined;
    this.known.delete(hostname);
    this.known.set(hostname, host);
    forgetOldest(this.known, MAX_KNOWN);
    return host;
  }

  private isFresh({ timeMs }: Known): boolean {
    return Math.abs(this.dependencies.clock.now() - timeMs) <= HOST_RECORD_LIFETIME_MS;
  }

  /** Whether it is the identity that was seen before, and says nothing older than it has said. */
  private isSameAsBefore(hostname: string, known: Known): boolean {
    const { fingerprint, sequence, displayName, sealingPoint } = known;
    const nowMs = this.dependencies.clock.now();
    const before = this.pins.get(hostname);
    const pin = before && nowMs - before.seenMs <= PIN_LIFETIME_MS ? before : undefined;
    if (pin !== undefined && pin.fingerprint !== fingerprint) {
      this.warn(hostname, fingerprint);
      return false;
    }
    const lastSequence = Math.max(pin?.sequence ?? 0, this.known.get(hostname)?.sequence ?? 0);
    if (lastSequence > sequence) return false;
    const said = { fingerprint, displayName, sealingPoint, sequence };
    if (pin === undefined) this.pin(hostname, { ...said, seenMs: nowMs });
    else if (nowMs - pin.seenMs > PIN_RENEWAL_MS)
      this.pin(hostname, { ...pin, ...said, seenMs: nowMs, isEstablished: true });
    else if (lastSequence < sequence) {
      this.pins.set(hostname, { ...pin, ...said });
      this.writeWithin(SEQUENCE_WRITE_DELAY_MS);
    }
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
    forgetPins(this.pins, pin.fingerprint);
    this.writeWithin(WRITE_DELAY_MS);
  }

  private writeWithin(delayMs: number): void {
    const { clock } = this.dependencies;
    const dueMs = clock.monotonic() + delayMs;
    if (this.writing !== undefined && this.writing.dueMs <= dueMs) return;
    this.writing?.timer.dispose();
    this.writing = { dueMs, timer: clock.after(delayMs, () => this.write()) };
  }

  /** Writes what has not been written. */
  private write(): void {
    const { pinsFile, logger } = this.dependencies;
    if (this.writing === undefined) return;
    this.writing.timer.dispose();
    this.writing = undefined;
    try {
      if (pinsFile === undefined) return;
      // Another window may have added some, or seen later records of the same.
      const stored = this.load();
      const others = [...stored].filter(([hostname]) => !this.pins.has(hostname));
      const own = [...this.pins].map(([hostname, pin]) => {
        return [hostname, laterOf(pin, stored.get(hostname))] as const;
      });
      const all = new Map([...others, ...own]);
      forgetPins(all);
      writeJsonFile(pinsFile, Object.fromEntries(all));
    } catch (error) {
      logger.warn(`identities of others are not kept: ${describeError(error)}`);
    }
  }

  private load(): Map<string, Pin> {
    const { pinsFile, logger } = this.dependencies;
    const stored = pinsFile === undefined ? undefined : readJsonFile(pinsFile, pinsSchema, logger);
    const pins = (stored ?? []).sort(([, a], [, b]) => a.seenMs - b.seenMs);
    const loaded = new Map(pins);
    forgetPins(loaded);
    return loaded;
  }
}

/** The pin, with what another window has seen of the same identity. */
function laterOf(pin: Pin, other: Pin | undefined): Pin {
  if (other?.fingerprint !== pin.fingerprint) return pin;
  const isFetched = pin.isFetched ?? other.isFetched;
  return { ...pin, isFetched, sequence: Math.max(pin.sequence ?? 0, other.sequence ?? 0) };
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= limit) return;
    map.delete(oldest);
  }
}
