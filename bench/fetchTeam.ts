import { basename, dirname, join } from 'node:path';
import { formatHostPort } from '../src/protocol/address';
import { cliDownload, Download } from './download';
import { GIBIBYTE, writeRandomFile } from './files';
import {
  type BenchContext,
  type Benchmark,
  median,
  programVersion,
  ratio,
  runProgram,
} from './harness';
import { makeCertificate, type ServerCertificate, startNginx } from './referenceServers';
import { startTeam } from './servers';
import { type Command, startSharing } from './sharing';

const ARIA2_CONNECTIONS = 4;

/**
 * As `fetch`, in the session of a team: both ends of every connection show a certificate, TLS 1.3.
 * aria2 does the same job, as it verifies what has arrived; curl does less.
 */
export const fetchTeamBenchmark: Benchmark = {
  name: 'fetch-team',
  run: async (context) => {
    const references = [
      await programVersion('nginx', ['-v']),
      await programVersion('aria2c', ['--version']),
      await programVersion('curl', ['--version']),
      await programVersion('openssl', ['version']),
    ];
    const source = writeRandomFile(join(context.folder, 'gigabyte.bin'), GIBIBYTE);
    const ours = await prepareOurs(context, source);
    const series = await context.alternate([ours, ...(await prepareReferences(context, source))]);
    const toAria2 = ratio('ours : nginx + aria2', series[0], series[1]);
    const toCurl = ratio('ours : nginx + curl', series[0], series[2]);
    return {
      title: 'fetch-team: 1 GiB of random bytes, session of a team, to disk, verified',
      references,
      series: [...series, toAria2, toCurl, ours.ownSeries],
      goals: [
        { name: toAria2.name, value: median(toAria2.values), atLeast: 2.3 },
        { name: toCurl.name, value: median(toCurl.values), atLeast: 0.55 },
      ],
    };
  },
};

async function prepareOurs({ cleanup, folder }: BenchContext, source: string): Promise<Download> {
  const session = { inviteFile: await startTeam(cleanup, folder) };
  const home = join(folder, 'publisher');
  await startSharing(cleanup, { session, paths: [source], home });
  return cliDownload({ name: 'peershelf', session, source, folder });
}

async function prepareReferences(
  { cleanup, folder }: BenchContext,
  source: string,
): Promise<Download[]> {
  const tls = await makeCertificate(folder);
  const address = await startNginx(cleanup, join(folder, 'nginx'), { root: folder, tls });
  const url = `https://${formatHostPort(address)}/${basename(source)}`;
  const { stdout: sum } = await runProgram('openssl', ['dgst', '-sha256', '-r', source]);
  const fetching = { url, tls, sha256: sum.slice(0, 64) };
  return Object.entries({ aria2, curl }).map(([name, commandOf]) => {
    const output = join(folder, `${name}.got`);
    const command = commandOf({ ...fetching, output });
    return new Download({ name: `nginx + ${name}`, source, output, command: () => command });
  });
}

interface ReferenceFetch {
  readonly url: string;
  readonly output: string;
  readonly tls: ServerCertificate;
  readonly sha256: string;
}

function aria2({ url, output, tls, sha256 }: ReferenceFetch): Command {
  const connections = [`--split=${ARIA2_CONNECTIONS}`, `-x${ARIA2_CONNECTIONS}`];
  const security = [`--ca-certificate=${tls.certificate}`, '--min-tls-version=TLSv1.3'];
  const target = [`--dir=${dirname(output)}`, `--out=${basename(output)}`];
  const check = [`--checksum=sha-256=${sha256}`, '--file-allocation=falloc'];
  const plain = ['--no-conf', '--no-netrc', '--no-proxy=*', '--quiet'];
  return {
    file: 'aria2c',
    args: [...plain, ...connections, ...security, ...target, ...check, url],
  };
}

function curl({ url, output, tls }: ReferenceFetch): Command {
  const plain = ['--silent', '--show-error', '--fail', '--noproxy', '*', '--tlsv1.3', '--http1.1'];
  return {
    file: 'curl',
    args: [...plain, '--cacert', tls.certificate, '--output', output, url],
  };
}
