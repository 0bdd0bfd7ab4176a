import type { Socket } from 'node:net';
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
import { parseReply } from '../../protocol/controlReplies';
import type { ControlAction } from '../../protocol/controlRequests';
import { LineDecoder } from '../../protocol/lineDecoder';
import { MAX_CONTROL_REPLY_BYTES } from '../../protocol/limits';

/** A tracker that does not answer one request within this time is taken for lost. */
const REPLY_DEADLINE_MS = 15_000;
/** Requests sent and not yet answered; publishing many files keeps far below. */
const MAX_PENDING_REQUESTS = 2_000;
/** Time for the last reply before the socket is destroyed. */
const CLOSE_DEADLINE_MS = 1_000;

interface PendingRequest {
  readonly action: ControlAction;
  readonly resolve: (reply: Record<string, unknown>) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: Disposable;
}

export interface TrackerConnectionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One control connection: matches replies to requests by their order, which is all that version 1
 * gives. A reply that is late or not valid ends the connection, as the order is lost with it.
 */
export class TrackerConnection extends DisposableBase {
  private readonly decoder = new LineDecoder({
    maxLineBytes: MAX_CONTROL_REPLY_BYTES,
    maxBufferBytes: MAX_CONTROL_REPLY_BYTES + 1024 * 1024,
  });
  private readonly pending: PendingRequest[] = [];
  private readonly closeEmitter = this.register(new Emitter<PeershelfError>());
  private failure: PeershelfError | undefined;
  private lastDataMs = 0;

  /** The address from which this machine reaches the tracker. */
  readonly localAddress: string;

  /** Fires once, with the reason. Nothing fires after `close`. */
  readonly onDidClose = this.closeEmitter.event;

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

  /**
   * Sends one request and resolves to its reply.
   * @throws TRACKER_REFUSED with the tracker's reason, TIMED_OUT, TRACKER_UNREACHABLE, LIMIT_EXCEEDED.
   */
  request(action: ControlAction, data: object = {}): Promise<Record<string, unknown>> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.pending.length >= MAX_PENDING_REQUESTS)
      return Promise.reject(new PeershelfError('LIMIT_EXCEEDED', 'too many requests at once'));
    const { clock, logger } = this.dependencies;
    logger.trace(`→ ${action}`);
    return new Promise((resolve, reject) => {
      const deadline = new DisposableSlot();
      this.pending.push({ action, resolve, reject, deadline });
      this.expectReply(action, deadline, clock.monotonic());
      this.socket.write(`${JSON.stringify({ action, data })}\n`);
    });
  }

  /** Closes after the last reply, or after a second. What is pending by then is rejected. */
  async close(): Promise<void> {
    this.closeEmitter.dispose();
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

  /** Waits as long as anything arrives: a large reply may take longer than the deadline. */
  private expectReply(action: ControlAction, slot: DisposableSlot, sinceMs: number): void {
    const { clock } = this.dependencies;
    const leftMs = Math.max(sinceMs, this.lastDataMs) + REPLY_DEADLINE_MS - clock.monotonic();
    if (leftMs > 0) slot.set(clock.after(leftMs, () => this.expectReply(action, slot, sinceMs)));
    else this.fail(new PeershelfError('TIMED_OUT', `the tracker did not answer ${action}`));
  }

  private receive(chunk: Buffer): void {
    this.lastDataMs = this.dependencies.clock.monotonic();
    try {
      this.decoder.push(chunk);
      for (let line = this.decoder.next(); line !== undefined; line = this.decoder.next())
        this.settleNext(line.toString('utf8'));
    } catch (error) {
      this.fail(PeershelfError.from(error));
    }
  }

  private settleNext(line: string): void {
    const request = this.pending.shift();
    if (request === undefined)
      throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent a reply to nothing');
    request.deadline.dispose();
    this.dependencies.logger.trace(`← ${request.action} ${line.length} characters`);
    try {
      request.resolve(parseReply(line));
    } catch (error) {
      request.reject(error);
      if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
    }
  }

  private fail(error: PeershelfError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.socket.destroy();
    for (const request of this.pending.splice(0)) {
      request.deadline.dispose();
      request.reject(error);
    }
    this.closeEmitter.fire(error);
  }
}

function lost(message: string, cause?: unknown): PeershelfError {
  return new PeershelfError('TRACKER_UNREACHABLE', message, cause === undefined ? {} : { cause });
}
