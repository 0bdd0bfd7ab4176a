import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import type { Cleanup } from '../scripts/host/cleanup';
import type { HostPort } from '../src/protocol/address';
import { runProgram } from './harness';
import { freePort, HOST, start, waitUntilListening } from './servers';

/** What makes nginx speak TLS 1.3, as files. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface NginxOptions {
  /** The folder that it offers. */
  readonly root: string;
  /** Without it, nothing is encrypted and files are sent without being copied. */
  readonly tls?: ServerCertificate;
}

/** nginx with one folder. Keeps everything in `prefix`. */
export async function startNginx(
  cleanup: Cleanup,
  prefix: string,
  options: NginxOptions,
): Promise<HostPort> {
  mkdirSync(prefix, { recursive: true });
  const port = await freePort();
  const config = join(prefix, 'nginx.conf');
  writeFileSync(config, nginxConfig(prefix, port, options));
  await start(cleanup, 'nginx', ['-p', prefix, '-c', config, '-e', 'stderr'], { showErrors: true });
  await waitUntilListening({ host: HOST, port });
  return { host: HOST, port };
}

function nginxConfig(prefix: string, port: number, { root, tls }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(prefix, name)};`,
  );
  return [
    // Started by root it would read as someone who may not see our folder.
    ...(isRoot() ? [`user ${userInfo().username};`] : []),
    'daemon off;',
    'worker_processes auto;',
    `pid ${join(prefix, 'nginx.pid')};`,
    'error_log stderr;',
    'events {}',
    'http {',
    'sendfile on;',
    'access_log off;',
    ...temporary,
    `server { listen ${HOST}:${port}${tls === undefined ? '' : ' ssl'}; root ${root};`,
    ...(tls === undefined ? [] : tlsConfig(tls)),
    '}',
    '}',
    '',
  ].join('\n');
}

/** The rules of our own connections, so that nobody has an easier cipher. */
function tlsConfig({ certificate, key }: ServerCertificate): string[] {
  return [
    `ssl_certificate ${certificate};`,
    `ssl_certificate_key ${key};`,
    'ssl_protocols TLSv1.3;',
    'ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;',
  ];
}

/** A certificate of the kind that our peers have: self-signed, with a key on P-256. */
export async function makeCertificate(folder: string): Promise<ServerCertificate> {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  await runProgram('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/CN=peershelf', '-addext', `subjectAltName=IP:${HOST}`, '-days', '2'],
    ...['-keyout', key, '-out', certificate],
  ]);
  return { certificate, key };
}

export interface RsyncModule {
  /** What the module offers, for reading. */
  readonly root: string;
  readonly config: string;
  readonly port: number;
}

export const RSYNC_MODULE = 'bench';

/** Writes the configuration of an rsync daemon that offers one folder. */
export function writeRsyncConfig({ root, config }: RsyncModule): void {
  const lines = [
    'use chroot = no',
    `log file = ${config}.log`,
    `[${RSYNC_MODULE}]`,
    `path = ${root}`,
    'read only = yes',
    ...(isRoot() ? [`uid = ${userInfo().username}`] : []),
    '',
  ];
  writeFileSync(config, lines.join('\n'));
}

/** Starts an rsync daemon and resolves when it accepts connections. */
export async function startRsyncDaemon(
  cleanup: Cleanup,
  { config, port }: RsyncModule,
): Promise<void> {
  const listening = [`--address=${HOST}`, `--port=${port}`];
  await start(cleanup, 'rsync', ['--daemon', '--no-detach', `--config=${config}`, ...listening], {
    showErrors: true,
  });
  await waitUntilListening({ host: HOST, port });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
