// An extension beside ours in the same host: watches how soon the host gets around to things, and
// runs our commands as the editor would. Whoever measures talks to it over a local socket.
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import * as vscode from 'vscode';
import {
  type Gap,
  PROBE_VARIABLE,
  type ProbeHost,
  type ProbeRequest,
  type ProbeSample,
} from './probeProtocol';

const STAT_EVERY_MS = 5;
const NS_PER_MS = 1e6;
const NO_GAP: Gap = { wallMs: 0, ranMs: 0, waitedMs: 0 };

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
  private last: Gap | undefined;
  private longest: Gap = NO_GAP;
  private busiest: Gap = NO_GAP;

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
    this.last = undefined;
    this.longest = NO_GAP;
    this.busiest = NO_GAP;
    // One after the other would ask less often just when it takes long.
    this.timer = setInterval(() => void this.measureStat(), STAT_EVERY_MS);
    return {};
  }

  private async measureStat(): Promise<void> {
    this.noteGap();
    const latencies = this.latenciesMs;
    const startMs = performance.now();
    await stat(this.known);
    latencies.push(performance.now() - startMs);
  }

  /** How the time since the last call was spent. */
  private noteGap(): void {
    const now = lookAtThread();
    const { last } = this;
    this.last = now;
    if (last === undefined) return;
    const gap = {
      wallMs: now.wallMs - last.wallMs,
      ranMs: now.ranMs - last.ranMs,
      waitedMs: now.waitedMs - last.waitedMs,
    };
    if (gap.wallMs > this.longest.wallMs) this.longest = gap;
    if (gap.ranMs > this.busiest.ranMs) this.busiest = gap;
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
      loopMs: { p99: loop.percentile(99) / NS_PER_MS, max: loop.max / NS_PER_MS },
      statMs: { p99: at(0.99), max: at(1) },
      longest: this.longest,
      busiest: this.busiest,
    };
  }
}

/** Since when does not matter: only differences are looked at. */
function lookAtThread(): Gap {
  // The first thread of this process is the one that runs extensions; the file is about it alone.
  const [ran = 0, waited = 0] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1')
    .split(' ')
    .map(Number);
  return { wallMs: performance.now(), ranMs: ran / NS_PER_MS, waitedMs: waited / NS_PER_MS };
}
