import { join } from 'node:path';
import { cliDownload, type Download } from './download';
import { GIBIBYTE, writeRandomFile } from './files';
import { type BenchContext, type Benchmark, median, ratio } from './harness';
import { startTracker } from './servers';
import { startSharing } from './sharing';

const PUBLISHERS = 4;
const LIMIT_MEGABYTES = 50;

/**
 * One file from several slow publishers at once, against the same from one of them. Each number of
 * publishers has a session of its own, so that the one is alone whatever a fetch makes of sources.
 */
export const sourcesBenchmark: Benchmark = {
  name: 'sources',
  run: async (context) => {
    const source = writeRandomFile(join(context.folder, 'gigabyte.bin'), GIBIBYTE);
    const one = await prepare(context, source, 1);
    const several = await prepare(context, source, PUBLISHERS);
    const series = await context.alternate([several, one]);
    const speedUp = ratio(`${several.name} : ${one.name}`, series[0], series[1]);
    return {
      title: `sources: 1 GiB from ${PUBLISHERS} publishers limited to ${LIMIT_MEGABYTES} MB/s each`,
      references: ['one of the publishers'],
      series: [...series, speedUp, several.ownSeries, one.ownSeries],
      goals: [{ name: speedUp.name, value: median(speedUp.values), atLeast: 3.6 }],
    };
  },
};

async function prepare(
  { cleanup, folder }: BenchContext,
  source: string,
  publishers: number,
): Promise<Download> {
  const tracker = await startTracker(cleanup);
  for (let index = 1; index <= publishers; index += 1) {
    const home = join(folder, `publisher-${index}-of-${publishers}`);
    const limit = ['--max-upload', String(LIMIT_MEGABYTES)];
    const options = ['--hostname', `publisher-${index}`, ...limit];
    await startSharing(cleanup, { session: tracker, paths: [source], home, options });
  }
  const name = publishers === 1 ? 'one publisher' : `${publishers} publishers`;
  return cliDownload({ name, session: tracker, source, folder });
}
