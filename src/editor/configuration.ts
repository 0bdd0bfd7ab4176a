import { hostname, userInfo } from 'node:os';
import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import type { EngineOptions, PeerSettings, PortRange } from '../peer/peerApi';
import { isAddressLiteral } from '../protocol/address';
import { readSetting } from './contributions';

const BYTES_PER_MEGABYTE = 1_000_000;

/** Settings whose change the running engine is told. */
export const ENGINE_SETTINGS = [
  'hostname',
  'displayName',
  'port',
  'advertiseAddress',
  'maxUploads',
  'maxUploadMegabytesPerSecond',
  'maxDownloadMegabytesPerSecond',
  'autoRepublish',
];

/** @throws INVALID_ARGUMENT that names the setting. */
export function readPeerSettings(): PeerSettings {
  const advertiseAddress = readSetting('advertiseAddress').trim();
  if (advertiseAddress !== '' && !isAddressLiteral(advertiseAddress))
    throw invalidSetting('peershelf.advertiseAddress', advertiseAddress);
  return {
    hostname: readSetting('hostname').trim() || hostname(),
    displayName: readSetting('displayName').trim() || userName(),
    ports: parsePorts(readSetting('port')),
    advertiseAddress,
    listenHost: '',
    maxUploads: readSetting('maxUploads'),
    maxUploadBytesPerSecond: readSetting('maxUploadMegabytesPerSecond') * BYTES_PER_MEGABYTE,
    maxDownloadBytesPerSecond: readSetting('maxDownloadMegabytesPerSecond') * BYTES_PER_MEGABYTE,
    autoRepublish: (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => ({
      folder: uri.fsPath,
      isOn: readSetting('autoRepublish', uri),
    })),
  };
}

/** What the engine of this window is started with. */
export function engineOptions({
  storageFolder,
  windowId,
  hashWorker,
}: Pick<EngineOptions, 'storageFolder' | 'windowId' | 'hashWorker'>): EngineOptions {
  return {
    storageFolder,
    // In Restricted Mode a window only looks: others do not see it, and nothing is offered, not even
    // what was published before.
    presence: vscode.workspace.isTrusted,
    keepCatalogue: vscode.workspace.isTrusted,
    windowId,
    hashWorker,
    lan: testLan(),
    settings: readPeerSettings(),
  };
}

/** For tests, which look for sessions at a port of their own, on loopback; at port 0 nowhere. */
function testLan(): EngineOptions['lan'] {
  const text = process.env['PEERSHELF_LAN_PORT'];
  if (text === undefined) return undefined;
  const port = Number(text);
  return { port, addresses: port > 0 ? ['127.0.0.1'] : [] };
}

/** The user's name on this machine. A container may run as one that nobody has told the system about. */
export function userName(): string {
  try {
    return userInfo().username || hostname();
  } catch {
    return hostname();
  }
}

function parsePorts(text: string): PortRange {
  const match = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/u.exec(text);
  const first = Number(match?.[1] ?? Number.NaN);
  const last = Number(match?.[2] ?? first);
  if (!(first <= last && last <= 65_535 && (first > 0 || last === 0)))
    throw invalidSetting('peershelf.port', text);
  return { first, last };
}

function invalidSetting(name: string, value: string): PeershelfError {
  const argument = `${name} "${value}"`;
  return new PeershelfError('INVALID_ARGUMENT', argument, { details: { argument } });
}
