import { randomUUID } from 'node:crypto';
import { PeershelfError, type PlainError, toPlainError } from '../../common/errors';
import type {
  CallOptions,
  DuplicateSummary,
  FetchOptions,
  FileDuplicates,
  FileSelection,
  FindFilesRequest,
  PublishedFile,
  PublishOutcome,
  PublishRequest,
  PublishSummary,
  SelectionWish,
} from '../peerApi';
import { findFiles, type FoundFile, type FoundFiles } from './fileFinder';

/** Each waits for an answer of the user; who asks for more has forgotten about the first ones. */
const MAX_SELECTIONS = 8;
/** Names that a question may spell out. */
const MAX_NAMES = 20;
/** Failures that are told one by one; the others are counted. */
const MAX_TOLD_FAILURES = 1_000;
/** Duplicates that a question may spell out. */
const MAX_TOLD_DUPLICATES = 10;

export interface SelectionsDependencies {
  publish(request: PublishRequest, options: FetchOptions): Promise<PublishOutcome[]>;
  findDuplicates(request: PublishRequest, options: FetchOptions): Promise<FileDuplicates[]>;
  published(): readonly PublishedFile[];
  /** Folders with data of this product, of which nothing is offered. */
  readonly ownFolders: readonly string[];
}

/**
 * Files that were chosen to be published, kept here while the user is asked about them: there may be a
 * hundred thousand, of which the editor needs to know a few.
 */
export class Selections {
  private readonly kept = new Map<string, FoundFiles>();

  constructor(private readonly dependencies: SelectionsDependencies) {}

  /** As `PeerApi.findFiles`. */
  async find(request: FindFilesRequest, { signal }: CallOptions): Promise<FileSelection> {
    const found = await findFiles(request, signal, this.dependencies.ownFolders);
    const id = randomUUID();
    this.kept.set(id, found);
    for (const old of [...this.kept.keys()].slice(0, -MAX_SELECTIONS)) this.kept.delete(old);
    const secrets = found.files.filter(({ isSecret }) => isSecret);
    return {
      id,
      files: found.files.length,
      totalBytes: found.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      names: namesOf(found.files),
      secrets: secrets.length,
      secretNames: namesOf(secrets),
    };
  }

  /** As `PeerApi.compareSelection`. */
  async compare(wish: SelectionWish, options: FetchOptions): Promise<DuplicateSummary> {
    const { files } = this.wanted(wish);
    const all = await this.dependencies.findDuplicates({ files }, options);
    const duplicates = all.filter(
      ({ sameContent, sameName }) => sameContent.length + sameName.length > 0,
    );
    return {
      files: files.length,
      count: duplicates.length,
      first: duplicates.slice(0, MAX_TOLD_DUPLICATES),
    };
  }

  /** As `PeerApi.publishSelection`. */
  async publish(wish: SelectionWish, options: FetchOptions): Promise<PublishSummary> {
    const { files: wanted, failures } = this.wanted(wish);
    const { forSession, anew } = wish;
    const files = wanted.map((file) => ({ ...file, forSession }));
    const outcomes =
      files.length === 0 ? [] : await this.dependencies.publish({ files, anew }, options);
    this.kept.delete(wish.id);
    const failed: { name: string; error: PlainError }[] = failures.map(({ name, error }) => ({
      name,
      error: toPlainError(error),
    }));
    const published = new Set<string>();
    for (const { name, error } of outcomes)
      if (error === undefined) published.add(name);
      else failed.push({ name, error });
    const isPending = this.dependencies
      .published()
      .some(({ name, state }) => state === 'pending' && published.has(name));
    return {
      published: published.size,
      names: [...published].slice(0, MAX_NAMES),
      isPending,
      failedCount: failed.length,
      failed: failed.slice(0, MAX_TOLD_FAILURES),
    };
  }

  /** @throws LIST_CHANGED when it is not known any more. */
  private wanted({ id, withSecrets }: SelectionWish): FoundFiles {
    const found = this.kept.get(id);
    if (found === undefined) throw new PeershelfError('LIST_CHANGED', `no selection ${id}`);
    const { files, failures } = found;
    return { files: withSecrets ? files : files.filter(({ isSecret }) => !isSecret), failures };
  }
}

function namesOf(files: readonly FoundFile[]): string[] {
  return files.slice(0, MAX_NAMES).map(({ name }) => name);
}
