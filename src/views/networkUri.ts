import * as vscode from 'vscode';
import type { FileComparison } from '../peer/peerApi';

/** Nobody provides files of this scheme: it is for icons, and for the decorations of rows. */
export const NETWORK_SCHEME = 'peershelf-icon';

/** What decorates the row of a network file. */
export interface RowState {
  readonly mark?: FileComparison | undefined;
  readonly isAway?: boolean;
}

/**
 * What the icon and the decorations of a row are chosen by. Only the last part of the name: `Uri` throws
 * for a path that begins with two slashes, and one bad name would empty the whole list.
 */
export function networkUri(name: string, { mark, isAway = false }: RowState): vscode.Uri {
  const base = name.split(/[\\/]/u).at(-1) ?? '';
  const path = `/${base.replace(/\p{Surrogate}/gu, '_')}`;
  const query = [...(isAway ? ['away'] : []), ...(mark === undefined ? [] : [mark])].join('&');
  return vscode.Uri.from({ scheme: NETWORK_SCHEME, path, query });
}

/** What `networkUri` was told, or undefined for another address. */
export function parseNetworkUri({ scheme, query }: vscode.Uri): RowState | undefined {
  if (scheme !== NETWORK_SCHEME) return undefined;
  const words = query.split('&');
  const marks: readonly FileComparison[] = ['new', 'same', 'different', 'sameSize', 'unread'];
  return { isAway: words.includes('away'), mark: marks.find((mark) => words.includes(mark)) };
}
