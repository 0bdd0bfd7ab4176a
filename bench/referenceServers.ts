import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import type { Cleanup } from '../scripts/host/cleanup';
import type { HostPort } from '../src/protocol/address';
import { freePort, HOST, start, waitUntilListening } from './servers';

/** nginx with one folder, sending files without copying them. Keeps everything in `prefix`. */
export async function startNginx(
  cleanup: Cleanup,
  prefix: string,
  root: string,
): Promise<HostPort> {
  mkdirSync(prefix, { recursive: true });
  const port = await freePort();
  const config = join(prefix, 'nginx.conf');
  writeFileSync(config, nginxConfig(prefix, root, port));
  await start(cleanup, 'nginx', ['-p', prefix, '-c', config, '-e', 'stderr'], { showErrors: true });
  await waitUntilListening({ host: HOST, port });
  return { host: HOST, port };
}

function nginxConfig(prefix: string, root: string, port: number): string {
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
    `server { listen ${HOST}:${port}; root ${root}; }`,
    '}',
    '',
  ].join('\n');
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
