import { existsSync, mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Cleanup } from '../scripts/host/cleanup';
import { assertSameTree, writeTree } from './files';
import {
  type BenchContext,
  type Benchmark,
  type Contender,
  median,
  programVersion,
  ratio,
  runProgram,
  timed,
} from './harness';
import { RSYNC_MODULE, startRsyncDaemon, writeRsyncConfig } from './referenceServers';
import { freePort, HOST, startTracker } from './servers';
import { fetchCommand, startSharing } from './sharing';

/** See {@link newFolder}. */
const FREED_INODES_MS = 40_000;
const SHAPE = { folders: [10, 10], filesPerFolder: 100, fileBytes: 4096 } as const;

/**
 * A folder of many small files, published and fetched, against an rsync daemon. The clock of both
 * runs from the start of what offers the folder until the program that gets it has ended.
 */
export const folderBenchmark: Benchmark = {
  name: 'folder',
  run: async (context) => {
    const rsync = await programVersion('rsync', ['--version']);
    context.log('waiting until nothing is left of files that were removed before');
    await delay(FREED_INODES_MS);
    const source = writeTree(join(context.folder, 'tree'), SHAPE);
    const parts = { publish: [] as number[], fetch: [] as number[] };
    const series = await context.alternate([
      { name: 'peershelf', unit: 's', measure: () => measureOurs(context, source, parts) },
      rsyncContender(context, source),
    ]);
    const toRsync = ratio('peershelf : rsync, time', series[0], series[1]);
    const told = Object.entries(parts).map(([name, values]) => ({
      name: `peershelf, ${name}`,
      unit: 's',
      values: values.slice(1),
    }));
    return {
      title: 'folder: publish and fetch 10,000 files of 4 KiB in 100 folders',
      references: [rsync],
      series: [...series, toRsync, ...told],
      goals: [{ name: toRsync.name, value: median(toRsync.values), atMost: 1 }],
    };
  },
};

/** With a tracker, a publisher and a fetcher that know nothing from the turn before. */
async function measureOurs(
  { folder }: BenchContext,
  source: string,
  parts: { readonly publish: number[]; readonly fetch: number[] },
): Promise<number> {
  const turn = new Cleanup();
  const place = newFolder(folder, 'peershelf');
  const output = join(place, 'got');
  try {
    const tracker = await startTracker(turn);
    const name = `${basename(source)}/`;
    const command = fetchCommand({ session: tracker, name, output, home: join(place, 'fetcher') });
    const sharing = { session: tracker, paths: [source], home: join(place, 'publisher') };
    const publish = await timed(() => startSharing(turn, sharing));
    const fetch = await timed(() => runProgram(command.file, command.args, command));
    parts.publish.push(publish);
    parts.fetch.push(fetch);
    // A folder may keep its own name below the chosen one.
    const named = join(output, basename(source));
    assertSameTree(source, existsSync(named) ? named : output);
    return publish + fetch;
  } finally {
    await turn.run();
  }
}

function rsyncContender({ folder }: BenchContext, source: string): Contender {
  return {
    name: 'rsync daemon',
    unit: 's',
    measure: async () => {
      const turn = new Cleanup();
      const place = newFolder(folder, 'rsync');
      const output = join(place, 'got');
      const daemon = { root: source, config: join(place, 'rsyncd.conf'), port: await freePort() };
      writeRsyncConfig(daemon);
      const url = `rsync://${HOST}:${daemon.port}/${RSYNC_MODULE}/`;
      try {
        const seconds = await timed(async () => {
          await startRsyncDaemon(turn, daemon);
          await runProgram('rsync', ['--archive', url, `${output}/`]);
        });
        assertSameTree(source, output);
        return seconds;
      } finally {
        await turn.run();
      }
    },
  };
}

/**
 * A folder for one turn, kept until the end of the run: ext4 without a journal passes over inodes
 * that were freed less than half a minute ago, one by one, and then makes files twenty times slower.
 */
function newFolder(folder: string, name: string): string {
  return mkdtempSync(join(folder, `${name}-`));
}
