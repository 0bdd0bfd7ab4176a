import type * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';

/**
 * The engine reads and writes files of this computer: not those of a virtual workspace, of a commit or
 * of an output channel, which only the editor knows.
 * @throws NOT_ON_DISK.
 */
export function assertOnDisk(uri: vscode.Uri): void {
  if (uri.scheme === 'file') return;
  const path = uri.path.split('/').at(-1) ?? '';
  throw new PeershelfError('NOT_ON_DISK', `${uri.toString()} is not on a disk`, {
    ...(path !== '' && { details: { path } }),
  });
}
