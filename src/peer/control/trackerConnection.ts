import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../../common/clock';
import {
  type Disposable,
  DisposableBase,
  DisposableSlot,
  toDisposable,
} from '../../common/disposable';
import { PeershelfError } from '../../common/errors';
import { Emitter } from '../../common/events';
import type { Logger } from '../../common/logger';
import { CHANNEL_EXPORTERS, EXPORTER_BYTES } from '../../protocol/channelProof';
import { checkReply, parseReply, parseReplyLine } from '../../protocol/controlReplies';
import { type ControlEvent, readEvent } from '../../protocol/controlRepliesV2';
import type { ControlAction } from '../../protocol/controlRequests';
import type { ControlActionV2, ControlVersion } from '../../protocol/controlRequestsV2';
import { LineDecoder } from '../../protocol/lineDecoder';
import { MAX_CONTROL_REPLY_BYTES } from '../../protocol/limits';

/** A tracker that does not answer one request within this time is taken for lost. */
const REPLY_DEADLINE_MS = 15_000;
/** Events, and a reply that comes byte by byte, put the deadline off until then. */
const LONGEST_REPLY_MS = 600_000;
/** Requests sent and not yet answered; publishing many files keeps far below. */
const MAX_PENDING_REQUESTS = 2_000;
/** Time for the last reply before the socket is destroyed. */
const CLOSE_DEADLINE_MS = 1_000;

interface PendingRequest {
  readonly action: ControlAction | ControlActionV2;
  readonly resolve: (reply: Record<string, unknown>) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: Disposable;
}

export interface TrackerConnectionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One control connection. Matches replies to requests by their order, which is all that version 1
 * gives; once a HELLO has been answered with version 2, by their ids. A reply that is late, not valid
 * or nobody's ends the connection: what comes after it could not be trusted to mean what it seems.
 */
export class TrackerConnection extends DisposableBase {
  private readonly decoder = new LineDecoder({
    maxLineBytes: MAX_CONTROL_REPLY_BYTES,
    maxBufferBytes: MAX_CONTROL_REPLY_BYTES + 1024 * 1024,
  });
  /** By id, in the order in which they were sent. */
  private readonly pending = new Map<number, PendingRequest>();
  private version: ControlVersion = 1;
  private lastId = 0;
  private readonly closeEmitter = this.register(new Emitter<PeershelfError>());
  private readonly eventEmitter = this.register(new Emitter<ControlEvent>());
  private failure: PeershelfError | undefined;
  private lastDataMs = 0;

  /** The address from which this machine reaches the tracker. */
  readonly localAddress: string;

  /** Fires once, with the reason. Nothing fires after `close`. */
  readonly onDidClose = this.closeEmitter.event;

  /** What the tracker says without being asked, events that nobody knows included. */
  readonly onDidReceiveEvent = this.eventEmitter.event;

