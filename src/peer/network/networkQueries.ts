import { queryWords, wordsBeyondOwner } from '../../common/searchText';
import type {
  FolderQuery,
  NetworkFile,
  NetworkFolder,
  NetworkFolderPage,
  NetworkPage,
  NetworkQuery,
  NetworkRow,
} from '../peerApi';
import { toNetworkFile } from './networkFiles';
import { compare, type IndexedFile, type IndexedHost } from './networkModel';

/** Most rows of one page of a folder: what VS Code shows at once below one node. */
export const MAX_FOLDER_ROWS = 500;

/** Files that match, of all files in order of their names. */
export function findFiles(files: readonly IndexedFile[], query: NetworkQuery): NetworkPage {
  const { limit, offset = 0 } = query;
  const page: NetworkFile[] = [];
  let total = 0;
  for (const file of matching(files, query)) {
    if (total >= offset && page.length < limit)
      page.push(toNetworkFile(file.name, file.file, file.host));
    total += 1;
  }
  return { files: page, total };
}

/** Folders and files directly in a folder, of all files in order of their names. */
export function listFolder(files: readonly IndexedFile[], query: FolderQuery): NetworkFolderPage {
  const { prefix, limit = MAX_FOLDER_ROWS, offset = 0 } = query;
  const folders = new Map<string, { fileCount: number; lastName: string }>();
  const rows: IndexedFile[][] = [];
  let sameName: IndexedFile[] = [];
  for (const file of matching(files, query)) {
    const end = file.name.indexOf('/', prefix.length);
    if (end === -1) {
      if (sameName[0]?.name !== file.name) sameName = [];
      addToRows(rows, sameName, file);
      continue;
    }
    const name = file.name.slice(prefix.length, end);
    const folder = folders.get(name);
    if (folder === undefined) folders.set(name, { fileCount: 1, lastName: file.name });
    else if (folder.lastName !== file.name) {
      folder.fileCount += 1;
      folder.lastName = file.name;
    }
  }
  const inOrder = [...folders].sort(([left], [right]) => compare(left, right));
  const end = offset + Math.min(limit, MAX_FOLDER_ROWS);
  const shownRows = rows.slice(
    Math.max(0, offset - inOrder.length),
    Math.max(0, end - inOrder.length),
  );
  return {
    folders: inOrder.slice(offset, end).map(([name, { fileCount }]): NetworkFolder => ({
      ...{ name, prefix: `${prefix}${name}/`, fileCount },
    })),
    files: shownRows.map(toRow),
    total: inOrder.length + rows.length,
  };
}

/** Equal content under one name is one row. @param sameName one file of each row of this name. */
function addToRows(rows: IndexedFile[][], sameName: IndexedFile[], file: IndexedFile): void {
  const { contentId } = file.file;
  const isEqual = (other: IndexedFile): boolean =>
    contentId !== undefined &&
    other.file.contentId?.root === contentId.root &&
    other.file.contentId.sizeBytes === contentId.sizeBytes;
  const known = sameName.findIndex(isEqual);
  if (known === -1) {
    sameName.push(file);
    rows.push([file]);
  } else rows[rows.length - sameName.length + known]?.push(file);
}

function* matching(
  files: readonly IndexedFile[],
  query: Pick<NetworkQuery, 'hostname' | 'text' | 'prefix'>,
): Generator<IndexedFile, void> {
  const { hostname, text = '', prefix = '' } = query;
  const words = queryWords(text);
  const rest = new Map<IndexedHost, readonly string[]>();
  for (let index = firstBelow(files, prefix); index < files.length; index += 1) {
    const file = files[index];
    if (file?.name.startsWith(prefix) !== true) return;
    if (hostname !== undefined && file.host.hostname !== hostname) continue;
    if (words.length > 0 && !matches(file, words, rest)) continue;
    yield file;
  }
}

function matches(
  file: IndexedFile,
  words: readonly string[],
  rest: Map<IndexedHost, readonly string[]>,
): boolean {
  const { host, folded } = file;
  let needed = rest.get(host);
  if (needed === undefined) {
    needed = wordsBeyondOwner(words, host);
    rest.set(host, needed);
  }
  for (const word of needed) if (!folded.includes(word)) return false;
  return true;
}

/** Where the names that begin with `prefix` would begin. */
function firstBelow(files: readonly IndexedFile[], prefix: string): number {
  let low = 0;
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(files[middle]?.name ?? '', prefix) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function toRow(files: readonly IndexedFile[]): NetworkRow {
  const [first] = files;
  if (first === undefined) throw new RangeError('a row has at least one file');
  const {
    hostname: _,
    displayName: __,
    ...row
  } = toNetworkFile(first.name, first.file, first.host);
  const sources = files.map(({ host }) => ({
    hostname: host.hostname,
    displayName: host.displayName,
    state: host.facts.awayMs === undefined ? ('online' as const) : ('away' as const),
  }));
  return { ...row, sources };
}
