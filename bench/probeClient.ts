import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import type { ProbeHost, ProbeRequest, ProbeSample } from './probeProtocol';

const START_MS = 60_000;
const POLL_MS = 100;

const MANIFEST = {
  publisher: 'bench',
  name: 'responsiveness-probe',
  version: '1.0.0',
  engines: { vscode: '^1.100.0' },
  main: './probe.js',
  activationEvents: ['onStartupFinished'],
  extensionKind: ['workspace'],
};

/** Writes the extension that measures inside the host; gives its folder. */
export async function buildProbe(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(MANIFEST));
  await build({
    entryPoints: [join(__dirname, 'probe.ts')],
    outfile: join(folder, 'probe.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
  });
  return folder;
}

/** Talks to the extension that measures. */
export class ProbeClient {
  private readonly replies: AsyncIterator<string, undefined>;

  private constructor(private readonly socket: Socket) {
    const lines = createInterface({ input: socket });
    socket.on('error', () => lines.close());
    this.replies = lines[Symbol.asyncIterator]();
  }

  /** Waits until the extension is there. */
  static async connect(path: string): Promise<ProbeClient> {
    const deadlineMs = performance.now() + START_MS;
    while (!existsSync(path)) {
      if (performance.now() > deadlineMs) throw new Error('the probe did not start in the host');
      await delay(POLL_MS);
    }
    return new ProbeClient(connect(path));
  }

  /** Runs a command of ours in the host, on a file or on a row of a view. */
  async run(
    command: string,
    on: { readonly file: string } | { readonly row: object },
  ): Promise<void> {
    await this.ask({ kind: 'run', command, ...on });
  }

  /** The process that is measured: that of the extension host. */
  async pid(): Promise<number> {
    return ((await this.ask({ kind: 'host' })) as ProbeHost).pid;
  }

  /** What the host was like during a task. */
  async sample(task: () => Promise<unknown>): Promise<ProbeSample> {
    await this.ask({ kind: 'start' });
    await task();
    return (await this.ask({ kind: 'stop' })) as ProbeSample;
  }

  close(): void {
    this.socket.destroy();
  }

  private async ask(request: ProbeRequest): Promise<unknown> {
    this.socket.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.replies.next();
    if (done === true) throw new Error('the extension host has ended');
    const reply = JSON.parse(value) as object;
    if ('error' in reply) throw new Error(`in the host: ${String(reply.error)}`);
    return reply;
  }
}