  constructor(
    private readonly socket: Socket,
    private readonly dependencies: TrackerConnectionDependencies,
  ) {
    super();
    // Read now: a socket forgets it when it closes.
    this.localAddress = socket.localAddress ?? '';
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (cause) => this.fail(lost('the connection to the tracker broke', cause)));
    socket.on('close', () => this.fail(lost('the tracker closed the connection')));
    this.register(toDisposable(() => this.fail(lost('closed'))));
  }

  /** Keying material of the connection, which both ends know; undefined in an open session. */
  get exporter(): Buffer | undefined {
    const { socket } = this;
    if (!(socket instanceof TLSSocket)) return undefined;
    return socket.exportKeyingMaterial(EXPORTER_BYTES, CHANNEL_EXPORTERS.control, Buffer.alloc(0));
  }

  /**
   * Sends one request and resolves to its reply.
   * @throws TRACKER_REFUSED with the tracker's reason, TIMED_OUT, TRACKER_UNREACHABLE, LIMIT_EXCEEDED.
   */
  request(
    action: ControlAction | ControlActionV2,
    data: object = {},
  ): Promise<Record<string, unknown>> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.pending.size >= MAX_PENDING_REQUESTS)
      return Promise.reject(new PeershelfError('LIMIT_EXCEEDED', 'too many requests at once'));
    const { clock, logger } = this.dependencies;
    logger.trace(`→ ${action}`);
    return new Promise((resolve, reject) => {
      const deadline = new DisposableSlot();
      const id = (this.lastId += 1);
      this.pending.set(id, { action, resolve, reject, deadline });
      this.expectReply(action, deadline, clock.monotonic());
      const message = this.version === 1 ? { action, data } : { id, action, data };
      this.socket.write(`${JSON.stringify(message)}\n`);
    });
  }

  /** Closes after the last reply, or after a second. What is pending by then is rejected. */
  async close(): Promise<void> {
    this.closeEmitter.dispose();
    this.eventEmitter.dispose();
    if (this.failure === undefined) {
      const ended = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
      const deadline = this.dependencies.clock.after(CLOSE_DEADLINE_MS, () =>
        this.socket.destroy(),
      );
      this.socket.end();
      await ended;
      deadline.dispose();
    }
    this.dispose();
  }

  /** Waits while anything arrives, but not for ever: a large reply may take longer than the deadline. */
  private expectReply(action: string, slot: DisposableSlot, sinceMs: number): void {
    const { clock } = this.dependencies;
    const untilMs = Math.max(sinceMs, this.lastDataMs) + REPLY_DEADLINE_MS;
    const leftMs = Math.min(untilMs, sinceMs + LONGEST_REPLY_MS) - clock.monotonic();
    if (leftMs > 0) slot.set(clock.after(leftMs, () => this.expectReply(action, slot, sinceMs)));
    else this.fail(new PeershelfError('TIMED_OUT', `the tracker did not answer ${action}`));
  }

  private receive(chunk: Buffer): void {
    this.lastDataMs = this.dependencies.clock.monotonic();
    try {
      this.decoder.push(chunk);
      for (let line = this.decoder.next(); line !== undefined; line = this.decoder.next())
        this.take(line.toString('utf8'));
    } catch (error) {
      this.fail(PeershelfError.from(error));
    }
  }

  private take(line: string): void {
    if (this.version === 1) {
      const [next] = this.pending.keys();
      this.settle(next, line, () => parseReply(line));
      return;
    }
    const message = parseReplyLine(line);
    const event = readEvent(message);
    if (event !== undefined) {
      this.dependencies.logger.trace('← event');
      this.eventEmitter.fire(event);
      return;
    }
    const id = message['id'];
    this.settle(typeof id === 'number' ? id : undefined, line, () => checkReply(message));
  }

  /** @throws what `read` throws unless it is an answer: a refusal belongs to the one request. */
  private settle(id: number | undefined, line: string, read: () => Record<string, unknown>): void {
    const request = id === undefined ? undefined : this.pending.get(id);
    if (id === undefined || request === undefined) {
      // A refusal of nothing that was asked says why the connection is about to end.
      if (this.version === 2) read();
      throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent a reply to nothing');
    }
    this.pending.delete(id);
    request.deadline.dispose();
    this.dependencies.logger.trace(`← ${request.action} ${line.length} characters`);
    try {
      const reply = read();
      // Now, not when the caller gets to it: the next line may have arrived together with this one.
      if (request.action === 'HELLO' && reply['version'] === 2) this.version = 2;
      request.resolve(reply);
    } catch (error) {
      request.reject(error);
      if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
    }
  }

  private fail(error: PeershelfError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.socket.destroy();
    for (const request of this.pending.values()) {
      request.deadline.dispose();
      request.reject(error);
    }
    this.pending.clear();
    this.closeEmitter.fire(error);
  }
}

function lost(message: string, cause?: unknown): PeershelfError {
  return new PeershelfError('TRACKER_UNREACHABLE', message, cause === undefined ? {} : { cause });
}

/** A later connection of this very peer has its hostname: going on would take it away from that one. */
export function replacedError(
  options: ConstructorParameters<typeof PeershelfError>[2] = {},
): PeershelfError {
  return new PeershelfError('REPLACED', 'another connection of this peer took its place', options);
}
