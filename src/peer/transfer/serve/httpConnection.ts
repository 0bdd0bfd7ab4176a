import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { DisposableSlot } from '../../../common/disposable';
import { PeershelfError } from '../../../common/errors';
import type { BudgetHolder } from '../../../common/sharedBudget';
import {
  KEEP_ALIVE_MS,
  MAX_PIPELINED_REQUESTS,
  REQUEST_DEADLINE_MS,
} from '../../../protocol/limits';
import { connectionLost } from '../pacedWriter';
import { type Recipient, recipientOf } from './connections';
import { ConnectionTransfer } from './connectionTransfer';
import { type Exchange, rawProblem } from './exchange';
import { lingeringClose } from './lingeringClose';
import type { ProblemCode } from './problems';
import { PacedInput } from './pacedInput';
import type { ServingContext } from './servingContext';

/**
 * - `head`: the first bytes of a request have come, the rest has a deadline;
 * - `idle`: between two requests;
 * - `serving`: a request is being answered, others may wait behind it;
 * - `closing`: the last answer is on its way, what comes in is dropped.
 */
type State = 'head' | 'idle' | 'serving' | 'closing';

export interface HttpConnectionOptions {
  /** Reads requests; `onRequest` hears of them. */
  readonly parse: (bytes: Buffer) => void;
  /** Answers one request. What it throws ends the connection. */
  readonly answer: (exchange: Exchange) => Promise<void>;
  /** Told whether the connection has nothing to do. */
  readonly setQuiet: (isQuiet: boolean) => void;
  /** Time left for the head of the first request. */
  readonly firstHeadMs: number;
}

/** Cost of a request that waits, beside its header fields: the objects of Node for it and its answer. */
const WAITING_REQUEST_BYTES = 4 * 1024;

/** Cost of each name and value of its header fields, beside its characters. */
const HEADER_TEXT_BYTES = 64;

/** One adopted connection: its deadlines, and its requests one after the other. */
export class HttpConnection {
  private readonly deadline = new DisposableSlot();
  private readonly closed = new AbortController();
  private readonly transfer: ConnectionTransfer;
  private readonly waiting: Pick<Exchange, 'request' | 'response'>[] = [];
  private readonly waitingHolder: BudgetHolder = { giveUp: () => this.socket.destroy() };
  private waitingBytes = 0;
  private heldBytes = 0;
  private readonly input: PacedInput;
  private current: ServerResponse | undefined;
  private recipient: Recipient | undefined;
  private state: State = 'head';

  constructor(
    private readonly socket: Socket,
    private readonly context: ServingContext,
    private readonly options: HttpConnectionOptions,
  ) {
    this.transfer = new ConnectionTransfer(context.uploads, context.clock, () => {
      socket.destroy();
    });
    this.input = new PacedInput(socket, {
      parse: (bytes) => {
        // Input behind the last answer is dropped.
        if (this.state !== 'closing') options.parse(bytes);
      },
      mayParse: () => this.waiting.length === 0 || this.state === 'closing',
      onHeld: (bytes) => this.countHeld(bytes),
    });
    this.setDeadline(options.firstHeadMs);
    // What the server calls after the last answer: never over input that has not been read.
    socket.destroySoon = () => this.close();
    socket.once('close', () => this.onClose());
  }

  /** Bytes have arrived. */
  onData(chunk: Buffer): void {
    this.input.push(chunk);
    if (this.state !== 'idle') return;
    this.state = 'head';
    this.setDeadline(REQUEST_DEADLINE_MS);
  }

  /** The head of a request is complete. */
  onRequest(request: IncomingMessage, response: ServerResponse): void {
    if (this.state === 'closing') return;
    if (this.waiting.length >= MAX_PIPELINED_REQUESTS) {
      this.socket.destroy();
      return;
    }
    this.waiting.push({ request, response });
    if (this.state === 'serving') {
      this.countWaiting(costOf(request));
      return;
    }
    this.state = 'serving';
    this.deadline.set(undefined);
    this.options.setQuiet(false);
    this.serve().catch((error: unknown) => {
      this.context.logger.info(`upload ended: ${PeershelfError.from(error).message}`);
      this.socket.destroy();
    });
  }

  /** What came is no HTTP: says so, unless that would get into the middle of another answer. */
  refuse(code: ProblemCode): void {
    if (this.state === 'closing') return;
    const isAnswering = this.current?.headersSent === true || this.waiting.length > 0;
    if (isAnswering || !this.socket.writable) {
      this.socket.destroy();
      return;
    }
    this.socket.write(rawProblem(code));
    this.close();
  }

  private async serve(): Promise<void> {
    const { socket, transfer } = this;
    const { signal } = this.closed;
    for (;;) {
      const next = this.waiting.shift();
      if (next === undefined) break;
      if (this.waitingBytes > 0) this.countWaiting(-costOf(next.request));
      if (this.waiting.length === 0) this.input.proceed();
      this.current = next.response;
      const finished = closeOf(next.response, socket);
      // Not before the first request: a handshake of TLS may not be over.
      this.recipient ??= recipientOf(socket);
      await this.options.answer({ ...next, recipient: this.recipient, signal, transfer });
      this.setDeadline(this.context.slowReaderMs); // For what the reader has not taken yet.
      await finished;
      this.current = undefined;
      if (this.isOver()) return;
      this.deadline.set(undefined);
    }
    this.state = 'idle';
    this.setDeadline(KEEP_ALIVE_MS);
    this.options.setQuiet(true);
  }

  /** A method, as the state changes while others are waited for. */
  private isOver(): boolean {
    return this.state === 'closing' || this.socket.destroyed;
  }

  private countWaiting(bytes: number): void {
    this.waitingBytes += bytes;
    this.count();
  }

  private countHeld(bytes: number): void {
    if (bytes === this.heldBytes || this.socket.destroyed) return;
    this.heldBytes = bytes;
    this.count();
  }

  private count(): void {
    this.context.input.set(this.waitingHolder, this.waitingBytes + this.heldBytes);
  }

  private close(): void {
    if (this.state === 'closing') return;
    this.state = 'closing';
    this.deadline.set(undefined);
    void lingeringClose(this.socket, this.context.clock);
  }

  private onClose(): void {
    this.state = 'closing';
    this.deadline.dispose();
    this.waiting.length = 0;
    this.input.clear();
    this.waitingBytes = this.heldBytes = 0;
    this.count();
    this.closed.abort();
    // In the middle of an answer: not all that was asked for has been sent.
    this.transfer.end(this.current === undefined ? undefined : connectionLost());
  }

  private setDeadline(delayMs: number): void {
    this.deadline.set(this.context.clock.after(delayMs, () => this.socket.destroy()));
  }
}

function costOf({ rawHeaders, url = '' }: IncomingMessage): number {
  const texts = [url, ...rawHeaders];
  return texts.reduce((sum, text) => sum + text.length + HEADER_TEXT_BYTES, WAITING_REQUEST_BYTES);
}

/** Resolves when a response has been sent, or never will be. */
function closeOf(response: ServerResponse, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const onClose = (): void => {
      response.off('close', onClose);
      socket.off('close', onClose);
      resolve();
    };
    response.once('close', onClose);
    socket.once('close', onClose);
    if (socket.destroyed) onClose();
  });
}
