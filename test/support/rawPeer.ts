import { connect, type Socket } from 'node:net';
import type { HostPort } from '../../src/protocol/address';
import type { Cleanup } from '../../scripts/host/cleanup';

const DEADLINE_MS = 40_000;

/** A plain socket for saying exactly what a test wants to say. */
export class RawConnection {
  private received = Buffer.alloc(0);
  private ended = false;
  private waiting: (() => void) | undefined;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.waiting?.();
    });
    const end = (): void => {
      this.ended = true;
      this.waiting?.();
    };
    socket.on('end', end).on('close', end).on('error', end);
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Everything until the other side closes. */
  async readAll(): Promise<Buffer> {
    await this.until(() => this.ended);
    return this.received;
  }

  /** The next line without its end. */
  async readLine(): Promise<string> {
    await this.until(() => this.received.includes('\n') || this.ended);
    const end = this.received.indexOf('\n');
    if (end === -1) throw new Error('the other side closed before a line');
    const line = this.received.subarray(0, end).toString();
    this.received = this.received.subarray(end + 1);
    return line;
  }

  async askLine(message: object): Promise<string> {
    this.send(`${JSON.stringify(message)}\n`);
    return this.readLine();
  }

  private async until(isTrue: () => boolean): Promise<void> {
    const deadline = setTimeout(() => this.socket.destroy(new Error('deadline')), DEADLINE_MS);
    while (!isTrue()) await new Promise<void>((resolve) => (this.waiting = resolve));
    clearTimeout(deadline);
  }
}

export async function connectRaw(
  cleanup: Cleanup,
  { host, port }: HostPort,
): Promise<RawConnection> {
  const socket = connect({ host, port, allowHalfOpen: true });
  cleanup.add(() => socket.destroy());
  const raw = new RawConnection(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  return raw;
}
