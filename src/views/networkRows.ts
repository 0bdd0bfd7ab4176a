import type { NetworkFolderPage, NetworkPeer, NetworkRow } from '../peer/peerApi';
import type { FileNode, FolderNode, MoreNode, ParentNode, PeerNode } from './networkNodes';

/** Each `MoreNode` that is pressed shows so many more: VS Code sends all siblings again on a change. */
export const PAGE_SIZE = 500;
/** Rows below one node, at most: what lies behind them is found by a filter. */
const MAX_ROWS = 5_000;
/** With more peers than this, they are folded at first: each that is unfolded is kept up to date. */
const MAX_OPEN_PEERS = 20;
/** What a filter leaves is unfolded at first when it is no more than this. */
const MAX_OPEN_FILES = 100;
/** Ages are told with some delay: a time that moves by less than this has not changed. */
const SAME_TIME_MS = 5_000;

/** What the rows below one node are made of, as the engine told it. */
export type Listing =
  | { readonly kind: 'peers'; readonly peers: readonly NetworkPeer[]; readonly total: number }
  | ({ readonly kind: 'folder' } & NetworkFolderPage);

/** A row as it should be; `update` brings what it shows to a row that is there already. */
export type Row = PeerNode | FolderNode | FileNode | MoreNode;

export interface RowContext {
  readonly parent: ParentNode | undefined;
  /** Whose files; undefined for everybody's. */
  readonly hostname: string | undefined;
  readonly prefix: string;
  readonly isFiltered: boolean;
  /** Rows that are asked for. */
  readonly limit: number;
  readonly nowMs: number;
}

/** The rows of a listing, with one for what is left out. */
export function toRows(listing: Listing, context: RowContext): Row[] {
  const rows = listing.kind === 'peers' ? peerRows(listing, context) : folderRows(listing, context);
  const left = listing.total - context.limit;
  return left > 0 ? [...rows, moreRow(left, context)] : rows;
}

/** Brings what `fresh` shows to `row`, which stands for the same. */
export function updateRow(row: Row, fresh: Row): void {
  if (row.kind === 'peer' && fresh.kind === 'peer') {
    row.peer = fresh.peer;
    row.sinceMs = steady(row.sinceMs, fresh.sinceMs);
  } else if (row.kind === 'folder' && fresh.kind === 'folder') row.folder = fresh.folder;
  else if (row.kind === 'more' && fresh.kind === 'more') {
    row.left = fresh.left;
    row.canGrow = fresh.canGrow;
  } else if (row.kind === 'file' && fresh.kind === 'file') {
    const { sizeBytes, contentId, clashes } = row.file;
    const isSame = sizeBytes === fresh.file.sizeBytes && contentId === fresh.file.contentId;
    // Among others of its name, it has another place.
    if (!isSame || clashes !== fresh.file.clashes) row.mark = undefined;
    row.file = fresh.file;
    row.sources = fresh.sources;
    row.awaySinceMs =
      row.awaySinceMs === undefined || fresh.awaySinceMs === undefined
        ? fresh.awaySinceMs
        : steady(row.awaySinceMs, fresh.awaySinceMs);
  }
}

function steady(beforeMs: number, afterMs: number): number {
  return Math.abs(afterMs - beforeMs) < SAME_TIME_MS ? beforeMs : afterMs;
}

function peerRows(
  { peers, total }: Listing & { kind: 'peers' },
  { isFiltered, nowMs }: RowContext,
): PeerNode[] {
  const files = peers.reduce((sum, { fileCount }) => sum + fileCount, 0);
  const isOpen = isFiltered ? files <= MAX_OPEN_FILES : total <= MAX_OPEN_PEERS;
  return peers.map((peer) => ({
    kind: 'peer',
    id: idOf(isFiltered, 'peer', peer.hostname),
    parent: undefined,
    sinceMs: nowMs - peer.sinceAgeMs,
    ...{ peer, isOpen },
  }));
}

function folderRows(
  { folders, files }: Listing & { kind: 'folder' },
  { parent, hostname, prefix, isFiltered, nowMs }: RowContext,
): (FolderNode | FileNode)[] {
  const count = folders.reduce((sum, { fileCount }) => sum + fileCount, files.length);
  const isOpen = isFiltered && count <= MAX_OPEN_FILES;
  const inFolders = folders.map((folder): FolderNode => ({
    kind: 'folder',
    id: idOf(isFiltered, 'folder', hostname ?? null, folder.prefix),
    ...{ parent, hostname, folder, isOpen },
  }));
  const here = files.map((row) => fileRow(row, { parent, prefix, nowMs }));
  return [...inFolders, ...here];
}

function fileRow(
  row: NetworkRow,
  { parent, prefix, nowMs }: Pick<RowContext, 'parent' | 'prefix' | 'nowMs'>,
): FileNode {
  const { sources, ...offered } = row;
  const ofPeer = parent !== undefined && hostnameOf(parent) !== undefined;
  const best = bestSource(sources);
  const { state: _, awayForMs, ...owner } = best;
  // A host is a source of one content only under each name.
  const first = sources[0]?.hostname ?? '';
  return {
    kind: 'file',
    id: JSON.stringify([ofPeer ? 'file' : 'row', first, row.name]),
    parent,
    label: row.name.slice(prefix.length) || row.name,
    file: { ...offered, ...owner },
    sources,
    awaySinceMs: awayForMs === undefined ? undefined : nowMs - awayForMs,
    mark: undefined,
  };
}

/** Somebody who is here, else who was here last. */
function bestSource(sources: NetworkRow['sources']): NetworkRow['sources'][number] {
  const byAge = [...sources].sort((one, other) => (one.awayForMs ?? -1) - (other.awayForMs ?? -1));
  return byAge[0] ?? { hostname: '', displayName: '', state: 'away' };
}

function moreRow(left: number, { parent, limit }: RowContext): MoreNode {
  const id = JSON.stringify(['more', parent?.id ?? '']);
  return { kind: 'more', id, parent, left, canGrow: limit < MAX_ROWS };
}

/** Whose files lie below a node; undefined for everybody's. */
export function hostnameOf(node: ParentNode): string | undefined {
  return node.kind === 'peer' ? node.peer.hostname : node.hostname;
}

/**
 * Not joined by a space: two hosts could choose names that come out the same. What a filter leaves has
 * ids of its own, as VS Code keeps by them what is unfolded.
 */
function idOf(isFiltered: boolean, ...parts: (string | null)[]): string {
  return JSON.stringify(isFiltered ? ['filter', ...parts] : parts);
}
