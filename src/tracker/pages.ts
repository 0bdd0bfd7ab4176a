import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../common/clock';
import { queryWords, wordsBeyondOwner } from '../common/searchText';
import type { PageRequest } from '../protocol/controlRequestsV2';
import { SEARCH_SLICE_MS } from './limits';
import type { MaybePromise } from './maybePromise';
import type { NameText } from '../common/nameText';
import type { HostFacts, PublishedMetadata } from './replies';

/** A file as pages need it. */
export interface RankedFile extends PublishedMetadata {
  readonly name: string;
  /** Its place in the list of its host, which it keeps as long as the host. */
  readonly index: number;
}

/** A host as pages need it. */
export interface RankedHost extends HostFacts {
  /** Grows with every registration; hosts stand in this order. */
  readonly rank: number;
  /** Hidden ones included; it only gets longer. */
  readonly list: readonly RankedFile[];
  readonly text: NameText;
}

/** What a page has: hosts, and which of their files, in order. */
export interface FoundPage {
  readonly hits: readonly Hit[];
  /** Whether there is nothing behind it. */
  readonly isLast: boolean;
}

/** A place in the order of hosts and files, behind which a page begins. */
interface Position {
  readonly host: number;
  /** How many of its files come before; 0 also for the host itself. */
  readonly file: number;
}

/** A host or a file on a page. */
export interface Hit extends Position {
  readonly hostname: string;
  /** Undefined: the host itself, without a file. */
  readonly name: string | undefined;
}

/** Files looked at between two looks at the clock: some ten microseconds. */
const STEP = 256;

/** Whether `cursor` is one of ours. */
export function isCursor(cursor: string): boolean {
  return /^[0-9a-z]{1,12}\.[0-9a-z]{1,12}$/u.test(cursor);
}

/**
 * One page of hosts and files. A long search gives way to others; then, what it has found may have
 * changed: who writes the page looks again. What is there all the time is on one page at least, as
 * what comes or changes its place comes last.
 */
export function findPage(
  hosts: ReadonlyMap<string, RankedHost>,
  request: PageRequest,
  clock: Clock,
): MaybePromise<FoundPage> {
  const hits: Hit[] = [];
  const walk = walkThrough(hosts, request);
  /** Whether the page is full, or there is no more. */
  const goOn = (): boolean => {
    const endMs = clock.monotonic() + SEARCH_SLICE_MS;
    for (;;) {
      const { value, done } = walk.next();
      if (done === true) return true;
      // One more than the page takes says that there is a next one.
      if (value !== undefined && hits.push(value) > request.limit) return true;
      if (value === undefined && clock.monotonic() >= endMs) return false;
    }
  };
  if (goOn()) return toPage(hits, request.limit);
  return (async () => {
    do await setImmediate();
    while (!goOn());
    return toPage(hits, request.limit);
  })();
}

/** What a page that begins behind `hit` is asked for by. */
export function cursorBehind(hit: Position): string {
  return `${hit.host.toString(36)}.${hit.file.toString(36)}`;
}

function toPage(hits: readonly Hit[], limit: number): FoundPage {
  return { hits: hits.slice(0, limit), isLast: hits.length <= limit };
}

/** Everything from the cursor on that is asked for, and undefined now and then. */
function* walkThrough(
  hosts: ReadonlyMap<string, RankedHost>,
  { cursor, prefix, query }: PageRequest,
): Generator<Hit | undefined, void> {
  const from = readCursor(cursor);
  const words = queryWords(query ?? '');
  const isEverything = prefix === '' && query === undefined;
  for (const host of hosts.values()) {
    if (host.rank < from.host) continue;
    const isResumed = host.rank === from.host;
    const { hostname, rank, list } = host;
    if (isEverything && !isResumed) yield { hostname, host: rank, file: 0, name: undefined };
    for (const index of candidates(host, words, isResumed ? from.file : 0)) {
      const file = index === undefined ? undefined : list[index];
      if (index === undefined || file === undefined) yield undefined;
      else if (file.isPublished && file.name.startsWith(prefix))
        yield { hostname, host: rank, file: index + 1, name: file.name };
    }
  }
}

/** Indices of files with all words in their names or their owner's, and undefined now and then. */
function* candidates(
  host: RankedHost,
  words: readonly string[],
  from: number,
): Generator<number | undefined, void> {
  const rest = wordsBeyondOwner(words, host);
  if (rest.length > 0) {
    yield* host.text.find(rest, from);
    return;
  }
  for (let index = from; index < host.list.length; index += 1) {
    if (index % STEP === 0) yield undefined;
    yield index;
  }
}

function readCursor(cursor: string | undefined): Position {
  const [host = '', file = ''] = (cursor ?? '').split('.');
  // Behind nothing: ranks begin with 1.
  return cursor === undefined
    ? { host: 0, file: 0 }
    : { host: Number.parseInt(host, 36), file: Number.parseInt(file, 36) };
}
