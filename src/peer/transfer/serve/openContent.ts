import { describeError, PeershelfError } from '../../../common/errors';
import type { CatalogueEntry } from '../../catalogue/catalogue';
import { PublishedSource } from '../publishedSource';
import type { ProblemCode } from './problems';
import type { ServingContext } from './servingContext';

/** The file of an entry, certain to be as it was published; or why it cannot be had. */
export function openContent(
  entry: CatalogueEntry,
  context: ServingContext,
): PublishedSource | ProblemCode {
  let source: PublishedSource;
  try {
    source = PublishedSource.open(entry);
  } catch (error) {
    if (PeershelfError.is(error, 'FILE_CHANGED')) return noteTrouble(entry, 'changed', context);
    return troubleWith(entry, error, context);
  }
  if (source.isAsPublished(entry) && source.sizeBytes === entry.contentId?.sizeBytes) return source;
  source.close();
  return noteTrouble(entry, 'changed', context);
}

/** The code for a failure to read the file of an entry. */
export function troubleWith(
  entry: CatalogueEntry,
  error: unknown,
  context: ServingContext,
): ProblemCode {
  context.logger.warn(`${entry.name}: ${describeError(error)}`);
  const code = PeershelfError.is(error, 'FILE_GONE') ? 'gone' : 'unreadable';
  return noteTrouble(entry, code, context);
}

/** What is shown of a published file follows what its readers meet. */
export function noteTrouble(
  entry: CatalogueEntry,
  code: ProblemCode,
  { offer }: ServingContext,
): ProblemCode {
  offer.onSeen(entry);
  return code;
}
