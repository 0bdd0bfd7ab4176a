import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Clock } from '../common/clock';
import { DisposableSlot } from '../common/disposable';
import { describeError, PeershelfError } from '../common/errors';
import { freeChunk } from '../common/growingBytes';
import type { Logger } from '../common/logger';
import { type BudgetHolder, type SharedBudget } from '../common/sharedBudget';
import { TokenBucket } from '../common/tokenBucket';
import { CONTROL_REASONS } from '../protocol/controlReasons';
import {
  type ControlVersion,
  leadingId,
  type ParsedLine,
  parseControlLine,
  type RequestId,
} from '../protocol/controlRequestsV2';
import { unknownAction } from '../protocol/controlRequests';
import { answerRequest } from './actions';
import { answerRequestV2 } from './actionsV2';
import { ConnectionEvents } from './connectionEvents';
import type { DialBack } from './dialBack';
import {
  CLOSE_DEADLINE_MS,
  KEEP_ALIVE_DELAY_MS,
  MAX_HELLO_BYTES,
  type TrackerLimits,
} from './limits';
import { LineInput } from './lineInput';
import type { MaybePromise } from './maybePromise';
import type { Membership } from './membership';
import { Reachability } from './reachability';
import type { Owner, Registry } from './registry';
import { errorReply } from './replies';
import {
  helloReply,
  reachableEvent,
  replacedEvent,
  rotatedEvent,
  statementEvent,
  withPrefix,
} from './repliesV2';

/** Room for what one read brings beyond the longest line. */
const READ_AHEAD_BYTES = 1024 * 1024;

/** Replies to lines that arrived together are joined up to about this length before they are sent. */
const REPLY_BATCH_LENGTH = 64 * 1024;

const TOO_MANY_REQUESTS = errorReply(CONTROL_REASONS.tooManyRequests);
const REPLACEMENT_CHARACTER = '\ufffd';
const NOT_UTF8: ParsedLine = { kind: 'malformed', reason: CONTROL_REASONS.badJson };

export interface SessionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly limits: TrackerLimits;
  /** In a team session: nothing but a good HELLO is answered before it is admitted. */
  readonly membership?: Membership | undefined;
  readonly dialBack: DialBack;
  /** Of all connections together. */
  readonly budgets: SessionBudgets;
}

export interface SessionBudgets {
  /** Bytes that have arrived and are not answered yet, unfinished lines above all. */
  readonly input: SharedBudget;
  /** Bytes of replies and events that clients have not read. */
  readonly output: SharedBudget;
}

/**
 * - `open`: lines are answered as they come;
 * - `waiting`: the registry has not answered yet, input waits;
 * - `blocked`: the client has not read its replies, input waits;
 * - `closing`: the last reply is on its way, what still comes in is dropped;
 * - `closed`: the socket is gone.
 */
type SessionState = 'open' | 'waiting' | 'blocked' | 'closing' | 'closed';

/** One control connection. Answers its lines in order and never holds more than its limits. */
export class ControlSession {
  private readonly input: LineInput;
  private readonly inputHolder: BudgetHolder = {
    giveUp: () => this.refuse(new PeershelfError('LIMIT_EXCEEDED', 'too much input'), ''),
  };
  private inputCounted = 0;
  private readonly outputHolder: BudgetHolder = {
    giveUp: () => this.drop('it does not read its replies, and all of them are too many'),
  };
  private outputCounted = 0;
  private readonly bucket: TokenBucket;
  private readonly closeDeadline = new DisposableSlot();
  private readonly owner: Owner;
  private readonly reachability: Reachability;
  private state: SessionState = 'open';
  /** What the connection speaks: version 1 until the client has said HELLO. */
  private version: ControlVersion = 1;
  private readonly events: ConnectionEvents;
  private inputEnded = false;
  private lastLineMs: number;

  /** Resolves when the socket is gone and the registry knows it. */
  readonly closed: Promise<void>;

