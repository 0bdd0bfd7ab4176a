import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Cleanup } from '../../scripts/host/cleanup';

const DEADLINE_MS = 40_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly localAddress?: string;
  readonly agent?: Agent;
}

/** Sends one request to a port of this machine and resolves to the whole answer. */
export function ask(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, localAddress, agent } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers,
        agent: agent ?? new Agent({ keepAlive: false }),
        ...(localAddress === undefined ? {} : { localAddress }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The code in the body of a failed request. */
export function codeOf({ body }: Answer): unknown {
  return (JSON.parse(body.toString()) as { code: unknown }).code;
}

export function keepAliveAgent(cleanup: Cleanup, maxSockets = 1): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets });
  cleanup.add(() => agent.destroy());
  return agent;
}

/** A plain socket for bytes that no HTTP client would send. */
export class RawHttp {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private ended = false;
  private wake: (() => void) | undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.bytes += chunk.length;
      this.wake?.();
    });
    const end = (): void => {
      this.ended = true;
      this.wake?.();
    };
    // A reset is an end like another one here.
    socket.on('end', end).on('close', end).on('error', end);
  }

  static async open(cleanup: Cleanup, port: number, localAddress?: string): Promise<RawHttp> {
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    cleanup.add(() => socket.destroy());
    const raw = new RawHttp(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return raw;
  }

  get isEnded(): boolean {
    return this.ended;
  }

  get receivedBytes(): number {
    return this.bytes;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Everything until the other side closes. */
  async readAll(): Promise<string> {
    await this.until(() => this.ended, 'the end');
    return this.text;
  }

  /** Resolves when what has come contains `text` this many times. */
  async readUntil(text: string, times = 1): Promise<string> {
    await this.until(() => this.text.split(text).length > times, JSON.stringify(text));
    return this.text;
  }

  async readBytes(count: number): Promise<void> {
    await this.until(() => this.bytes >= count, `${count} bytes`);
  }

  private async until(isTrue: () => boolean, what: string): Promise<void> {
    const startMs = performance.now();
    while (!isTrue()) {
      if (this.ended) throw new Error(`ended before ${what}: ${this.text.slice(0, 500)}`);
      const leftMs = DEADLINE_MS - (performance.now() - startMs);
      if (leftMs <= 0) throw new Error(`not in time: ${what}: ${this.text.slice(0, 500)}`);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => (this.wake = resolve)),
        new Promise((resolve) => (timer = setTimeout(resolve, leftMs))),
      ]);
      clearTimeout(timer);
    }
  }
}
