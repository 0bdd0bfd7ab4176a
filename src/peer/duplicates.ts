import { mapConcurrently } from '../common/concurrency';
import { type ContentId, formatContentId, isSameContent } from '../protocol/contentId';
import type { CatalogueEntry } from './catalogue/catalogue';
import type { TrackerClient } from './control/trackerClient';
import type { FileDuplicates } from './peerApi';

/** Names asked for one by one; with more than that, one listing of everything is less work. */
export const MAX_ASKED_NAMES = 1_000;
/** Questions under way at once. */
const QUESTIONS_AT_ONCE = 100;
/** Others that are named for one file: enough to decide. */
const MAX_OTHERS = 10;
/** Version 1 knows times in seconds only. */
const TIME_DOUBT_MS = 1_000;

type KnownFile = Pick<CatalogueEntry, 'name' | 'sizeBytes' | 'modifiedMs' | 'contentId'>;

/** What somebody offers under a name. */
interface Offer {
  readonly hostname: string;
  readonly displayName: string;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly modified: number;
  readonly contentId?: ContentId | undefined;
}

export interface DuplicateQuestions {
  readonly client: Pick<TrackerClient, 'locate' | 'sources' | 'list'>;
  /** The hostname of this peer, whose own files are no duplicates. */
  readonly own: string | undefined;
}

/** What others offer already of these files, each of which has a content id. */
export async function findDuplicates(
  files: readonly KnownFile[],
  { client, own }: DuplicateQuestions,
): Promise<FileDuplicates[]> {
  const ids = files.flatMap(({ contentId }) => contentId ?? []);
  const names = files.map(({ name }) => name);
  const [located, offers] = await Promise.all([client.locate(ids), offersOf(names, client)]);
  return files.map((file) => {
    const { name, contentId } = file;
    const sources = (contentId && located.get(formatContentId(contentId))) ?? [];
    const sameContent = sources
      .filter(({ hostname }) => hostname !== own)
      .map((source) => ({
        hostname: source.hostname,
        displayName: source.displayName,
        name: source.name,
      }));
    const sameName = (offers.get(name) ?? [])
      .filter((offer) => offer.hostname !== own && !looksSame(offer, file))
      .map(({ hostname, displayName, size, modified, contentId: id }) => ({
        ...{ hostname, displayName },
        sizeBytes: size,
        modifiedMs: modified * 1_000,
        certain: id !== undefined && contentId !== undefined,
      }));
    return {
      name,
      sameContent: sameContent.slice(0, MAX_OTHERS),
      sameName: sameName.slice(0, MAX_OTHERS),
    };
  });
}

async function offersOf(
  names: readonly string[],
  client: DuplicateQuestions['client'],
): Promise<Map<string, Offer[]>> {
  if (names.length <= MAX_ASKED_NAMES) {
    const ask = async (name: string): Promise<[string, Offer[]]> => [
      name,
      await client.sources(name),
    ];
    return new Map(await mapConcurrently(names, QUESTIONS_AT_ONCE, ask));
  }
  const offers = new Map<string, Offer[]>(names.map((name) => [name, []]));
  for (const [hostname, { displayName, files }] of await client.list())
    for (const [name, file] of files) offers.get(name)?.push({ ...file, hostname, displayName });
  return offers;
}

/** Exactly, or as far as size and time tell where somebody does not say what the file holds. */
function looksSame({ size, modified, contentId }: Offer, file: KnownFile): boolean {
  if (contentId !== undefined && file.contentId !== undefined)
    return isSameContent(contentId, file.contentId);
  return size === file.sizeBytes && Math.abs(modified * 1_000 - file.modifiedMs) < TIME_DOUBT_MS;
}
