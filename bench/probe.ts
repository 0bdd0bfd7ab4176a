// An extension beside ours in the same host: watches how soon the host gets around to things, and
// runs our commands as the editor would. Whoever measures talks to it over a local socket.
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import * as vscode from 'vscode';
import {
  PROBE_VARIABLE,
  type ProbeHost,
  type ProbeRequest,
  type ProbeSample,
} from './probeProtocol';

const STAT_EVERY_MS = 5;

export function activate(context: vscode.ExtensionContext): void {
  const path = process.env[PROBE_VARIABLE];
  if (path === undefined) return;
  const probe = new Probe(context.extensionPath);
  const server = createServer((socket) => {
    createInterface({ input: socket }).on('line', (line) => {
      void probe
        .answer(JSON.parse(line) as ProbeRequest)
        .catch((error: unknown) => ({ error: String(error) }))
        .then((reply) => socket.write(`${JSON.stringify(reply)}\n`));
    });
  });
  server.listen(path);
  context.subscriptions.push({ dispose: () => server.close() });
}

class Probe {
  private loop: IntervalHistogram | undefined;
  private timer: NodeJS.Timeout | undefined;
  private latenciesMs: number[] = [];
  private startMs = 0;

  constructor(private readonly known: string) {}

  async answer(request: ProbeRequest): Promise<object> {
    if (request.kind === 'start') return this.start();
    if (request.kind === 'stop') return this.stop();
    if (request.kind === 'host') return { pid: process.pid } satisfies ProbeHost;
    const argument = 'file' in request ? vscode.Uri.file(request.file) : request.row;
    await vscode.commands.executeCommand(request.command, argument);
    return {};
  }

  private start(): object {
    this.loop = monitorEventLoopDelay({ resolution: 1 });
    this.loop.enable();
    this.latenciesMs = [];
    this.startMs = performance.now();
    // One after the other would ask less often just when it takes long.
    this.timer = setInterval(() => void this.measureStat(), STAT_EVERY_MS);
    return {};
  }

  private async measureStat(): Promise<void> {
    const latencies = this.latenciesMs;
    const startMs = performance.now();
    await stat(this.known);
    latencies.push(performance.now() - startMs);
  }

  private stop(): ProbeSample {
    const tookMs = performance.now() - this.startMs;
    clearInterval(this.timer);
    const { loop } = this;
    if (loop === undefined || this.latenciesMs.length === 0) throw new Error('nothing measured');
    loop.disable();
    const sorted = this.latenciesMs.sort((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
    return {
      tookMs,
      loopMs: { p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 },
      statMs: { p99: at(0.99), max: at(1) },
    };
  }
}
