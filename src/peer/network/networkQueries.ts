import { foldText, queryWords, wordsBeyondOwner } from '../../common/searchText';
import type {
  FolderQuery,
  NetworkFile,
  NetworkFolder,
  NetworkFolderPage,
  NetworkPage,
  NetworkQuery,
  NetworkRow,
  NetworkRowPage,
} from '../peerApi';
import type { ListedNetworkFile } from '../team/shownFile';
import { toNetworkFile } from './networkFiles';
import { compare, compareFiles, type IndexedFile, type IndexedHost } from './networkModel';

/** Most rows of one page of a folder: what VS Code shows at once below one node. */
export const MAX_FOLDER_ROWS = 500;

/** More are not put in order: then it is faster to look at all files in their order. */
const MAX_FOUND = 5_000;

/** Files of a page that may not be shown, before it ends: a hostile tracker lists many. */
const MAX_HIDDEN = 1_000;
/** Sources of one row that are looked at: each may cost a signature. */
const MAX_ROW_SOURCES = 16;

/** What is searched: all files in order, and by host. */
export interface Searchable {
  readonly hosts: ReadonlyMap<string, IndexedHost>;
  files(): readonly IndexedFile[];
}

/** A file as it may be shown, if it may; asked only for what somebody looks at. */
export type Shown = (file: ListedNetworkFile) => NetworkFile | undefined;

interface FolderCount {
  readonly prefix: string;
  fileCount: number;
  lastName: string;
}

/** Files that match, by name. */
export function findFiles(model: Searchable, query: NetworkQuery, shown: Shown): NetworkPage {
  const { limit, offset = 0 } = query;
  const page: NetworkFile[] = [];
  let total = 0;
  let hidden = 0;
  for (const { name, file, host } of matching(model, query)) {
    if (total >= offset && page.length < limit && hidden < MAX_HIDDEN) {
      const network = shown(toNetworkFile(name, file, host));
      if (network === undefined) {
        hidden += 1;
        continue;
      }
      page.push(network);
    }
    total += 1;
  }
  return { files: page, total };
}

/** Contents that match, by name: what several hosts offer under one name is one row. */
export function findRows(model: Searchable, query: NetworkQuery, shown: Shown): NetworkRowPage {
  const page = new RowPage(query, shown);
  let first: IndexedFile | undefined;
  // Mostly a name is one host's only, and there may be a hundred thousand: no list for each.
  let others: IndexedFile[] = [];
  for (const file of matching(model, query)) {
    if (first?.name === file.name) {
      others.push(file);
      continue;
    }
    if (first !== undefined) page.add(first, others);
    first = file;
    if (others.length > 0) others = [];
  }
  if (first !== undefined) page.add(first, others);
  return { rows: page.rows, total: page.total };
}

/** The rows of one page, and the count of all. */
class RowPage {
  readonly rows: NetworkRow[] = [];
  total = 0;
  private hidden = 0;

  constructor(
    private readonly query: NetworkQuery,
    private readonly shown: Shown,
  ) {}

  /** All files of one name. */
  add(first: IndexedFile, others: readonly IndexedFile[]): void {
    if (others.length === 0) {
      if (!this.isFor(this.total) || this.take([first])) this.total += 1;
      return;
    }
    const rows: IndexedFile[][] = [];
    const sameName: IndexedFile[] = [];
    for (const file of [first, ...others]) addToRows(rows, sameName, file);
    for (const row of rows) if (!this.isFor(this.total) || this.take(row)) this.total += 1;
  }

  /** Whether the row of this number is one of the page. */
  private isFor(number: number): boolean {
    const { limit, offset = 0 } = this.query;
    return number >= offset && this.rows.length < limit && this.hidden < MAX_HIDDEN;
  }

  /** False for a row that may not be shown. */
  private take(files: readonly IndexedFile[]): boolean {
    const row = toRow(files, this.shown);
    if (row === undefined) this.hidden += 1;
    else this.rows.push(row);
    return row !== undefined;
  }
}

