import type { FetchRequest, FolderFetchRequest } from '../peerApi';
import type { StartOptions } from './fetcher';
import type { Wish } from './transferHandle';
import type { TransferList } from './transferList';

/** Starts downloads. */
export interface Starter {
  fetch(request: FetchRequest, options: StartOptions): Promise<unknown>;
  fetchFolder(request: FolderFetchRequest, options: StartOptions): Promise<unknown>;
}

/**
 * Starts a download again that has failed, was cancelled, or is of an earlier run; whatever else has this id is passed over.
 * Resolves to the id of the transfer that it is now.
 * @throws what keeps it from being started; what goes wrong later is told by the transfer.
 */
export async function retry(
  transfers: TransferList,
  id: string,
  starter: Starter,
): Promise<string | undefined> {
  const wish = transfers.takeWish(id);
  if (wish === undefined) return undefined;
  try {
    const started = await start(wish, starter);
    transfers.noteStarted(id, true);
    return started;
  } catch (error) {
    transfers.noteStarted(id, false);
    throw error;
  }
}

function start(wish: Wish, starter: Starter): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const options = { onStarted: resolve };
    const run =
      wish.kind === 'file'
        ? starter.fetch(wish.request, options)
        : starter.fetchFolder(wish.request, options);
    // Changes nothing when it has started.
    run.then(() => resolve(undefined), reject);
  });
}
