import { randomBytes } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import { type Clock, delay, every } from '../common/clock';
import { DisposableSlot, DisposableStore } from '../common/disposable';
import type { Logger } from '../common/logger';
import {
  ANNOUNCED_SERVICE,
  type Announcement,
  type AnnouncementRecord,
  announcementRecords,
  SERVICE_DIRECTORY,
} from '../protocol/announcement';
import { MAX_ANNOUNCEMENT_TTL_S } from '../protocol/limits';
import { LanSocket } from './lanSocket';
import { encodeAnnouncement, encodeReply, readPacket } from './packets';

/** Said a second time, as packets get lost; and never twice within this time (RFC 6762, section 6). */
const QUIET_MS = 1_000;
/** For who asks as if it were plain DNS, and asks again in time (section 6.7). */
const REPLY_TTL_S = 10;
/** How often is looked for networks that came since. */
const NETWORKS_INTERVAL_MS = 30_000;
/** Time for the goodbye to leave. */
const GOODBYE_DEADLINE_MS = 500;

export interface LanAnnouncerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where it is announced. */
export interface AnnouncerPlace {
  /** Of multicast DNS. */
  readonly port: number;
  /** IPv4 addresses at which the tracker is reached now, one for each network. */
  readonly addresses: () => readonly string[];
}

/**
 * Tells everyone nearby, by multicast DNS, that the tracker of a session is here, and answers who asks.
 * Where that is not possible the session is found by its invite only, and nobody is bothered.
 */
export class LanAnnouncer {
  private readonly label: string;
  private readonly lifetime = new DisposableStore();
  private readonly socket: LanSocket;
  /** An announcement that waits until the last one was long enough ago. */
  private readonly pending = this.lifetime.add(new DisposableSlot());
  private quietUntilMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly dependencies: LanAnnouncerDependencies,
    private readonly announcement: Announcement,
    private readonly place: AnnouncerPlace,
  ) {
    // Another one at each start: nobody has it, and nobody takes it for the one before.
    this.label = `${announcement.fingerprint.slice(0, 16)}-${randomBytes(4).toString('hex')}`;
    this.socket = this.lifetime.add(
      new LanSocket(
        { ...dependencies, onPacket: (bytes, from) => this.receive(bytes, from) },
        { ...place, joins: true },
      ),
    );
  }

  /** Announces, and answers from now on. */
  start(): void {
    const { clock } = this.dependencies;
    this.socket.open();
    this.announce();
    this.announce();
    this.lifetime.add(
      every(clock, NETWORKS_INTERVAL_MS, () => {
        if (this.socket.refresh()) this.announce();
      }),
    );
  }

  /** Says goodbye, for half a second at most, and closes. May be called twice. */
  async stop(): Promise<void> {
    this.pending.set(undefined);
    const goodbye = this.socket.sendToAll(encodeAnnouncement(this.records(0)));
    await Promise.race([goodbye, delay(this.dependencies.clock, GOODBYE_DEADLINE_MS)]);
    this.lifetime.dispose();
  }

  private receive(bytes: Buffer, from: RemoteInfo): void {
    const packet = readPacket(bytes);
    if (packet?.kind !== 'question') return;
    const ours = packet.questions.filter(({ name }) => this.isOurs(name.toLowerCase()));
    if (ours.length === 0) return;
    if (from.port === this.place.port) this.announce();
    else void this.socket.sendTo(from, encodeReply(packet.id, ours, this.records(REPLY_TTL_S)));
  }

  private isOurs(name: string): boolean {
    const own = `${this.label}.${ANNOUNCED_SERVICE}`;
    return name === ANNOUNCED_SERVICE || name === SERVICE_DIRECTORY || name === own;
  }

  /** Now, or as soon as everyone may be told again. */
  private announce(): void {
    const { clock } = this.dependencies;
    const waitMs = this.quietUntilMs - clock.monotonic();
    if (waitMs > 0) {
      this.pending.set(clock.after(waitMs, () => this.announce()));
      return;
    }
    this.quietUntilMs = clock.monotonic() + QUIET_MS;
    void this.socket.sendToAll(encodeAnnouncement(this.records(MAX_ANNOUNCEMENT_TTL_S)));
  }

  private records(ttlS: number): AnnouncementRecord[] {
    const { label } = this;
    return announcementRecords(this.announcement, {
      ...{ label, ttlS },
      addresses: this.place.addresses(),
    });
  }
}
