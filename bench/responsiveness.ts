import { mkdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostPort } from '../src/protocol/address';
import { PeerWindows } from '../test/support/peerWindows';
import { assertSameFile, GIBIBYTE, writeRandomFile } from './files';
import {
  type BenchContext,
  type Benchmark,
  type Contender,
  median,
  ratio,
  runProgram,
  type Series,
} from './harness';
import { buildProbe, ProbeClient } from './probeClient';
import { PROBE_VARIABLE, type ProbeSample } from './probeProtocol';
import { startTracker } from './servers';
import { fetchCommand, startSharing } from './sharing';

const IDLE_MS = 3_000;
const MAX_P99_MS = 20;
/** How much older than now a file says it is, so that it is hashed anew each time. */
const AGE_MS = 60_000;
const OWN = 'own.bin';
const THEIRS = 'theirs.bin';

/**
 * How soon an extension host gets around to things while our extension in it publishes, serves and
 * fetches a large file: what other extensions and the editor notice of us. The other peer is our
 * command line.
 */
export const responsivenessBenchmark: Benchmark = {
  name: 'responsiveness',
  run: async (context) => {
    const phases = await prepare(context);
    await context.alternate(phases);
    const [idle, ...busy] = phases.map((phase) => phase.series);
    const series = phases.flatMap((phase) => phase.series.all);
    const ratios = busy.flatMap(({ name, loop, stat }) => [
      ratio(`${name} : idle, event loop`, loop, idle?.loop),
      ratio(`${name} : idle, fs.stat`, stat, idle?.stat),
    ]);
    return {
      title: 'responsiveness: an extension host during a publish, serve and fetch of 1 GiB',
      references: ['the same host idle', ...phases.map((phase) => phase.host).slice(0, 1)],
      series: [...series, ...ratios],
      goals: busy
        .flatMap(({ loop, stat }) => [loop, stat])
        .map(({ name, values }) => ({ name, value: median(values), atMost: MAX_P99_MS })),
    };
  },
};

interface PhaseSeries {
  readonly name: string;
  readonly loop: Series;
  readonly stat: Series;
  readonly all: readonly Series[];
}

/** Something that the host does, or nothing, while it is watched. */
class Phase implements Contender {
  readonly unit = 'ms';
  private readonly samples: ProbeSample[] = [];

  constructor(
    readonly name: string,
    readonly host: string,
    private readonly watch: () => Promise<ProbeSample>,
  ) {}

  async measure(): Promise<number> {
    const sample = await this.watch();
    this.samples.push(sample);
    return sample.loopMs.p99;
  }

  /** Without the turn that warms up. */
  get series(): PhaseSeries {
    const of = (what: string, read: (sample: ProbeSample) => number): Series => ({
      name: `${this.name}, ${what}`,
      unit: this.unit,
      values: this.samples.slice(1).map(read),
    });
    const loop = of('event loop, p99', ({ loopMs }) => loopMs.p99);
    const stat = of('fs.stat, p99', ({ statMs }) => statMs.p99);
    const loopMax = of('event loop, longest', ({ loopMs }) => loopMs.max);
    const statMax = of('fs.stat, longest', ({ statMs }) => statMs.max);
    // A phase that is over at once says nothing.
    const took = of('duration', ({ tookMs }) => tookMs);
    return { name: this.name, loop, stat, all: [loop, loopMax, stat, statMax, took] };
  }
}

async function prepare(context: BenchContext): Promise<Phase[]> {
  const { cleanup, folder } = context;
  const workspace = join(folder, 'workspace');
  mkdirSync(workspace);
  const own = writeRandomFile(join(workspace, OWN), GIBIBYTE);
  const theirs = writeRandomFile(join(folder, THEIRS), GIBIBYTE);
  const tracker = await startTracker(cleanup);
  const options = ['--hostname', 'other', '--display-name', 'Other'];
  await startSharing(cleanup, {
    session: tracker,
    paths: [theirs],
    home: join(folder, 'other'),
    options,
  });
  const { probe, host } = await openWindow(context, tracker, workspace);
  return [
    new Phase('idle', host, () => probe.sample(() => delay(IDLE_MS))),
    new Phase('publish', host, () => publish(probe, own)),
    new Phase('serve', host, () => serve(context, probe, { tracker, own })),
    new Phase('fetch', host, () => fetchInto(probe, workspace, theirs)),
  ];
}

/** A window with our extension, connected, and the one that measures. */
async function openWindow(
  { cleanup, folder }: BenchContext,
  tracker: HostPort,
  workspace: string,
): Promise<{ probe: ProbeClient; host: string }> {
  const socket = join(folder, 'probe.socket');
  const windows = new PeerWindows();
  cleanup.add(() => windows.close());
  const { workbench, server } = await windows.add('Alice', {
    workspace,
    linked: [await buildProbe(join(folder, 'probe'))],
    env: { [PROBE_VARIABLE]: socket },
    tracker,
    machineSettings: { 'peershelf.hostname': 'alice' },
  });
  await workbench.statusBarItem(/1 other peer/u);
  const probe = await ProbeClient.connect(socket);
  cleanup.add(() => probe.close());
  return { probe, host: `VS Code ${server.build.vscodeVersion}` };
}

/** Hashes the whole file again, as it looks new. It stays published. */
async function publish(probe: ProbeClient, own: string): Promise<ProbeSample> {
  await probe.run('peershelf.unpublish', { file: own });
  const looked = new Date(Date.now() - AGE_MS);
  utimesSync(own, looked, looked);
  return probe.sample(() => probe.run('peershelf.publish', { file: own }));
}

async function serve(
  { folder }: BenchContext,
  probe: ProbeClient,
  { tracker, own }: { readonly tracker: HostPort; readonly own: string },
): Promise<ProbeSample> {
  const output = join(folder, 'served.bin');
  const command = fetchCommand({
    session: tracker,
    name: OWN,
    output,
    home: join(folder, 'fetcher'),
  });
  const sample = await probe.sample(() => runProgram(command.file, command.args, command));
  assertSameFile(own, output);
  rmSync(output);
  return sample;
}

async function fetchInto(
  probe: ProbeClient,
  workspace: string,
  theirs: string,
): Promise<ProbeSample> {
  const file = {
    name: THEIRS,
    hostname: 'other',
    displayName: 'Other',
    sizeBytes: GIBIBYTE,
    modifiedMs: 0,
    publishedAtMs: 0,
  };
  const row = { kind: 'file', file };
  const sample = await probe.sample(() => probe.run('peershelf.fetch', { row }));
  const output = join(workspace, 'shared', THEIRS);
  assertSameFile(theirs, output);
  rmSync(output);
  return sample;
}
