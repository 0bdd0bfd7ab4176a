import * as vscode from 'vscode';

/**
 * Every id of the manifest, declared once. A test compares this file with package.json in both
 * directions, so an id that is misspelt or forgotten does not get far.
 */
export const COMMANDS = {
  publish: 'peershelf.publish',
  publishForSession: 'peershelf.publishForSession',
  publishAgain: 'peershelf.publishAgain',
  unpublish: 'peershelf.unpublish',
  fetch: 'peershelf.fetch',
  fetchTo: 'peershelf.fetchTo',
  fetchHere: 'peershelf.fetchHere',
  openRemote: 'peershelf.openRemote',
  compareWithWorkspace: 'peershelf.compareWithWorkspace',
  compareSelected: 'peershelf.compareSelected',
  filterNetwork: 'peershelf.filterNetwork',
  clearFilter: 'peershelf.clearFilter',
  groupByFolder: 'peershelf.groupByFolder',
  groupByPeer: 'peershelf.groupByPeer',
  browsePeer: 'peershelf.browsePeer',
  pingPeer: 'peershelf.pingPeer',
  compareFingerprint: 'peershelf.compareFingerprint',
  removeMember: 'peershelf.removeMember',
  startTracker: 'peershelf.startTracker',
  stopTracker: 'peershelf.stopTracker',
  join: 'peershelf.join',
  connectOpen: 'peershelf.connectOpen',
  copyInvite: 'peershelf.copyInvite',
  saveInvite: 'peershelf.saveInvite',
  renewInvite: 'peershelf.renewInvite',
  leave: 'peershelf.leave',
  pauseTransfer: 'peershelf.pauseTransfer',
  resumeTransfer: 'peershelf.resumeTransfer',
  cancelTransfer: 'peershelf.cancelTransfer',
  retryTransfer: 'peershelf.retryTransfer',
  revealTransfer: 'peershelf.revealTransfer',
  offerTransfer: 'peershelf.offerTransfer',
  startOfferingFetched: 'peershelf.startOfferingFetched',
  stopOfferingFetched: 'peershelf.stopOfferingFetched',
  clearTransfers: 'peershelf.clearTransfers',
  refreshNetwork: 'peershelf.refreshNetwork',
  showMore: 'peershelf.showMore',
  showMenu: 'peershelf.showMenu',
  showLog: 'peershelf.showLog',
} as const;

export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

export const VIEWS = {
  published: 'peershelf.published',
  network: 'peershelf.network',
  transfers: 'peershelf.transfers',
  peers: 'peershelf.peers',
} as const;

/** What agents may use; the manifest says what each does. */
export const TOOLS = {
  listFiles: 'peershelf_listFiles',
  readFile: 'peershelf_readFile',
  fetchFile: 'peershelf_fetchFile',
  publishFile: 'peershelf_publishFile',
} as const;

export type ToolName = (typeof TOOLS)[keyof typeof TOOLS];

/**
 * Context keys, for `when` clauses: `connection` is the kind of the connection's state, `belongs` says
 * that there is a session to leave, be it joined or not, `networkGrouping` is `peer` or `folder`.
 */
export const CONTEXT_KEYS = {
  connected: 'peershelf.connected',
  connection: 'peershelf.connection',
  belongs: 'peershelf.belongs',
  inTeam: 'peershelf.inTeam',
  ownsSession: 'peershelf.ownsSession',
  trackerRunning: 'peershelf.trackerRunning',
  publishedPaths: 'peershelf.publishedPaths',
  changedPaths: 'peershelf.changedPaths',
  publishedFolders: 'peershelf.publishedFolders',
  hasEndedTransfers: 'peershelf.hasEndedTransfers',
  offersFetched: 'peershelf.offersFetched',
  hasPublished: 'peershelf.hasPublished',
  sessionsFound: 'peershelf.sessionsFound',
  networkGrouping: 'peershelf.networkGrouping',
  networkFiltered: 'peershelf.networkFiltered',
  hasFetched: 'peershelf.hasFetched',
} as const;

export type ContextKey = keyof typeof CONTEXT_KEYS;

/** Settings below `peershelf.` with the types that package.json gives them. */
export interface SettingTypes {
  readonly tracker: string;
  readonly inviteFile: string;
  readonly hostname: string;
  readonly port: string;
  readonly advertiseAddress: string;
  readonly trackerPort: number;
  readonly autoConnect: boolean;
  readonly displayName: string;
  readonly fetchFolder: string;
  readonly autoRepublish: boolean;
  readonly allowToolsToPublish: boolean;
  readonly exclude: readonly string[];
  readonly maxUploads: number;
  readonly maxUploadMegabytesPerSecond: number;
  readonly maxDownloadMegabytesPerSecond: number;
}

export const SETTING_NAMES: Readonly<Record<keyof SettingTypes, true>> = {
  tracker: true,
  inviteFile: true,
  hostname: true,
  port: true,
  advertiseAddress: true,
  trackerPort: true,
  autoConnect: true,
  displayName: true,
  fetchFolder: true,
  autoRepublish: true,
  allowToolsToPublish: true,
  exclude: true,
  maxUploads: true,
  maxUploadMegabytesPerSecond: true,
  maxDownloadMegabytesPerSecond: true,
};

/** The value of a setting; the manifest has its default. */
export function readSetting<S extends keyof SettingTypes>(
  name: S,
  scope?: vscode.Uri,
): SettingTypes[S] {
  const value = vscode.workspace.getConfiguration('peershelf', scope).get<SettingTypes[S]>(name);
  if (value === undefined) throw new TypeError(`the manifest has no default for ${name}`);
  return value;
}

/** The value that the user has chosen, or undefined where the default holds. Not for workspaces. */
export function explicitSetting<S extends keyof SettingTypes>(
  name: S,
): SettingTypes[S] | undefined {
  return vscode.workspace.getConfiguration('peershelf').inspect<SettingTypes[S]>(name)?.globalValue;
}

export function setContext(key: ContextKey, value: unknown): void {
  void vscode.commands.executeCommand('setContext', CONTEXT_KEYS[key], value);
}
