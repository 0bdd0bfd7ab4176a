import { isSameOffer } from '../../common/offers';
import { foldText, queryWords, wordsBeyondOwner } from '../../common/searchText';
import { formatContentId } from '../../protocol/contentId';
import type { NamedHost } from '../../protocol/hostLabel';
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
import { countNames, type FileOrder, type FilesInOrder, NO_FILES } from './fileOrder';
import { toNetworkFile } from './networkFiles';
import { compare, compareFiles, type IndexedFile, type IndexedHost } from './networkModel';

/** Most rows of one page of a folder: what VS Code shows at once below one node. */
export const MAX_FOLDER_ROWS = 500;

/** More are not put in order: then it is faster to look at all files in their order. */
const MAX_FOUND = 5_000;

/** Of texts, no code unit comes behind it. */
const LAST_UNIT = 0xffff;

/** Files of a page that may not be shown, before it ends: a hostile tracker lists many. */
const MAX_HIDDEN = 1_000;
/** Sources of one row that are looked at: each may cost a signature. */
const MAX_ROW_SOURCES = 16;
/** Files of one name that are looked at for one that is another. */
const MAX_NAMESAKES = 32;

/** What is searched: all files in order, and by host. */
export interface Searchable {
  readonly hosts: ReadonlyMap<string, IndexedHost>;
  readonly order: FileOrder;
  whose(host: IndexedHost): NamedHost;
}

/** A file as it may be shown, if it may; asked only for what somebody looks at. */
export type Shown = (file: ListedNetworkFile) => NetworkFile | undefined;

/** Files that match, in order: those from `start` to before `end`. */
interface Matching extends FilesInOrder {
  readonly start: number;
  readonly end: number;
}

