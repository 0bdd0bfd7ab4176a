import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfAborted } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { mapConcurrently } from '../../common/concurrency';
import { type ErrorCode, PeershelfError } from '../../common/errors';
import { isSameContent } from '../../protocol/contentId';
import type { ListedFile, ListedHost, SourceInfo } from '../../protocol/controlReplies';
import { MAX_BATCH_BODY_BYTES } from '../../protocol/limits';
import type { Entry } from '../../protocol/signedEntry';
import type { SignedText } from '../../protocol/signedText';
import type { EntryTrust } from '../team/entryTrust';
import { askForEntries, askForEntry } from './askEntries';
import type { SourceDialer } from './sourceDialer';

/** Sources of a name that are looked at: as many as a download looks at. */
const MAX_SOURCES = 64;
/** Publishers asked what they offer under a name; the content of all others must be one of theirs. */
const MAX_ASKED = 8;
/** Others are waited for after the first publisher has answered. */
const GRACE_MS = 1_000;
/** A publisher that says nothing for this long is not there. */
const ANSWER_MS = 10_000;
/** Names of one question: their entries take a quarter of a megabyte. */
const MAX_NAMES = 500;
/** Of the names of one question, so that the longest names still fit into one body and one answer. */
const MAX_NAMES_BYTES = MAX_BATCH_BODY_BYTES / 2;
/** Hosts asked at the same time for what they offer in a folder. */
const HOSTS_AT_ONCE = 4;
/** Signatures verified before others get their turn: 20 ms. */
const VERIFIED_AT_ONCE = 250;

/** Failures that say nothing about what the publisher offers. */
const NOT_THERE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CANCELLED',
  'CONNECTION_LOST',
  'PEER_BUSY',
  'PEER_UNREACHABLE',
  'STALLED',
]);

export interface OffersDependencies {
  readonly clock: Clock;
  readonly dialer: SourceDialer;
  readonly stallMs: number;
  /** Of the team session; undefined in an open one, where nothing is signed. */
  readonly entryTrust: () => Pick<EntryTrust, 'verify'> | undefined;
}

/** Hosts with what they offer by their own word, and the files for which nobody gives it. */
export interface ConfirmedFolder {
  readonly hosts: ReadonlyMap<string, ListedHost>;
  readonly failures: ReadonlyMap<string, PeershelfError>;
}

type Place = Pick<SourceInfo, 'hostname' | 'displayName' | 'ip' | 'port' | 'fingerprint'>;

/**
 * What is really offered. In a team session a tracker's word is only a hint: its entries must be
 * signed by their hosts, and the hosts are asked what they offer now, so that a tracker that keeps an
 * old entry or hides a withdrawal gets nobody to fetch what is not offered any more.
 */
export class Offers {
  constructor(private readonly dependencies: OffersDependencies) {}

  /**
   * The sources of a name, each with the content that it offers now. Those that were not asked or did
   * not answer are kept when another one has said that it offers the same.
   * @throws ENTRY_INVALID, NOT_PUBLISHED, PEER_UNREACHABLE and others when nobody gives his word.
   */
  async confirm(
    name: string,
    sources: readonly SourceInfo[],
    signal: AbortSignal = new AbortController().signal,
  ): Promise<SourceInfo[]> {
    const trust = this.dependencies.entryTrust();
    if (trust === undefined || sources.length === 0) return [...sources];
    const signed = sources.slice(0, MAX_SOURCES).flatMap((source) => {
      const entry = trust.verify(source.hostname, name, source.signed);
      return entry?.state === 'published' ? [withEntry(source, entry)] : [];
    });
    const [first] = sources;
    if (signed.length === 0 && first !== undefined) throw invalid(name, first);
    const answers = await this.askAll(name, signed.slice(0, MAX_ASKED), signal);
    throwIfAborted(signal);
    const failures = answers.filter((answer) => answer instanceof PeershelfError);
    const [failure] = failures;
    if (failure !== undefined && failures.length === answers.length) throw failure;
    const offered = answers.flatMap((answer) => (answer instanceof PeershelfError ? [] : [answer]));
    return signed.flatMap((source, index) => {
      const answer = answers[index];
      if (answer !== undefined && !(answer instanceof PeershelfError)) return answer;
      if (answer !== undefined && !NOT_THERE.has(answer.code)) return [];
      return offered.some((other) => isSameOffer(source, other)) ? source : [];
    });
  }

  /** As `confirm`, for all files below a prefix. */
  async confirmFolder(
    hosts: ReadonlyMap<string, ListedHost>,
    wanted: { readonly prefix: string; readonly hostnames: readonly string[] | undefined },
    signal: AbortSignal,
  ): Promise<ConfirmedFolder> {
    const trust = this.dependencies.entryTrust();
    const failures = new Map<string, PeershelfError>();
    if (trust === undefined) return { hosts, failures };
    const concerned = [...hosts].flatMap(([hostname, host]) => {
      if (wanted.hostnames?.includes(hostname) === false) return [];
      const files = [...host.files].filter(
        ([name]) => name.startsWith(wanted.prefix) && name !== wanted.prefix,
      );
      return files.length === 0 || host.port === 0 ? [] : [{ hostname, host, files }];
    });
    const confirmed = await mapConcurrently(
      concerned,
      HOSTS_AT_ONCE,
      async ({ hostname, host, files }) => {
        const named = { ...host, hostname };
        const own = new HostFiles(this.dependencies, trust, named, signal);
        await own.confirm(files);
        own.failures.forEach((error, name) => failures.set(name, error));
        return [hostname, { ...host, files: own.confirmed }] as const;
      },
    );
    // What one host does not offer any more another one may.
    for (const [, { files }] of confirmed) for (const name of files.keys()) failures.delete(name);
    return { hosts: new Map(confirmed), failures };
  }

