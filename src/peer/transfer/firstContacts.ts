import { abortable } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { deferred } from '../../common/deferred';
import { PeershelfError, systemCode } from '../../common/errors';
import { formatHostPort, type HostPort } from '../../protocol/address';
import { PinFailures } from './pinFailures';

/** Attempts a minute at one port, when none has found whom it looked for. */
const MAX_FAILURES_PER_PORT = 2;
/** And at all ports of one host: several windows of one user share a host, but not many are lost at once. */
const MAX_FAILURES_PER_HOST = 8;
/** Sources remembered as met; of more, those that were met first are met anew. */
const MAX_MET = 4_096;

/** Where somebody is said to be. */
export interface Meeting {
  readonly place: HostPort;
  /** Of whom we look for. */
  readonly fingerprint: string;
  /** For waiting and attempt together. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One try to meet somebody. */
export interface Attempt {
  readonly deadlineMs: number;
  /** To be called when a connection is there, whoever answers it. */
  readonly onReached: () => void;
}

/**
 * Keeps a tracker from making many peers, or one peer many times, connect to whom they do not look
 * for. As long as somebody has not been met at a place, attempts there are made one after the other,
 * and few in a minute, whatever they failed with once they were connected. Who has been met there is
 * met as often as is wished for.
 */
export class FirstContacts {
  private readonly ports: PinFailures;
  private readonly hosts: PinFailures;
  private readonly met = new Set<string>();
  /** Attempts that are under way at places where nobody has been met. */
  private readonly turns = new Map<string, Promise<void>>();

  constructor(private readonly clock: Clock) {
    this.ports = new PinFailures(clock, MAX_FAILURES_PER_PORT);
    this.hosts = new PinFailures(clock, MAX_FAILURES_PER_HOST);
  }

  /**
   * @param attempt resolves when the other side is whom we look for.
   * @throws PEER_IDENTITY_MISMATCH when there were too many attempts, PEER_UNREACHABLE when the turn
   * does not come in time, CANCELLED, and what the attempt throws.
   */
  async meet<T>(meeting: Meeting, attempt: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { place, fingerprint, deadlineMs } = meeting;
    const key = `${fingerprint} ${formatHostPort(place)}`;
    const startMs = this.clock.monotonic();
    const endTurn = await this.waitForTurn(meeting, key);
    const reached = { value: false };
    try {
      const met = await attempt({
        deadlineMs: deadlineMs - (this.clock.monotonic() - startMs),
        onReached: () => (reached.value = true),
      });
      this.remember(key);
      return met;
    } catch (error) {
      if (reached.value || isReset(error)) this.fail(place, key);
      throw error;
    } finally {
      endTurn();
    }
  }

  /** Resolves to what ends the turn. */
  private async waitForTurn(meeting: Meeting, key: string): Promise<() => void> {
    const address = formatHostPort(meeting.place);
    const late = this.whenLate(meeting);
    try {
      for (;;) {
        if (this.met.has(key)) return () => undefined;
        const other = this.turns.get(address);
        if (other === undefined) break;
        await abortable(Promise.race([other, late.promise]), meeting.signal);
      }
    } finally {
      late.dispose();
    }
    if (this.ports.isSpent(address) || this.hosts.isSpent(meeting.place.host))
      throw new PeershelfError(
        'PEER_IDENTITY_MISMATCH',
        `${address} is not the source: somebody else was there before`,
        { details: { address } },
      );
    return this.takeTurn(address);
  }

  private takeTurn(address: string): () => void {
    const turn = deferred<undefined>();
    this.turns.set(address, turn.promise);
    return () => {
      this.turns.delete(address);
      turn.resolve(undefined);
    };
  }

  private whenLate({ place, deadlineMs }: Meeting): {
    readonly promise: Promise<never>;
    dispose(): void;
  } {
    const late = deferred<never>();
    late.promise.catch(() => undefined); // Nobody may wait for it.
    const address = formatHostPort(place);
    const timer = this.clock.after(deadlineMs, () =>
      late.reject(
        new PeershelfError('PEER_UNREACHABLE', `no answer from ${address} in ${deadlineMs} ms`, {
          details: { address },
        }),
      ),
    );
    return { promise: late.promise, dispose: () => timer.dispose() };
  }

  private fail(place: HostPort, key: string): void {
    this.met.delete(key);
    this.ports.add(formatHostPort(place));
    this.hosts.add(place.host);
  }

  private remember(key: string): void {
    this.met.add(key);
    for (const first of this.met) {
      if (this.met.size <= MAX_MET) break;
      this.met.delete(first);
    }
  }
}

/** A connection that is reset as soon as it is there may never have been seen as one here. */
function isReset(error: unknown): boolean {
  return PeershelfError.is(error) && systemCode(error.cause) === 'ECONNRESET';
}