/** Folders and files directly in a folder, by name. */
export function listFolder(model: Searchable, query: FolderQuery, shown: Shown): NetworkFolderPage {
  const { prefix, limit = MAX_FOLDER_ROWS, offset = 0 } = query;
  const folders: FolderCount[] = [];
  const rows: IndexedFile[][] = [];
  let sameName: IndexedFile[] = [];
  let folder: FolderCount | undefined;
  for (const file of matching(model, query)) {
    const { name } = file;
    // In order of names, what is in one folder stands together.
    if (folder !== undefined && name.startsWith(folder.prefix)) {
      if (folder.lastName !== name) folder.fileCount += 1;
      folder.lastName = name;
      continue;
    }
    const end = name.indexOf('/', prefix.length);
    if (end !== -1) {
      folder = { prefix: name.slice(0, end + 1), fileCount: 1, lastName: name };
      folders.push(folder);
      continue;
    }
    if (sameName[0]?.name !== name) sameName = [];
    addToRows(rows, sameName, file);
  }
  const inOrder = folders.sort((left, right) => compare(left.prefix, right.prefix));
  const end = offset + Math.min(limit, MAX_FOLDER_ROWS);
  const shownRows = rows.slice(
    Math.max(0, offset - inOrder.length),
    Math.max(0, end - inOrder.length),
  );
  return {
    folders: inOrder.slice(offset, end).map((one): NetworkFolder => ({
      ...{ name: one.prefix.slice(prefix.length, -1), prefix: one.prefix },
      fileCount: one.fileCount,
    })),
    files: shownRows.flatMap((row) => toRow(row, shown) ?? []),
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
  model: Searchable,
  query: Pick<NetworkQuery, 'hostname' | 'text' | 'prefix'>,
): Generator<IndexedFile, void> {
  const { hostname, text = '', prefix = '' } = query;
  const words = queryWords(text);
  const found = words.length === 0 ? undefined : findWords(model, words);
  const files = found?.sort(compareFiles) ?? model.files();
  const isAll = words.length === 0 || found !== undefined;
  const rest = new Map<IndexedHost, readonly string[]>();
  for (let index = firstBelow(files, prefix); index < files.length; index += 1) {
    const file = files[index];
    if (file?.name.startsWith(prefix) !== true) return;
    if (hostname !== undefined && file.host.hostname !== hostname) continue;
    if (isAll || matches(file, words, rest)) yield file;
  }
}

/** Files with all words in them or their owners, in any order; undefined when they are many. */
function findWords(model: Searchable, words: readonly string[]): IndexedFile[] | undefined {
  const found: IndexedFile[] = [];
  for (const host of model.hosts.values()) {
    if (!host.isShown) continue;
    const rest = wordsBeyondOwner(words, host);
    const indices = rest.length === 0 ? host.list.keys() : host.text.find(rest, 0);
    for (const index of indices) {
      const file = index === undefined ? undefined : host.list[index];
      if (file === undefined || file.isGone) continue;
      if (found.push(file) > MAX_FOUND) return undefined;
    }
  }
  return found;
}

function matches(
  { host, name }: IndexedFile,
  words: readonly string[],
  rest: Map<IndexedHost, readonly string[]>,
): boolean {
  let needed = rest.get(host);
  if (needed === undefined) {
    needed = wordsBeyondOwner(words, host);
    rest.set(host, needed);
  }
  const folded = needed.length === 0 ? name : foldText(name);
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

/** The row of those who may be shown with the same content, or undefined when nobody may. */
function toRow(files: readonly IndexedFile[], shown: Shown): NetworkRow | undefined {
  const known = files.slice(0, MAX_ROW_SOURCES).flatMap(({ name, file, host }) => {
    const network = shown(toNetworkFile(name, file, host));
    return network === undefined ? [] : [{ network, host }];
  });
  const [first] = known;
  if (first === undefined) return undefined;
  const { hostname: _, displayName: __, ...row } = first.network;
  const sources = known
    .filter(({ network }) => network.contentId === row.contentId)
    .map(({ host }) => ({
      hostname: host.hostname,
      displayName: host.displayName,
      state: host.facts.awayMs === undefined ? ('online' as const) : ('away' as const),
    }));
  return { ...row, sources };
}