  /** What each publisher offers now, or why that is not known. */
  private async askAll(
    name: string,
    sources: readonly SourceInfo[],
    signal: AbortSignal,
  ): Promise<(SourceInfo | PeershelfError)[]> {
    const late = new AbortController();
    const either = AbortSignal.any([signal, late.signal]);
    const { clock } = this.dependencies;
    let grace = clock.after(ANSWER_MS, () => late.abort());
    try {
      return await mapConcurrently(sources, MAX_ASKED, async (source) => {
        try {
          const answer = await this.ask(name, source, either);
          grace.dispose();
          grace = clock.after(GRACE_MS, () => late.abort());
          return answer;
        } catch (error) {
          const { code, message, details } = PeershelfError.from(error);
          return new PeershelfError(code, message, {
            cause: error,
            details: { ...details, ...detailsOf(name, source) },
          });
        }
      });
    } finally {
      grace.dispose();
    }
  }

  private async ask(name: string, source: SourceInfo, signal: AbortSignal): Promise<SourceInfo> {
    const signed = await askForEntry(asking(this.dependencies, source, signal), name);
    const entry = this.dependencies.entryTrust()?.verify(source.hostname, name, signed, true);
    if (entry === undefined) throw invalid(name, source);
    if (entry.state === 'withdrawn') throw withdrawn(name, source);
    return withEntry(source, entry);
  }
}

/** What one host offers of a folder. */
class HostFiles {
  readonly confirmed = new Map<string, ListedFile>();
  readonly failures = new Map<string, PeershelfError>();
  private verified = 0;

  constructor(
    private readonly dependencies: OffersDependencies,
    private readonly trust: Pick<EntryTrust, 'verify'>,
    private readonly host: Place,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws CANCELLED; everything else becomes a failure of the files that it concerns. */
  async confirm(files: readonly (readonly [name: string, file: ListedFile])[]): Promise<void> {
    const signed = new Map<string, ListedFile>();
    for (const [name, file] of files) {
      const entry = await this.verify(name, file.signed);
      if (entry?.state === 'published') signed.set(name, file);
      else this.failures.set(name, invalid(name, this.host));
    }
    for (const names of inQuestions([...signed.keys()])) await this.ask(names, signed);
  }

  private async ask(
    names: readonly string[],
    files: ReadonlyMap<string, ListedFile>,
  ): Promise<void> {
    try {
      const request = asking(this.dependencies, this.host, this.signal);
      const answers = await askForEntries(request, names);
      for (const [index, name] of names.entries()) {
        const signed = answers[index];
        const entry = signed && (await this.verify(name, signed, true));
        const file = files.get(name);
        if (entry?.state === 'published' && file !== undefined)
          this.confirmed.set(name, withEntry(file, entry));
        else
          this.failures.set(
            name,
            signed === undefined || entry !== undefined
              ? withdrawn(name, this.host)
              : invalid(name, this.host),
          );
      }
    } catch (error) {
      throwIfAborted(this.signal);
      const { code, message, details } = PeershelfError.from(error);
      for (const name of names)
        this.failures.set(
          name,
          new PeershelfError(code, message, {
            cause: error,
            details: { ...details, ...detailsOf(name, this.host) },
          }),
        );
    }
  }

  private async verify(
    name: string,
    signed: SignedText | undefined,
    isFetched = false,
  ): Promise<Entry | undefined> {
    this.verified += 1;
    if (this.verified % VERIFIED_AT_ONCE === 0) await nextTurn();
    throwIfAborted(this.signal);
    return this.trust.verify(this.host.hostname, name, signed, isFetched);
  }
}

function isSameOffer({ contentId: one }: SourceInfo, { contentId: other }: SourceInfo): boolean {
  return one !== undefined && other !== undefined && isSameContent(one, other);
}

function asking(
  { dialer, clock, stallMs }: OffersDependencies,
  { ip, port, fingerprint }: Place,
  signal: AbortSignal,
): Parameters<typeof askForEntry>[0] {
  const source = { host: ip, port, fingerprint };
  return { dialer, clock, source, signal, stallMs: Math.min(stallMs, ANSWER_MS) };
}

function* inQuestions(names: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const length = Buffer.byteLength(name) + 1;
    if (batch.length >= MAX_NAMES || bytes + length > MAX_NAMES_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(name);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}

/** What is signed counts, not what stands beside it. */
function withEntry<T extends ListedFile | SourceInfo>(file: T, entry: Entry): T {
  const { contentId, version, sequence } = entry;
  return { ...file, size: contentId.sizeBytes, contentId, version, sequence };
}

function detailsOf(name: string, { hostname, displayName }: Place): Record<string, string> {
  return { name, hostname, displayName };
}

function invalid(name: string, host: Place): PeershelfError {
  const message = `what ${host.hostname} is said to offer as ${name} is not what it has signed last`;
  return new PeershelfError('ENTRY_INVALID', message, { details: detailsOf(name, host) });
}

function withdrawn(name: string, host: Place): PeershelfError {
  const message = `${host.hostname} does not offer ${name} any more`;
  return new PeershelfError('NOT_PUBLISHED', message, { details: detailsOf(name, host) });
}
