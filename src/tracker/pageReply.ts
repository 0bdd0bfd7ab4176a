import { MAX_PAGE_CHARACTERS } from './limits';
import { cursorBehind, type FoundPage, type Hit } from './pages';
import { type Host, lifeOf } from './registryHost';
import {
  entryJson,
  listedHostJsonV2,
  objectJson,
  pageReply,
  recordLength,
  withRecords,
} from './repliesV2';

/** A host on a page, with those of its files that are on it. */
interface ListedHost {
  readonly host: Host;
  readonly files: [name: string, entry: string][];
}

/**
 * The reply with a page that was found, by what its hosts are now. One that would get too long ends
 * early, and is followed by another one.
 * @param nowMs by the clock that only grows.
 * @param sequence of the last event, in the reply to SUBSCRIBE.
 */
export function writePage(
  { hits, isLast }: FoundPage,
  hosts: ReadonlyMap<string, Host>,
  { nowMs, sequence }: { readonly nowMs: number; readonly sequence?: number | undefined },
): string {
  const listed = new Map<string, ListedHost>();
  let length = 0;
  let last: Hit | undefined;
  for (const hit of hits) {
    if (length > MAX_PAGE_CHARACTERS) break;
    length += list(hit, hosts, listed);
    last = hit;
  }
  const isWhole = isLast && last === hits.at(-1);
  const cursor = isWhole || last === undefined ? undefined : cursorBehind(last);
  const members = [...listed.values()].map(({ host, files }) =>
    listedHostJsonV2(host, objectJson(files), lifeOf(host, nowMs)),
  );
  const place = sequence === undefined ? { cursor } : { cursor, sequence };
  return withRecords(
    pageReply(members, place),
    [...listed.values()].map(({ host }) => host),
  );
}

/** Adds what is still there of a hit. @returns about how many characters longer the page gets. */
function list(
  { hostname, name }: Hit,
  hosts: ReadonlyMap<string, Host>,
  listed: Map<string, ListedHost>,
): number {
  const host = hosts.get(hostname);
  if (host === undefined) return 0;
  const known = listed.get(hostname);
  const { files }: Pick<ListedHost, 'files'> = known ?? { files: [] };
  if (known === undefined) listed.set(hostname, { host, files });
  const added = known === undefined ? recordLength(host) : 0;
  const file = name === undefined ? undefined : host.files.get(name);
  if (file?.isPublished !== true) return added;
  const entry = entryJson(file);
  files.push([file.name, entry]);
  return added + file.name.length + entry.length;
}
