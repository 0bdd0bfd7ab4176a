import type { Clock } from '../../../common/clock';
import type { Logger } from '../../../common/logger';
import type { SharedBudget } from '../../../common/sharedBudget';
import type { ContentId } from '../../../protocol/contentId';
import type { SignedText } from '../../../protocol/signedText';
import type { CatalogueEntry } from '../../catalogue/catalogue';
import type { RateLimiter } from '../rateLimiter';
import type { UploadBlocks } from '../uploadBlocks';
import type { FairQueue } from './fairQueue';
import type { Uploads } from './uploads';

/** What is offered at this moment. */
export interface Offer {
  /** The entry of a currently published name. Nothing else is ever served. */
  readonly find: (name: string) => CatalogueEntry | undefined;
  /**
   * In a team session: gives what this peer has signed of a name, a withdrawal included, or undefined
   * when it knows nothing of it.
   */
  readonly signatures?: () => ((name: string) => SignedText | undefined) | undefined;
  /** A currently published entry with this content. */
  readonly findContent: (id: ContentId) => CatalogueEntry | undefined;
  /** Hashes of the pieces of an entry's content, if it has more than one. */
  readonly layerOf: (entry: CatalogueEntry) => Buffer | undefined | Promise<Buffer | undefined>;
  /** The file behind a published name was looked at, and may turn out to be gone or different. */
  readonly onSeen: (entry: CatalogueEntry) => void;
}

/** What all conversations of one port share. */
export interface ServingContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly offer: Offer;
  /** Unfinished requests of all connections. */
  readonly input: SharedBudget;
  readonly uploads: Uploads;
  readonly blocks: UploadBlocks;
  readonly queue: FairQueue;
  readonly limiter: RateLimiter;
  /** A reader that takes nothing for this long is given up. */
  readonly slowReaderMs: number;
}
