import type { Clock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { Emitter } from '../common/events';
import type { HostPort } from '../protocol/address';
import type { FoundSession, ReceivedAnnouncement } from '../protocol/announcement';

/** More than a network has; when so many are known, others wait until one has gone. */
const MAX_ANNOUNCEMENTS = 100;
/** Of one machine: of more, that which was heard of last longest ago is forgotten. */
const MAX_PER_MACHINE = 8;
/** Of one session: a machine with a cable and a radio has two. Others may be lies. */
const MAX_ADDRESSES = 4;
/** How long an answer holds at most: who asks, asks again before. */
export const MAX_HELD_MS = 10_000;

interface Known {
  readonly announcement: ReceivedAnnouncement;
  readonly address: HostPort;
  readonly untilMs: number;
}

/**
 * The sessions of which trackers nearby say that they are there. What one machine says changes nothing
 * of what others have said.
 */
export class FoundSessions extends DisposableBase {
  private readonly changeEmitter = this.register(new Emitter<readonly FoundSession[]>());
  private readonly expiry = this.register(new DisposableSlot());
  /** By machine and instance; what was heard of last stands last. */
  private readonly known = new Map<string, Known>();
  private shown = '[]';

  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly clock: Clock) {
    super();
  }

  /** By name. */
  get all(): FoundSession[] {
    const byFingerprint = new Map<string, FoundSession>();
    // In an order of their own: who is heard of again does not change what is shown.
    const known = [...this.known].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, { announcement, address }] of known) {
      const { fingerprint, sessionName } = announcement;
      const found = byFingerprint.get(fingerprint) ?? { fingerprint, sessionName, addresses: [] };
      const addresses = [...found.addresses, address].slice(0, MAX_ADDRESSES);
      byFingerprint.set(fingerprint, { ...found, addresses });
    }
    const keyOf = ({ sessionName, fingerprint }: FoundSession): string =>
      `${sessionName} ${fingerprint}`;
    return [...byFingerprint.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /** Where a tracker with this certificate is said to be; what was heard of last comes first. */
  addressesOf(fingerprint: string): HostPort[] {
    const said = [...this.known.values()].filter(
      ({ announcement }) => announcement.fingerprint === fingerprint,
    );
    return said
      .reverse()
      .slice(0, MAX_ADDRESSES)
      .map(({ address }) => address);
  }

  /** @param machine address from which it came. */
  take(announcement: ReceivedAnnouncement, machine: string): void {
    const key = `${machine} ${announcement.instance}`;
    const isNew = !this.known.delete(key);
    if (announcement.ttlS > 0 && (!isNew || this.makeRoom(machine))) {
      const heldMs = Math.min(announcement.ttlS * 1_000, MAX_HELD_MS);
      const untilMs = this.clock.monotonic() + heldMs;
      const address = { host: machine, port: announcement.port };
      this.known.set(key, { announcement, address, untilMs });
    }
    this.update();
  }

  clear(): void {
    this.known.clear();
    this.update();
  }

  /** Whether there is room for one more of a machine. */
  private makeRoom(machine: string): boolean {
    const own = [...this.known].filter(([, { address }]) => address.host === machine);
    const [oldest] = own;
    if (oldest !== undefined && own.length >= MAX_PER_MACHINE) this.known.delete(oldest[0]);
    return this.known.size < MAX_ANNOUNCEMENTS;
  }

  private update(): void {
    const nowMs = this.clock.monotonic();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [key, { untilMs }] of this.known) {
      if (untilMs <= nowMs) this.known.delete(key);
      else nextMs = Math.min(nextMs, untilMs);
    }
    this.expiry.set(
      this.known.size === 0 ? undefined : this.clock.after(nextMs - nowMs, () => this.update()),
    );
    const { all } = this;
    const text = JSON.stringify(all);
    if (text === this.shown) return;
    this.shown = text;
    this.changeEmitter.fire(all);
  }
}
