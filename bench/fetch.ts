import { join } from 'node:path';
import { formatHostPort } from '../src/protocol/address';
import { cliDownload, Download } from './download';
import { GIBIBYTE, writeRandomFile } from './files';
import { type BenchContext, type Benchmark, median, programVersion, ratio } from './harness';
import { startNginx } from './referenceServers';
import { startTracker } from './servers';
import { startSharing } from './sharing';

/**
 * One file of an open session from one process to another on loopback, to disk and verified, against
 * a web server that hands the file to the system to send, and curl, which verifies nothing.
 */
export const fetchBenchmark: Benchmark = {
  name: 'fetch',
  run: async (context) => {
    const references = [
      await programVersion('nginx', ['-v']),
      await programVersion('curl', ['--version']),
    ];
    const source = writeRandomFile(join(context.folder, 'gigabyte.bin'), GIBIBYTE);
    const ours = await prepareOurs(context, source);
    const series = await context.alternate([ours, await prepareReference(context, source)]);
    const toReference = ratio('ours : nginx + curl', series[0], series[1]);
    return {
      title: 'fetch: 1 GiB of random bytes, open session, to disk, verified',
      references,
      series: [...series, toReference, ours.ownSeries],
      goals: [{ name: toReference.name, value: median(toReference.values), atLeast: 0.8 }],
    };
  },
};

async function prepareOurs({ cleanup, folder }: BenchContext, source: string): Promise<Download> {
  const tracker = await startTracker(cleanup);
  const home = join(folder, 'publisher');
  await startSharing(cleanup, { session: tracker, paths: [source], home });
  return cliDownload({ name: 'peershelf', session: tracker, source, folder });
}

async function prepareReference(
  { cleanup, folder }: BenchContext,
  source: string,
): Promise<Download> {
  const address = await startNginx(cleanup, join(folder, 'nginx'), { root: folder });
  const output = join(folder, 'curl.got');
  const url = `http://${formatHostPort(address)}/gigabyte.bin`;
  const args = ['--silent', '--show-error', '--fail', '--noproxy', '*', '--output', output, url];
  return new Download({
    name: 'nginx + curl',
    source,
    output,
    command: () => ({ file: 'curl', args }),
  });
}
