import { join } from 'node:path';
import type { Clock } from '../common/clock';
import { describeError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import { Downloads, type DownloadsDependencies } from './downloads';
import { RepositoryGuard } from './fetch/repositoryGuard';
import type { HashCache } from './hash/hashCache';
import type { EngineOptions } from './peerApi';
import { Fetcher, type FetcherDependencies } from './transfer/fetcher';
import { FolderFetcher } from './transfer/folder/folderFetcher';
import { Leftovers } from './transfer/leftovers';
import { ContentFetcher, type ContentFetcherDependencies } from './transfer/pieces/contentFetcher';
import { Offers, type OffersDependencies } from './transfer/offers';
import { RateLimiter } from './transfer/rateLimiter';
import { exchangeStatements } from './team/exchangeStatements';
import { SourceDialer } from './transfer/sourceDialer';
import type { SecuritySource } from './transfer/transferSecurity';

export interface FetchersDependencies
  extends
    Pick<ContentFetcherDependencies, 'pool' | 'hasher' | 'layers'>,
    Pick<FetcherDependencies, 'transfers' | 'locate' | 'stallMs'>,
    Pick<OffersDependencies, 'entryTrust'>,
    Pick<DownloadsDependencies, 'session' | 'client' | 'awayForMs' | 'labelled'> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cache: HashCache;
  readonly security: SecuritySource;
  /** All downloads together; 0 is no limit. */
  readonly maxBytesPerSecond: () => number;
}

/** What fetches, with what it shares; what a crash has left of earlier fetches is removed. */
export function createFetchers(
  dependencies: FetchersDependencies,
  { storageFolder, windowId }: Pick<EngineOptions, 'storageFolder' | 'windowId'>,
): {
  readonly fetcher: Fetcher;
  readonly folders: FolderFetcher;
  readonly downloads: Downloads;
  readonly dialer: SourceDialer;
} {
  const { clock, pool, hasher, layers, cache, transfers, locate, stallMs } = dependencies;
  const logger = dependencies.logger.child('fetch');
  const leftovers = new Leftovers(
    { folder: join(storageFolder, 'leftovers'), windowId, clock },
    dependencies.logger,
  );
  leftovers.sweep();
  const downloadLimiter = new RateLimiter(clock, dependencies.maxBytesPerSecond);
  const dialer: SourceDialer = new SourceDialer(
    clock,
    dependencies.security,
    (source, statements) =>
      exchangeStatements(statements, { dialer, source, clock }).then(
        () => true,
        (error: unknown) => {
          logger.debug(`statements: ${describeError(error)}`);
          // Of another epoch: it has read the statement before it said that.
          return PeershelfError.is(error, 'NOT_A_MEMBER');
        },
      ),
  );
  const saveHashes = (): void => hasher.save();
  const common = { clock, logger, leftovers, stallMs, dialer, saveHashes };
  const contents = new ContentFetcher({
    ...{ ...common, pool, hasher, layers, downloadLimiter },
    localCopies: (id) => cache.pathsOf(id),
  });
  const offers = new Offers({ clock, dialer, stallMs, entryTrust: dependencies.entryTrust });
  const repositories = new RepositoryGuard();
  const fetcher = new Fetcher({ ...common, transfers, contents, locate, repositories });
  const folders = new FolderFetcher({
    ...{ ...common, transfers, pool, hasher, downloadLimiter, fetcher, offers, repositories },
  });
  const { session, client, awayForMs, labelled } = dependencies;
  const downloads = new Downloads({
    ...{ session, client, awayForMs, labelled, offers, fetcher, folders },
  });
  return { fetcher, folders, downloads, dialer };
}