  constructor(
    private readonly socket: Socket,
    owner: Owner,
    private readonly dependencies: SessionDependencies,
  ) {
    const { clock, limits, dialBack } = dependencies;
    this.owner = { ...owner, onReplaced: () => this.close(replacedEvent(wholeMs(clock.now()))) };
    this.reachability = new Reachability({
      ...{ clock, dialBack, address: owner.address },
      tell: (port, isReachable) => this.tellReachable(port, isReachable),
    });
    this.lastLineMs = clock.monotonic();
    this.events = new ConnectionEvents(dependencies.registry, {
      isReady: () => this.takesEvents() && !socket.writableNeedDrain,
      send: (event) => {
        socket.write(event);
        this.countOutput();
      },
    });
    this.input = createInput(limits, dependencies.membership);
    this.bucket = new TokenBucket(
      { ratePerSecond: limits.requestsPerSecond, burst: limits.requestBurst },
      this.lastLineMs,
    );
    this.closed = new Promise((resolve) => {
      socket.once('close', () => void this.release().then(resolve));
    });
    this.listen();
  }

  /**
   * Closes a connection that has no host and has been silent for too long.
   * @param nowMs by the clock that only grows.
   */
  async closeIfIdle(nowMs: number): Promise<void> {
    const { limits, registry } = this.dependencies;
    if (nowMs - this.lastLineMs < limits.idleSeconds * 1_000) return;
    if (!(await registry.holds(this.owner))) this.close();
  }

  /** Sends what is answered and `lastReplies`, then closes. A client gets a second to take it. */
  close(lastReplies = ''): void {
    if (this.state === 'closed') return;
    const { clock } = this.dependencies;
    this.closeDeadline.set(clock.after(CLOSE_DEADLINE_MS, () => this.socket.destroy()));
    if (this.state !== 'closing') this.end(lastReplies);
  }

  /** The session has a newer statement. @param isNewToken whether everybody has to come anew. */
  onStatement(isNewToken: boolean): void {
    const { clock, membership } = this.dependencies;
    const nowMs = wholeMs(clock.now());
    // A connection that is joining has the old statement, or brings the new one.
    if (membership?.isAdmitted !== true) return;
    if (isNewToken) this.close(rotatedEvent(nowMs));
    else if (!membership.isMember) this.close(errorReply(CONTROL_REASONS.notAMember));
    else if (this.isOpen()) this.socket.write(statementEvent(nowMs), 'latin1');
  }

