import { homedir } from 'node:os';
import { basename, isAbsolute, join, relative, sep } from 'node:path';
import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import type { RiskFamily } from '../common/riskyFiles';
import { riskOf } from '../common/riskyPaths';
import type { NetworkFile } from '../peer/peerApi';
import { toLocalName } from '../protocol/names';
import { readSetting } from './contributions';
import type { FetchJob, FolderJob, Place } from './fetchRun';
import { foreignText } from './foreignText';
import { ask, notify } from './notifier';
import { assertOnDisk } from './onDisk';

/** Files that a question names; it says how many more there are. */
const MAX_NAMED = 5;

type FolderPlace = Pick<FolderJob, 'destination' | 'folder' | 'guardedAs'>;

/**
 * Below the fetch folder under the publisher's path; without a folder, where the user says, or
 * undefined when the user does not.
 * @param clashes whether others mean something else by the name: then it is below their names.
 * @throws INVALID_NAME, INVALID_ARGUMENT when the setting leads out of the folder.
 */
export async function placeFor(file: NetworkFile, clashes = false): Promise<Place | undefined> {
  const folder = diskFolder();
  if (folder === undefined) return askForPlace(file);
  const name = toLocalName(file.name, process.platform);
  const root = folder.uri.fsPath;
  const owner = clashes ? [ownerFolder(file)] : [];
  return inside(root, join(root, readFetchFolder(folder), ...owner, ...name.split('/')));
}

/** Directly in a folder of the workspace. @throws NOT_ON_DISK, OUTSIDE_FOLDER, INVALID_NAME. */
export function placeIn(file: NetworkFile, target: vscode.Uri): Place {
  const root = folderAround(target);
  const base = file.name.split('/').at(-1) ?? file.name;
  return inside(root, join(target.fsPath, toLocalName(base, process.platform)));
}

/**
 * Where what lies below a prefix goes: below the fetch folder under the same path, or into the chosen
 * folder. Without a workspace, where the user says, or undefined when the user does not.
 * @throws INVALID_NAME, NOT_ON_DISK, OUTSIDE_FOLDER, INVALID_ARGUMENT when the setting leads out of the folder.
 */
export async function placeForFolder(
  prefix: string,
  target?: vscode.Uri,
): Promise<FolderPlace | undefined> {
  const parts = toLocalName(prefix.replace(/\/$/u, ''), process.platform).split('/');
  const base = parts.at(-1) ?? '';
  if (target !== undefined) return folderInside(folderAround(target), join(target.fsPath, base));
  const workspace = diskFolder();
  if (workspace === undefined) {
    const chosen = (await askForFolder())?.fsPath;
    return chosen === undefined ? undefined : folderInside(chosen, join(chosen, base));
  }
  const root = workspace.uri.fsPath;
  return folderInside(root, join(root, readFetchFolder(workspace), ...parts));
}

function folderInside(folder: string, destination: string): FolderPlace {
  return { destination, folder, guardedAs: shownPath(relative(folder, destination)) };
}

async function askForFolder(): Promise<vscode.Uri | undefined> {
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Fetch To'),
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.Uri.file(homedir()),
    })) ?? [];
  return chosen !== undefined && isOnDisk(chosen) ? chosen : undefined;
}

/** Says so when it is not. */
function isOnDisk(target: vscode.Uri): boolean {
  if (target.scheme === 'file') return true;
  notify('error', vscode.l10n.t('Files can only be saved to a disk. Choose another place.'));
  return false;
}

/** Where the user says; undefined when that is nowhere, or not on a disk. */
export async function askForPlace(file: NetworkFile): Promise<Place | undefined> {
  const name = suggestedName(file.name);
  const folder = diskFolder()?.uri;
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Fetch {0} To', foreignText(file.name)),
    defaultUri: vscode.Uri.joinPath(folder ?? vscode.Uri.file(homedir()), name),
  });
  if (target === undefined || !isOnDisk(target)) return undefined;
  // The dialog has asked already whether to replace what is there.
  const shown = vscode.workspace.asRelativePath(target, false);
  // Outside of the workspace the folders are the user's own choice: only the name is looked at.
  const isInside = vscode.workspace.getWorkspaceFolder(target) !== undefined;
  const risk = riskAt(isInside ? shown : basename(target.path));
  return { destination: target.fsPath, folder: undefined, ifExists: 'overwrite', risk };
}

