import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { HostPort } from '../../src/protocol/address';
import type { Cleanup } from '../../scripts/host/cleanup';

const DEADLINE_MS = 40_000;

export interface RawClientOptions {
  /** Source address of the connection, such as 127.0.0.2. */
  readonly localAddress?: string;
  /** Keeps its own side open when the other one closes. */
  readonly allowHalfOpen?: boolean;
}

type Reply = Record<string, unknown>;

/** A client without any knowledge of the protocol: sends bytes, reads lines. Every wait has a deadline. */
export class RawClient {
  private text = '';
  private ended = false;
  private waiting: (() => void) | undefined;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.text += text;
      this.waiting?.();
    });
    const end = (): void => {
      this.ended = true;
      this.waiting?.();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end); // A reset is an end like another one here.
  }

  static async connect(
    cleanup: Cleanup,
    address: HostPort,
    options: RawClientOptions = {},
  ): Promise<RawClient> {
    const socket = connect({ ...address, ...options, noDelay: true });
    cleanup.add(() => socket.destroy());
    await withDeadline(once(socket, 'connect'), 'the connection');
    return new RawClient(socket);
  }

  /** As `connect`, inside TLS; any certificate will do. */
  static async connectTls(
    cleanup: Cleanup,
    address: HostPort,
    options: ConnectionOptions = {},
  ): Promise<RawClient> {
    const socket = connectTls({ ...address, rejectUnauthorized: false, ...options });
    cleanup.add(() => socket.destroy());
    await withDeadline(once(socket, 'secureConnect'), 'the handshake');
    return new RawClient(socket);
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends bytes and resolves when the system has taken them. */
  flush(bytes: string | Uint8Array): Promise<void> {
    const sent = new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()));
    return withDeadline(sent, 'sending');
  }

  /** Sends a request and resolves to the reply, as JSON; events that come before it are dropped. */
  async ask(action: string, data?: unknown): Promise<Reply> {
    this.send(request(action, data));
    for (;;) {
      const reply = await this.readReply();
      if (reply['event'] === undefined) return reply;
    }
  }

  /** The next line as JSON. */
  async readReply(): Promise<Reply> {
    return JSON.parse(await this.readLine()) as Reply;
  }

  async readReplies(count: number): Promise<Reply[]> {
    const replies: Reply[] = [];
    while (replies.length < count) replies.push(await this.readReply());
    return replies;
  }

  async readLine(): Promise<string> {
    await this.until(() => this.text.includes('\n'), 'a line');
    const end = this.text.indexOf('\n');
    const line = this.text.slice(0, end);
    this.text = this.text.slice(end + 1);
    return line;
  }

  /** Resolves to everything up to the end of the connection. */
  async readToEnd(): Promise<string> {
    await this.until(() => this.ended, 'the end of the connection');
    return this.text;
  }

  /** Destroys the socket and resolves when it is gone. */
  async vanish(): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.resetAndDestroy();
    await withDeadline(closed, 'the end of the socket');
  }

  private async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.ended) throw new Error(`the connection ended before ${what}: ${this.text}`);
      const changed = new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
      await withDeadline(changed, what);
    }
  }
}

/** One request line. */
export function request(action: string, data?: unknown): string {
  return `${JSON.stringify(data === undefined ? { action } : { action, data })}\n`;
}

async function withDeadline<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${what}`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