  private listen(): void {
    const { socket } = this;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => this.endInput());
    socket.on('drain', () => {
      this.countOutput();
      this.unblock();
      this.events.resume();
    });
    socket.on('timeout', () => this.drop('it does not read its replies'));
    socket.on('error', (error) => this.dependencies.logger.debug(this.describe(error.message)));
  }

  private receive(chunk: Buffer): void {
    if (this.isEnding()) {
      freeChunk(chunk);
      return;
    }
    try {
      this.input.push(chunk);
    } catch (error) {
      this.refuse(error, '');
      return;
    }
    this.answerLines();
    this.countInput();
  }

  /** Answers what has arrived, as far as the client reads and the registry keeps up. */
  private answerLines(): void {
    const nowMs = this.dependencies.clock.monotonic();
    let replies = '';
    try {
      while (this.state === 'open') {
        const line = this.input.next();
        if (line === undefined) break;
        const reply = this.answer(line, nowMs);
        if (typeof reply === 'string') replies += reply;
        else this.wait(reply);
        if (replies.length >= REPLY_BATCH_LENGTH) {
          this.send(replies);
          replies = '';
        }
      }
    } catch (error) {
      this.refuse(error, replies);
      return;
    }
    this.send(replies);
  }

  /** @throws INVALID_MESSAGE with the reason for a line after which nothing may be parsed. */
  private answer(line: Buffer, nowMs: number): MaybePromise<string> {
    this.lastLineMs = nowMs;
    if (!this.bucket.take(nowMs))
      return this.toReply(TOO_MANY_REQUESTS, leadingId(line.toString('latin1', 0, 100)));
    const parsed = parseLine(line, this.version);
    if (parsed.kind === 'malformed') throw new PeershelfError('INVALID_MESSAGE', parsed.reason);
    if (parsed.kind === 'statement') return this.answerStatement(parsed);
    if (!this.isAdmitted(parsed))
      throw new PeershelfError('INVALID_MESSAGE', CONTROL_REASONS.notAMember);
    const { registry } = this.dependencies;
    const touched = registry.touch(this.owner);
    if (touched instanceof Promise) void this.settle(touched);
    const { id } = parsed;
    const reply = this.answerParsed(parsed);
    if (typeof reply === 'string') return this.toReply(reply, id);
    return this.settle(reply).then((text) =>
      this.toReply(text ?? errorReply(CONTROL_REASONS.trackerFailed), id),
    );
  }

  /** @throws INVALID_MESSAGE for a connection that does not show whose it is. */
  private answerStatement({ request, id }: Extract<ParsedLine, { kind: 'statement' }>): string {
    const { membership } = this.dependencies;
    if (membership === undefined) return this.toReply(errorReply(unknownAction('STATEMENT')), id);
    const reply = membership.answer(request);
    if (reply === undefined)
      throw new PeershelfError('INVALID_MESSAGE', CONTROL_REASONS.notAMember);
    return this.toReply(reply, id);
  }

  /** Whether the connection is a member's, by this line at the latest. */
  private isAdmitted(parsed: ParsedLine): boolean {
    const { membership } = this.dependencies;
    if (membership === undefined || (membership.isAdmitted && parsed.kind !== 'hello')) return true;
    return parsed.kind === 'hello' && parsed.version === 2 && membership.admit(parsed.token);
  }

  private answerParsed(
    parsed: Exclude<ParsedLine, { kind: 'malformed' | 'statement' }>,
  ): MaybePromise<string> {
    const { registry, limits, membership } = this.dependencies;
    switch (parsed.kind) {
      case 'refused':
        return errorReply(parsed.reason);
      case 'hello':
        this.version = parsed.version;
        return helloReply(parsed.version);
      case 'request':
        return answerRequest(registry, this.owner, parsed.request);
      case 'requestV2':
        return answerRequestV2(
          { registry, limits, membership, events: this.events, reachability: this.reachability },
          this.owner,
          parsed.request,
        );
    }
  }

  private tellReachable(port: number, isReachable: boolean): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    const nowMs = wholeMs(this.dependencies.clock.now());
    this.socket.write(reachableEvent(nowMs, port, isReachable), 'latin1');
  }

  /** Replies of version 2 carry the time; one of version 1 is what it always was. */
  private toReply(reply: string, id: RequestId | undefined): string {
    const nowMs = this.version === 1 ? undefined : wholeMs(this.dependencies.clock.now());
    return withPrefix(reply, { id, nowMs });
  }

  private send(replies: string): void {
    if (replies === '') return;
    this.socket.write(replies, 'latin1');
    this.countOutput();
    const { maxUnreadBytes, unreadSeconds } = this.dependencies.limits;
    if (this.socket.writableLength <= maxUnreadBytes || this.state !== 'open') return;
    this.state = 'blocked';
    this.socket.pause();
    // The socket's own timeout, because it knows about progress inside one long reply.
    this.socket.setTimeout(unreadSeconds * 1_000);
  }

  private unblock(): void {
    if (this.state !== 'blocked') return;
    this.socket.setTimeout(0);
    this.proceed();
  }

  private wait(reply: Promise<string>): void {
    this.state = 'waiting';
    this.socket.pause();
    void reply.then((text) => {
      if (this.state !== 'waiting') return;
      this.state = 'open';
      this.send(text);
      if (this.isOpen()) this.proceed();
    });
  }

  /** Input goes on where it was left. */
  private proceed(): void {
    this.state = 'open';
    this.answerLines();
    this.countInput();
    if (!this.isOpen()) return;
    if (this.inputEnded) this.finish();
    else this.socket.resume();
  }

  private countInput(): void {
    const { bufferedBytes } = this.input;
    if (bufferedBytes === this.inputCounted || this.isEnding()) return;
    this.inputCounted = bufferedBytes;
    this.dependencies.budgets.input.set(this.inputHolder, bufferedBytes);
  }

  private releaseInput(): void {
    this.input.clear();
    this.inputCounted = 0;
    this.dependencies.budgets.input.set(this.inputHolder, 0);
  }

  /** Amounts below common buffers of a system are not counted: most replies are never waited for. */
  private countOutput(): void {
    const { writableLength } = this.socket;
    const unread = writableLength < REPLY_BATCH_LENGTH ? 0 : writableLength;
    if (unread === this.outputCounted || this.state === 'closed') return;
    this.outputCounted = unread;
    this.dependencies.budgets.output.set(this.outputHolder, unread);
  }

  private endInput(): void {
    this.inputEnded = true;
    if (this.state === 'open') this.finish();
  }

  /** A client that has said all gets all its replies, however slowly it reads. */
  private finish(): void {
    this.socket.setTimeout(this.dependencies.limits.unreadSeconds * 1_000);
    this.end('');
  }

  private end(lastReplies: string): void {
    this.state = 'closing';
    this.events.dispose();
    this.releaseInput();
    // Reading on: closing over unread input would reset the connection and lose the last reply.
    this.socket.resume();
    this.socket.end(lastReplies, 'latin1');
  }

  /** Answers with the reason why nothing more of this connection is parsed. */
  private refuse(error: unknown, replies: string): void {
    this.close(replies + this.toReply(errorReply(this.reasonOf(error)), undefined));
  }

  private reasonOf(error: unknown): string {
    if (PeershelfError.is(error, 'INVALID_MESSAGE')) return error.message;
    if (PeershelfError.is(error, 'LINE_TOO_LONG') || PeershelfError.is(error, 'LIMIT_EXCEEDED'))
      return CONTROL_REASONS.lineTooLong;
    this.dependencies.logger.error(this.describe(describeError(error)));
    return CONTROL_REASONS.trackerFailed;
  }

  private drop(reason: string): void {
    this.dependencies.logger.info(this.describe(`dropped, ${reason}`));
    this.socket.destroy();
  }

  private async release(): Promise<void> {
    this.state = 'closed';
    this.events.dispose();
    this.releaseInput();
    this.dependencies.budgets.output.set(this.outputHolder, 0);
    this.closeDeadline.dispose();
    this.reachability.dispose();
    this.dependencies.membership?.onClosed();
    await this.settle(this.dependencies.registry.release(this.owner));
  }

  /** The value, or undefined when the registry failed, which is logged. */
  private async settle<T>(value: MaybePromise<T>): Promise<T | undefined> {
    try {
      return await value;
    } catch (error) {
      this.dependencies.logger.error(this.describe(describeError(error)));
      return undefined;
    }
  }

  /** While requests wait, events need not. */
  private takesEvents(): boolean {
    return this.state === 'open' || this.state === 'waiting';
  }

  /** Whether what comes in is dropped. */
  private isEnding(): boolean {
    return this.state === 'closing' || this.state === 'closed';
  }

  /** A method, because what was called in between may have changed the state. */
  private isOpen(): boolean {
    return this.state === 'open';
  }

  private describe(text: string): string {
    return `connection ${this.owner.id} from ${this.owner.address}: ${text}`;
  }
}

/** What is held of the lines of a connection: of a stranger to a team, no more than a HELLO has. */
function createInput(
  { maxLineBytes }: TrackerLimits,
  membership: Membership | undefined,
): LineInput {
  const strangersBytes = Math.min(maxLineBytes, MAX_HELLO_BYTES);
  return new LineInput({
    maxLineBytes: () => (membership?.mayWriteLongLines === false ? strangersBytes : maxLineBytes),
    mostLineBytes: maxLineBytes,
    readAheadBytes: READ_AHEAD_BYTES,
  });
}

/** A line that is not UTF-8 is no JSON. Decoding marks what is not: only then it is looked at again. */
function parseLine(line: Buffer, version: ControlVersion): ParsedLine {
  const text = line.toString('utf8');
  return text.includes(REPLACEMENT_CHARACTER) && !isUtf8(line)
    ? NOT_UTF8
    : parseControlLine(text, version);
}

function wholeMs(ms: number): number {
  return Math.floor(ms);
}
