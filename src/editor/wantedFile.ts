import type { FetchRequest, NetworkFile, NetworkRow } from '../peer/peerApi';
import type { EngineApi } from '../peer/enginePort';

/** Contents under one name that are looked at; who offers more than these is left out. */
const MAX_SAME_NAME = 16;

/** A file that the user means: of one host, or the same content of several. */
export interface WantedFile extends NetworkFile {
  /** Everyone who has it; without, only the host that is named. */
  readonly sources?: NetworkRow['sources'] | undefined;
}

/** What is asked for of a file, whatever becomes of it here. */
export type Wish = Pick<FetchRequest, 'name' | 'hostname' | 'contentId'>;

/** A row of several sources as a file of the first of them that is here. */
export function toWanted(row: NetworkRow): WantedFile {
  const source = row.sources.find(({ state }) => state === 'online') ?? row.sources[0];
  const { hostname = '', displayName = '', identity, looksAlike } = source ?? {};
  return {
    ...{ ...row, hostname, displayName },
    ...(identity !== undefined && { identity }),
    ...(looksAlike === true && { looksAlike }),
  };
}

/** Of several who have it, whoever is there will do. */
export function wishOf({ name, hostname, contentId, sources = [] }: WantedFile): Wish {
  return sources.length > 1 && contentId !== undefined ? { name, contentId } : { name, hostname };
}

/** What others offer now under exactly this name: one row for each content. */
export async function rowsNamed(
  calls: Pick<EngineApi, 'networkRows'>,
  name: string,
): Promise<NetworkRow[]> {
  // In order of names, the name itself comes before all that begin with it.
  const { rows } = await calls.networkRows({ prefix: name, limit: MAX_SAME_NAME });
  return rows.filter((row) => row.name === name);
}

/** The row among some of one name that a wish means; undefined when that is not offered any more. */
export function rowFor(rows: readonly NetworkRow[], wish: Wish): NetworkRow | undefined {
  const { hostname, contentId } = wish;
  return (
    rows.find(
      ({ sources }) =>
        hostname !== undefined && sources.some((source) => source.hostname === hostname),
    ) ??
    rows.find((row) => contentId !== undefined && row.contentId === contentId) ??
    (hostname === undefined && contentId === undefined ? rows[0] : undefined)
  );
}
