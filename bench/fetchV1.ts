import { join } from 'node:path';
import { formatHostPort } from '../src/protocol/address';
import { cliDownload, Download } from './download';
import { GIBIBYTE, writeRandomFile } from './files';
import { type BenchContext, type Benchmark, median, programVersion, ratio } from './harness';
import { startV1Tracker } from './servers';
import { startSharing, startV1Sharing, V1 } from './sharing';

const NAME = 'gigabyte.bin';

/**
 * One file by version 1 from one process to another on loopback, to disk: our two ends against the
 * two ends of the original system. A tracker of version 1 is what makes our ends speak it. What each
 * program says of itself is shown, too: from its connection to the publisher until the last byte is
 * written, ours until the file has its name, theirs without closing it.
 */
export const fetchV1Benchmark: Benchmark = {
  name: 'fetch-v1',
  run: async (context) => {
    const python = await programVersion('python3', ['--version']);
    const source = writeRandomFile(join(context.folder, NAME), GIBIBYTE);
    const ours = await prepareOurs(context, source);
    const theirs = await prepareTheirs(context, source);
    const series = await context.alternate([ours, theirs]);
    const speedUp = ratio('peershelf : v1.py', series[0], series[1]);
    return {
      title: 'fetch-v1: 1 GiB of random bytes, version 1, to disk',
      references: ['baseline v1.py', python],
      series: [...series, speedUp, ours.ownSeries, theirs.ownSeries],
      goals: [{ name: speedUp.name, value: median(speedUp.values), atLeast: 1 }],
    };
  },
};

async function prepareOurs({ cleanup, folder }: BenchContext, source: string): Promise<Download> {
  const tracker = await startV1Tracker(cleanup);
  await startSharing(cleanup, {
    session: tracker,
    paths: [source],
    home: join(folder, 'publisher'),
  });
  return cliDownload({ name: 'peershelf', session: tracker, source, folder });
}

async function prepareTheirs({ cleanup, folder }: BenchContext, source: string): Promise<Download> {
  const tracker = await startV1Tracker(cleanup);
  await startV1Sharing(cleanup, tracker, source);
  const output = join(folder, 'v1.got');
  const args = [V1, 'fetch', NAME, output, '--tracker', formatHostPort(tracker)];
  return new Download({
    name: 'v1.py',
    source,
    output,
    command: () => ({ file: 'python3', args }),
    readSeconds: (stdout) =>
      GIBIBYTE / 1e6 / Number(/^(\d+) MB\/s$/mu.exec(stdout)?.[1] ?? Number.NaN),
  });
}
