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
  SecretKind,
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
  /** Kinds of secrets that the user has agreed to offer under this name. */
  consentOf(name: string): readonly SecretKind[];
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
    const secrets = found.files.flatMap((file) => {
      const kind = this.unanswered(file);
      return kind === undefined ? [] : [{ name: file.name, kind }];
    });
    return {
      id,
      files: found.files.length,
      totalBytes: found.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      names: namesOf(found.files),
      secrets: secrets.length,
      consented: found.files.filter((file) => file.secrets.length > 0).length - secrets.length,
      firstSecrets: secrets.slice(0, MAX_NAMES),
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
    // Consent goes no further than the question did: a secret that came into a file since is refused.
    const files = wanted.map(({ secrets, ...file }) => ({
      ...file,
      forSession,
      consent: wish.withSecrets ? secrets : [],
    }));
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
    const isWanted = (file: FoundFile): boolean =>
      withSecrets || this.unanswered(file) === undefined;
    return { files: files.filter(isWanted), failures };
  }

  /** The first reason against a file that the user was not asked about yet. */
  private unanswered({ name, secrets }: FoundFile): SecretKind | undefined {
    if (secrets.length === 0) return undefined;
    const consent = this.dependencies.consentOf(name);
    return secrets.find((kind) => !consent.includes(kind));
  }
}

function namesOf(files: readonly FoundFile[]): string[] {
  return files.slice(0, MAX_NAMES).map(({ name }) => name);
}
