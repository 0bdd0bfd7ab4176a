import type {
  FileComparison,
  NetworkFile,
  NetworkFolder,
  NetworkPeer,
  NetworkRow,
} from '../peer/peerApi';

/** How Network Files puts its rows together. */
export type Grouping = 'peer' | 'folder';

/** A row stays the same object, with the same id, as long as it stands for the same thing. */
interface NodeBase {
  readonly id: string;
  readonly parent: ParentNode | undefined;
}

export interface PeerNode extends NodeBase {
  readonly kind: 'peer';
  peer: NetworkPeer;
  /** When its state began, by the clock of the wall. */
  sinceMs: number;
  /** Whether it is unfolded at first. */
  isOpen: boolean;
}

export interface FolderNode extends NodeBase {
  readonly kind: 'folder';
  /** Whose folder; undefined for what everybody has in it. */
  readonly hostname: string | undefined;
  folder: NetworkFolder;
  isOpen: boolean;
}

/** One content under one name. */
export interface FileNode extends NodeBase {
  readonly kind: 'file';
  /** The last part of the name. */
  readonly label: string;
  /** As offered by whoever is best asked. */
  file: NetworkFile;
  sources: NetworkRow['sources'];
  /** Since when nobody is here who has it, by the clock of the wall; undefined when somebody is. */
  awaySinceMs: number | undefined;
  /** How this workspace's file compares, as far as that is known. */
  mark: FileComparison | undefined;
}

/** What is left out below its parent. */
export interface MoreNode extends NodeBase {
  readonly kind: 'more';
  left: number;
  /** Whether more can be shown; there is an end, where only a filter helps. */
  canGrow: boolean;
}

export type ParentNode = PeerNode | FolderNode;
export type NetworkNode = ParentNode | FileNode | MoreNode;

/** How many files lie below a row; undefined for one that has none below it. */
export function countOf(node: NetworkNode): number | undefined {
  if (node.kind === 'peer') return node.peer.fileCount;
  return node.kind === 'folder' ? node.folder.fileCount : undefined;
}

/**
 * What a row shows, as text, but for the count of what is below it: rows that show the same need not be
 * drawn again.
 */
export function appearanceOf(node: NetworkNode): string {
  switch (node.kind) {
    case 'peer': {
      const { displayName, address, state, identity, looksAlike } = node.peer;
      return JSON.stringify([displayName, address, state, node.sinceMs, identity, looksAlike]);
    }
    case 'folder':
      return '';
    case 'file': {
      const sources = node.sources.map((source) => {
        const { hostname, displayName, state, identity, looksAlike } = source;
        return [hostname, displayName, state, identity, looksAlike];
      });
      return JSON.stringify([node.file, sources, node.awaySinceMs, node.mark]);
    }
    case 'more':
      return `${node.left} ${node.canGrow}`;
  }
}

/** The rows from the top down to this one, itself included. */
export function pathOf(node: NetworkNode): NetworkNode[] {
  return node.parent === undefined ? [node] : [...pathOf(node.parent), node];
}