/** Whether to fetch what could make programs run; one question names all of it by family. */
export async function confirmRisks(jobs: readonly FetchJob[]): Promise<boolean> {
  const [first] = jobs;
  if (first === undefined) return true;
  const yes = vscode.l10n.t('Fetch Anyway');
  const message =
    jobs.length === 1
      ? describeJob(first, (place, owner) =>
          owner === ''
            ? vscode.l10n.t('Fetch {0}?', place)
            : vscode.l10n.t('Fetch {0} from {1}?', place, owner),
        )
      : vscode.l10n.t('Fetch {0} files that can make programs run?', jobs.length);
  const families = new Map<RiskFamily, FetchJob[]>();
  for (const job of jobs) {
    const family = riskFamily(job.place.risk ?? '');
    families.set(family, [...(families.get(family) ?? []), job]);
  }
  const lines = [...families].map(([family, some]) =>
    jobs.length === 1 ? familyText(family) : `${familyText(family)}: ${nameSome(some).join(', ')}`,
  );
  const detail = vscode.l10n.t(
    'Such files can make programs run on this computer, or tell agents what to do. Fetch them only if you trust their publisher.',
  );
  return (await ask(message, [...lines, detail].join('\n'), yes)) === yes;
}

function riskFamily(path: string): RiskFamily {
  return riskOf(path)?.family ?? 'hidden';
}

/** One title for every family, which the compiler holds. */
function familyText(family: RiskFamily): string {
  const texts: Readonly<Record<RiskFamily, () => string>> = {
    agents: () => vscode.l10n.t('Instructions for agents'),
    build: () => vscode.l10n.t('Build files and automation'),
    editors: () => vscode.l10n.t('Settings of editors'),
    executables: () => vscode.l10n.t('Programs and scripts'),
    hidden: () => vscode.l10n.t('Hidden settings'),
    languages: () => vscode.l10n.t('Code that tools load by themselves'),
    packages: () => vscode.l10n.t('Scripts of package managers'),
    shell: () => vscode.l10n.t('Settings of shells and environments'),
    shortcuts: () => vscode.l10n.t('Shortcuts'),
    versionControl: () => vscode.l10n.t('Settings of version control'),
  };
  return texts[family]();
}

/** Whether an editor holds something of this file that the disk does not. */
export function hasUnsavedChanges(path: string): boolean {
  const { textDocuments, notebookDocuments } = vscode.workspace;
  return [...textDocuments, ...notebookDocuments].some(
    ({ isDirty, uri }) => isDirty && uri.scheme === 'file' && uri.fsPath === path,
  );
}

/** The last part of the name; what is no file name here is not offered as one. */
function suggestedName(name: string): string {
  try {
    return toLocalName(name.split(/[\\/]/u).at(-1) ?? '', process.platform);
  } catch (error) {
    if (PeershelfError.is(error)) return 'file';
    throw error;
  }
}

function nameSome(jobs: readonly FetchJob[]): string[] {
  const named = jobs
    .slice(0, MAX_NAMED)
    .map((job) =>
      describeJob(job, (place, owner) =>
        owner === '' ? place : vscode.l10n.t('{0} from {1}', place, owner),
      ),
    );
  const left = jobs.length - named.length;
  return left > 0 ? [...named, vscode.l10n.t('and {0} more', left)] : named;
}

function describeJob(
  { wish, owner, place }: FetchJob,
  describe: (place: string, owner: string) => string,
): string {
  return describe(foreignText(place.risk ?? wish.name), foreignText(owner));
}

/** A place in a workspace folder, with what a file there could do. */
function inside(root: string, destination: string): Place {
  const risk = riskAt(relative(root, destination));
  return { destination, folder: root, ifExists: 'fail', risk };
}

/** The path that the user sees, when a file there could make programs run. */
function riskAt(path: string): string | undefined {
  const shown = shownPath(path);
  return riskOf(shown) !== undefined ? shown : undefined;
}

function shownPath(path: string): string {
  return path.split(sep).join('/');
}

/** The folder that fetched files go to. */
function diskFolder(): vscode.WorkspaceFolder | undefined {
  return vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
}

/** The workspace folder of what the explorer has passed. @throws NOT_ON_DISK, OUTSIDE_FOLDER. */
function folderAround(target: vscode.Uri): string {
  assertOnDisk(target);
  const folder = vscode.workspace.getWorkspaceFolder(target);
  if (folder !== undefined) return folder.uri.fsPath;
  throw new PeershelfError('OUTSIDE_FOLDER', `${target.toString()} is in no workspace folder`, {
    details: { path: target.path },
  });
}

/** A folder named after the owner: the name that people know, if it can be one of a folder. */
function ownerFolder({ displayName, hostname }: NetworkFile): string {
  for (const text of [displayName, hostname])
    try {
      return toLocalName(text.trim().replace(/[\\/:]/gu, '_'), process.platform);
    } catch (error) {
      if (!PeershelfError.is(error, 'INVALID_NAME')) throw error;
    }
  return 'other';
}

function readFetchFolder(folder: vscode.WorkspaceFolder): string {
  const setting = readSetting('fetchFolder', folder.uri).trim();
  const leavesFolder = setting.split(/[\\/]/u).includes('..');
  if (!leavesFolder && !isAbsolute(setting) && !/^[a-z]:/iu.test(setting)) return setting;
  const argument = `peershelf.fetchFolder "${setting}"`;
  throw new PeershelfError('INVALID_ARGUMENT', argument, { details: { argument } });
}