/** Files that match, by name. */
export function findFiles(model: Searchable, query: NetworkQuery, shown: Shown): NetworkPage {
  const { limit, offset = 0 } = query;
  const { files, start, end } = matching(model, query);
  const page: NetworkFile[] = [];
  let total = 0;
  let hidden = 0;
  for (let index = start; index < end; index += 1) {
    const entry = files[index];
    if (entry === undefined || page.length >= limit || hidden >= MAX_HIDDEN)
      return { files: page, total: total + end - index };
    if (total >= offset) {
      const network = shown(toNetworkFile(entry.name, entry.file, model.whose(entry.host)));
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

/** How many files match, of each host with at least one. */
export function countByHost(model: Searchable, text: string): Map<IndexedHost, number> {
  const counts = new Map<IndexedHost, number>();
  const { files } = matching(model, { text });
  for (const { host } of files) counts.set(host, (counts.get(host) ?? 0) + 1);
  return counts;
}

/**
 * Contents that match, by name: what several hosts offer under one name is one row.
 * @param nowMs by the clock that only grows.
 */
export function findRows(
  model: Searchable,
  query: NetworkQuery,
  shown: Shown,
  nowMs: number,
): NetworkRowPage {
  const { limit, offset = 0 } = query;
  const { files, start, end } = matching(model, query);
  const found: NetworkRow[] = [];
  let total = 0;
  let hidden = 0;
  for (let index = start, next: number; index < end; index = next) {
    next = endOfName(files, index, end);
    const rows: IndexedFile[][] = [];
    addRows(rows, files.slice(index, next));
    for (const row of rows) {
      const isForPage = total >= offset && found.length < limit && hidden < MAX_HIDDEN;
      const shownRow = isForPage ? toRow(model, row, shown, nowMs) : undefined;
      if (shownRow !== undefined) found.push(shownRow);
      if (isForPage && shownRow === undefined) hidden += 1;
      else total += 1;
    }
  }
  return { rows: found, total };
}

/**
 * Folders and files directly in a folder, by name.
 * @param nowMs by the clock that only grows.
 */
export function listFolder(
  model: Searchable,
  query: FolderQuery,
  shown: Shown,
  nowMs: number,
): NetworkFolderPage {
  const { prefix, limit = MAX_FOLDER_ROWS, offset = 0 } = query;
  const { folders, rows } = divide(matching(model, query), prefix);
  const end = offset + Math.min(limit, MAX_FOLDER_ROWS);
  const shownRows = rows.slice(
    Math.max(0, offset - folders.length),
    Math.max(0, end - folders.length),
  );
  return {
    folders: folders.slice(offset, end),
    files: shownRows.flatMap((row) => toRow(model, row, shown, nowMs) ?? []),
    total: folders.length + rows.length,
  };
}

/** What lies in a folder: in order of names, what is in one folder below it stands together. */
function divide(
  { files, start, end, names }: Matching,
  prefix: string,
): { readonly folders: NetworkFolder[]; readonly rows: IndexedFile[][] } {
  const folders: NetworkFolder[] = [];
  const rows: IndexedFile[][] = [];
  for (let index = start, next: number; index < end; index = next) {
    const name = files[index]?.name ?? '';
    const slash = name.indexOf('/', prefix.length);
    if (slash === -1) {
      next = endOfName(files, index, end);
      addRows(rows, files.slice(index, next));
    } else {
      const path = name.slice(0, slash + 1);
      next = firstAt(files, afterAll(path), [index, end]);
      const fileCount = names(index, next);
      folders.push({ name: path.slice(prefix.length, -1), prefix: path, fileCount });
    }
  }
  return { folders, rows };
}

/** Where the files end that have the same name as the one at `index`. */
function endOfName(files: readonly IndexedFile[], index: number, end: number): number {
  const name = files[index]?.name;
  let next = index + 1;
  while (next < end && files[next]?.name === name) next += 1;
  return next;
}

/** Equal content under one name is one row. */
function addRows(rows: IndexedFile[][], sameName: readonly IndexedFile[]): void {
  if (sameName.length === 1) {
    rows.push([...sameName]);
    return;
  }
  const byContent = new Map<string, IndexedFile[]>();
  for (const file of sameName) {
    const { contentId } = file.file;
    const id = contentId === undefined ? undefined : formatContentId(contentId);
    const row = id === undefined ? undefined : byContent.get(id);
    if (row !== undefined) {
      row.push(file);
      continue;
    }
    const own = [file];
    rows.push(own);
    if (id !== undefined) byContent.set(id, own);
  }
}

function matching(
  model: Searchable,
  { hostname, text = '', prefix = '' }: Pick<NetworkQuery, 'hostname' | 'text' | 'prefix'>,
): Matching {
  const host = hostname === undefined ? undefined : model.hosts.get(hostname);
  if (hostname !== undefined && host === undefined) return { ...NO_FILES, start: 0, end: 0 };
  const words = queryWords(text);
  const found = words.length === 0 ? undefined : findWords(model, words, host);
  if (found !== undefined) return within(countNames(found.sort(compareFiles)), prefix);
  const order = within(host === undefined ? model.order.ofAll() : model.order.of(host), prefix);
  if (words.length === 0) return order;
  const rest = new Map<IndexedHost, readonly string[]>();
  const files = order.files.slice(order.start, order.end);
  return within(countNames(files.filter((file) => matches(file, words, rest))), prefix);
}

/** Those whose names begin with `prefix`. */
function within({ files, names }: FilesInOrder, prefix: string): Matching {
  const start = firstAt(files, prefix, [0, files.length]);
  return { files, names, start, end: firstAt(files, afterAll(prefix), [start, files.length]) };
}

/** Files with all words in them or their owners, in any order; undefined when they are many. */
function findWords(
  model: Searchable,
  words: readonly string[],
  only: IndexedHost | undefined,
): IndexedFile[] | undefined {
  const found: IndexedFile[] = [];
  for (const host of only === undefined ? model.hosts.values() : [only]) {
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

/** The first text behind all that begin with `prefix`, by code unit; undefined when there is none. */
function afterAll(prefix: string): string | undefined {
  if (prefix === '') return undefined;
  const last = prefix.charCodeAt(prefix.length - 1);
  const before = prefix.slice(0, -1);
  return last === LAST_UNIT ? afterAll(before) : before + String.fromCharCode(last + 1);
}

/** Where the first name from `start` to `end` stands that is not before `name`; no name is the last. */
function firstAt(
  files: readonly IndexedFile[],
  name: string | undefined,
  [start, end]: readonly [number, number],
): number {
  if (name === undefined) return end;
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(files[middle]?.name ?? '', name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The row of those who may be shown with the same content, or undefined when nobody may. */
function toRow(
  model: Searchable,
  files: readonly IndexedFile[],
  shown: Shown,
  nowMs: number,
): NetworkRow | undefined {
  const known = files.slice(0, MAX_ROW_SOURCES).flatMap(({ name, file, host }) => {
    const network = shown(toNetworkFile(name, file, model.whose(host)));
    return network === undefined ? [] : [{ network, host }];
  });
  const [first] = known;
  if (first === undefined) return undefined;
  const row = withoutOwner(first.network);
  const sources = known
    .filter(({ network }) => network.contentId === row.contentId)
    .map(({ host }) => {
      const owner = model.whose(host);
      const awayForMs = awayFor(host, nowMs);
      return awayForMs === undefined
        ? { ...owner, state: 'online' as const }
        : { ...owner, state: 'away' as const, awayForMs };
    });
  const others = othersNamed(model, row.name, shown);
  const isOther = (other: NetworkFile): boolean =>
    !isSameOffer(other, row) && sources.every(({ hostname }) => hostname !== other.hostname);
  return { ...row, sources, ...(others.some(isOther) && { clashes: true }) };
}

/** The content that a row is about, whoever has it. */
function withoutOwner(file: NetworkFile): Omit<NetworkRow, 'sources'> {
  const { hostname: _, displayName: __, identity: ___, looksAlike: ____, ...content } = file;
  return content;
}

/** What is offered under a name of which there are several, whoever is asked for. */
function othersNamed(model: Searchable, name: string, shown: Shown): NetworkFile[] {
  const { files } = model.order.ofAll();
  const start = firstAt(files, name, [0, files.length]);
  const end = Math.min(endOfName(files, start, files.length), start + MAX_NAMESAKES);
  if (end - start < 2) return [];
  return files
    .slice(start, end)
    .flatMap(({ file, host }) => shown(toNetworkFile(name, file, model.whose(host))) ?? []);
}

/** How long a host has been away, or undefined when it is not. @param nowMs by the clock that only grows. */
export function awayFor({ facts, toldMs }: IndexedHost, nowMs: number): number | undefined {
  return facts.awayMs === undefined ? undefined : Math.max(0, nowMs - toldMs + facts.awayMs);
}
