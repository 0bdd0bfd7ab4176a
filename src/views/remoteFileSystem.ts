import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { describeError, type ErrorCode, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { Engine } from '../editor/engine';
import { errorMessage, severityOf } from '../editor/errorMessages';
import { notify } from '../editor/notifier';
import { parseRemoteUri, REMOTE_SCHEME } from '../editor/remoteUri';
import { MAX_PREVIEW_BYTES, type PreviewRequest } from '../peer/peerApi';

/** A window that is loaded again reads its tabs before it is connected. */
const SILENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CANCELLED',
  'NOT_CONNECTED',
  'SESSION_CHANGED',
]);

const NO_CHANGES = new vscode.Disposable(() => undefined);

/**
 * `peershelf:` addresses as read-only files: what others offer, opened without being fetched. An
 * address means one content, so nothing below it ever changes.
 */
export class RemoteFileSystem implements vscode.FileSystemProvider {
  readonly onDidChangeFile = (): vscode.Disposable => NO_CHANGES;

  constructor(
    private readonly engine: Engine,
    private readonly logger: Logger,
  ) {}

  register(): vscode.Disposable {
    return vscode.workspace.registerFileSystemProvider(REMOTE_SCHEME, this, {
      isReadonly: true,
      isCaseSensitive: true,
    });
  }

  watch(): vscode.Disposable {
    return NO_CHANGES;
  }

  stat(uri: vscode.Uri): vscode.FileStat {
    const { sizeBytes } = requestOf(uri);
    const permissions = vscode.FilePermission.Readonly;
    return { type: vscode.FileType.File, ctime: 0, mtime: 0, size: sizeBytes, permissions };
  }

  /** Fetched and verified, or from the cache of what was opened before. VS Code cannot cancel it. */
  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const request = requestOf(uri);
    if (request.sizeBytes > MAX_PREVIEW_BYTES)
      throw vscode.FileSystemError.Unavailable(
        vscode.l10n.t('This file is too large to be opened without fetching it. Fetch it instead.'),
      );
    try {
      const { path } = await this.engine.calls.preview(request);
      return await readFile(path);
    } catch (error) {
      const failure = PeershelfError.from(error);
      this.logger.warn(`${request.name} cannot be opened: ${describeError(failure)}`);
      const message = errorMessage(failure);
      // The editor itself says no more than that something went wrong.
      if (!SILENT.has(failure.code)) notify(severityOf(failure.code), message);
      throw vscode.FileSystemError.Unavailable(message);
    }
  }

  readDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.FileNotADirectory(uri);
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }
}

function requestOf(uri: vscode.Uri): PreviewRequest {
  const request = parseRemoteUri(uri);
  if (request === undefined) throw vscode.FileSystemError.FileNotFound(uri);
  return request;
}
