import { join } from 'node:path';
import { PeershelfError, toPlainError } from '../../../common/errors';
import { type ContentId, formatContentId } from '../../../protocol/contentId';
import type { ListedHost, SourceInfo } from '../../../protocol/controlReplies';
import { toLocalName } from '../../../protocol/names';
import type { FetchResult, FolderFetchRequest } from '../../peerApi';
import type { Progress } from '../throttled';
import type { TransferHandle } from '../transferHandle';
import type { FolderFile } from './folderPlan';

/** Failures that are told one by one; the others are counted. */
const MAX_TOLD_FAILURES = 1_000;

/** One folder that is being fetched. */
export interface FolderJob {
  readonly request: FolderFetchRequest;
  readonly hosts: ReadonlyMap<string, ListedHost>;
  readonly handle: TransferHandle;
  readonly tell: Progress;
  /** Hostnames of those who have ended it: nobody of them is asked again. */
  readonly declinedBy: Set<string>;
}

/** What has become of the files so far. */
export class Tally {
  fetched = 0;
  alreadyThere = 0;
  receivedBytes = 0;
  /** Of the files that are in their places. */
  doneBytes = 0;
  /** Bytes of files that are under way, a few at a time. */
  private readonly moving = new Map<FolderFile, number>();
  failedCount = 0;
  readonly failed: { name: string; error: ReturnType<typeof toPlainError> }[] = [];

  constructor(
    readonly totalBytes: number,
    private readonly job: FolderJob,
  ) {}

  done(file: FolderFile, outcome: FetchResult['outcome']): void {
    if (outcome === 'fetched') this.fetched += 1;
    else this.alreadyThere += 1;
    this.move(file, file.sizeBytes);
    this.moving.delete(file);
    this.doneBytes += file.sizeBytes;
  }

  /** So many bytes of a file are there. */
  move(file: FolderFile, fileBytes: number): void {
    this.moving.set(file, fileBytes);
    const moving = [...this.moving.values()].reduce((sum, bytes) => sum + bytes, 0);
    const bytes = this.doneBytes + moving;
    this.job.handle.setBytes(bytes);
    this.job.tell(bytes, this.totalBytes);
  }

  fail(file: FolderFile, error: unknown): void {
    this.moving.delete(file);
    this.leaveOut(file.name, error, file.contentId);
  }

  /**
   * A file whose turn never came.
   * @param contentId of what was offered: the answer to a question about it is for that alone.
   */
  leaveOut(name: string, cause: unknown, contentId?: ContentId): void {
    this.failedCount += 1;
    if (this.failed.length >= MAX_TOLD_FAILURES) return;
    const error = toPlainError(cause);
    const content = contentId && { contentId: formatContentId(contentId) };
    this.failed.push({ name, error: { ...error, details: { ...error.details, ...content } } });
  }
}

/** The folder that everything must lie in: at least the one that it is fetched to. */
export function limitOf({ folder, destination }: FolderFetchRequest): string {
  return folder ?? destination;
}

/** @throws INVALID_NAME when the name would lead elsewhere. */
export function placeOf({ name }: FolderFile, { request }: FolderJob): string {
  return join(
    request.destination,
    toLocalName(name.slice(request.prefix.length), process.platform),
  );
}

/** The error of a single file says who it was. */
export function noteDeclined(error: unknown, { declinedBy }: FolderJob): void {
  if (!isDeclined(error)) return;
  const { hostname } = error.details;
  if (typeof hostname === 'string') declinedBy.add(hostname);
}

export function isDeclined(error: unknown): error is PeershelfError {
  return PeershelfError.is(error, 'DECLINED');
}

export function declined({ hostname, displayName }: SourceInfo): PeershelfError {
  return new PeershelfError('DECLINED', `${hostname} has ended this transfer`, {
    details: { hostname, displayName },
  });
}
