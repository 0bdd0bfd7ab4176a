import * as vscode from 'vscode';
import type { PreviewRequest } from '../peer/peerApi';
import { BIDI_CONTROL, publishedNameProblem } from '../protocol/names';

/** Files of others that are looked at without being fetched. */
export const REMOTE_SCHEME = 'peershelf';

/** Stands for the content id of a publisher of version 1, which has none. */
const NO_CONTENT = 'content';

/**
 * `peershelf:/OWNER/CONTENT/NAME?SIZE`: the same content of the same owner always has the same
 * address, and another content another one, so that what an editor shows never changes below it.
 */
export function toRemoteUri({ hostname, name, contentId, sizeBytes }: PreviewRequest): vscode.Uri {
  // A dot alone would be taken for a folder.
  const owner = encodeURIComponent(hostname).replaceAll('.', '%2E');
  const path = ['', owner, contentId ?? NO_CONTENT, name].join('/');
  return vscode.Uri.from({ scheme: REMOTE_SCHEME, path, query: `${sizeBytes}` });
}

/** What such an address means; undefined for anything else. Links to it may come from anywhere. */
export function parseRemoteUri({ scheme, path, query }: vscode.Uri): PreviewRequest | undefined {
  const [, owner, content, name] = /^\/([^/]+)\/([^/]+)\/(.+)$/su.exec(path) ?? [];
  if (scheme !== REMOTE_SCHEME || !/^\d{1,16}$/u.test(query)) return undefined;
  if (owner === undefined || content === undefined || name === undefined) return undefined;
  const hostname = decode(owner);
  if (hostname === undefined) return undefined;
  // A name that nobody can publish is made to mislead whoever reads it.
  if (publishedNameProblem(name) !== undefined || BIDI_CONTROL.test(hostname)) return undefined;
  const contentId = content === NO_CONTENT ? undefined : content;
  if (contentId !== undefined && contentId !== `${contentId.slice(0, 64)}-${query}`)
    return undefined;
  return { hostname, name, contentId, sizeBytes: Number(query) };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // Not written by us.
  }
}
