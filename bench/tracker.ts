import {
  type BenchContext,
  type Benchmark,
  type Contender,
  median,
  ratio,
  type Report,
  runProgram,
  type Series,
} from './harness';
import { LoadGenerator } from './loadGenerator';
import { FILE_NAME_FORMAT, populate, sampleReply } from './network';
import { fillRedis, startRedis, startTracker, startV1Tracker } from './servers';
import type { HostPort } from '../src/protocol/address';

const NETWORK = { peers: 1_000, filesPerPeer: 100 };
const KEYS = NETWORK.peers * NETWORK.filesPerPeer;
const CONNECTIONS = 50;
/** About a second each: the shorter the turns, the more alike the conditions of a pair. */
const REQUESTS = 100_000;
const V1_REQUESTS = 2_000;
const UNIT = 'requests/s';

/** REQUEST of a tracker that knows 100,000 files, against GET of Redis with as many keys. */
export const trackerBenchmark: Benchmark = { name: 'tracker', rounds: 15, run };

async function run(context: BenchContext): Promise<Report> {
  const load = await LoadGenerator.build(context);
  const [tracker, v1, redis] = [
    await startTracker(context.cleanup),
    await startV1Tracker(context.cleanup),
    await startRedis(context.cleanup),
  ];
  for (const each of [tracker, v1]) await populate(context, each, NETWORK);
  const { length: replyBytes } = await sampleReply(context, tracker);
  await fillRedis(redis, KEYS, replyBytes);
  context.log(`a reply has ${replyBytes} bytes`);

  const asking = { connections: CONNECTIONS, keys: KEYS };
  const files = { ...asking, protocol: 'line', keyFormat: FILE_NAME_FORMAT } as const;
  const values = { ...asking, protocol: 'resp', keyFormat: 'key:%012d' } as const;
  const series = await context.alternate([
    contender('peershelf tracker', () =>
      load.run({ ...files, address: tracker, requests: REQUESTS }),
    ),
    contender('redis-benchmark GET', () => redisBenchmark(redis)),
    contender('redis, our load generator', () =>
      load.run({ ...values, address: redis, requests: REQUESTS }),
    ),
    contender('v1.py tracker', () => load.run({ ...files, address: v1, requests: V1_REQUESTS })),
  ]);
  return report(series, await versions());
}

function report(series: readonly Series[], references: readonly string[]): Report {
  const [ours, official, sameLoad, v1] = series;
  const toOfficial = ratio('tracker : redis-benchmark', ours, official);
  const toSameLoad = ratio('tracker : redis, same generator', ours, sameLoad);
  const toV1 = ratio('tracker : v1.py', ours, v1);
  return {
    title: `tracker: REQUEST, ${CONNECTIONS} connections, ${KEYS.toLocaleString('en')} published files of ${NETWORK.peers.toLocaleString('en')} connected peers`,
    references,
    series: [...series, toOfficial, toSameLoad, toV1],
    goals: [
      { name: toOfficial.name, value: median(toOfficial.values), atLeast: 0.6 },
      { name: toV1.name, value: median(toV1.values), atLeast: 10 },
    ],
  };
}

function contender(name: string, measure: () => Promise<number>): Contender {
  return { name, unit: UNIT, measure };
}

async function redisBenchmark({ host, port }: HostPort): Promise<number> {
  const { stdout } = await runProgram('redis-benchmark', [
    ...['-h', host, '-p', String(port), '-t', 'get', '--csv'],
    ...['-c', String(CONNECTIONS), '-n', String(REQUESTS), '-r', String(KEYS)],
  ]);
  const rate = /^"GET","([\d.]+)"/mu.exec(stdout)?.[1];
  if (rate === undefined) throw new Error(`redis-benchmark: ${stdout}`);
  return Number(rate);
}

async function versions(): Promise<string[]> {
  const redis = await runProgram('redis-server', ['--version']);
  const python = await runProgram('python3', ['--version']);
  return [
    `redis ${/v=(\S+)/u.exec(redis.stdout)?.[1] ?? 'unknown'}`,
    `v1.py on ${python.stdout.trim()}`,
  ];
}
