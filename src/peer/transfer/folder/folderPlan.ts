import { PeershelfError } from '../../../common/errors';
import { type ContentId, formatContentId } from '../../../protocol/contentId';
import type { ListedFile, ListedHost } from '../../../protocol/controlReplies';
import type { SourceInfo } from '../../../protocol/controlReplies';
import { MAX_BATCH_OBJECT_BYTES } from '../../../protocol/limits';

/** Objects of one batch: few enough that a failure costs little, many enough to cost few trips. */
const MAX_FILES_PER_BATCH = 500;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Sources of one content of a name; a tracker may name as many hosts as it likes. */
const MAX_SOURCES = 64;

/** A file of the folder and who offers this content under this name. */
export interface FolderFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Undefined when only peers of version 1 have it. */
  readonly contentId: ContentId | undefined;
  readonly sources: readonly SourceInfo[];
}

/** A file that can travel with others. */
export type SmallFile = FolderFile & { readonly contentId: ContentId };

export interface FolderPlan {
  readonly files: readonly FolderFile[];
  /** Names that several hosts offer with different content. */
  readonly ambiguous: readonly PeershelfError[];
}

/** Part of the network that is wanted; without hostnames, whatever anybody offers. */
export interface WantedFolder {
  readonly prefix: string;
  readonly hostnames: readonly string[] | undefined;
}

/** Which files a folder has, by what the tracker lists. */
export function planFolder(
  hosts: ReadonlyMap<string, ListedHost>,
  wanted: WantedFolder,
): FolderPlan {
  const offers = new Map<string, Map<string, SourceInfo[]>>();
  for (const [hostname, host] of hosts) {
    if (wanted.hostnames?.includes(hostname) === false) continue;
    if (host.port === 0) continue;
    for (const [name, file] of host.files) {
      if (!name.startsWith(wanted.prefix) || name === wanted.prefix) continue;
      const contents = offers.get(name) ?? new Map<string, SourceInfo[]>();
      offers.set(name, contents);
      const key = contentKey(file);
      const sources = contents.get(key) ?? [];
      contents.set(key, sources);
      if (sources.length < MAX_SOURCES) sources.push(toSource(hostname, host, file));
    }
  }
  const files: FolderFile[] = [];
  const ambiguous: PeershelfError[] = [];
  for (const [name, contents] of offers) {
    const [sources = [], ...others] = contents.values();
    const [first] = sources;
    if (others.length > 0) ambiguous.push(ambiguousName(name, [...contents.values()].flat()));
    else if (first !== undefined)
      files.push({ name, sizeBytes: first.size, contentId: first.contentId, sources });
  }
  return { files, ambiguous };
}

export function isSmall(file: FolderFile): file is SmallFile {
  return file.contentId !== undefined && file.sizeBytes <= MAX_BATCH_OBJECT_BYTES;
}

/** Files that the same hosts have, in groups of the size of one batch. */
export function toBatches(files: readonly SmallFile[]): SmallFile[][] {
  const byHosts = new Map<string, SmallFile[]>();
  for (const file of files) {
    const key = file.sources.map(({ hostname }) => hostname).join('\n');
    const group = byHosts.get(key);
    if (group === undefined) byHosts.set(key, [file]);
    else group.push(file);
  }
  return [...byHosts.values()].flatMap(cut);
}

function cut(files: readonly SmallFile[]): SmallFile[][] {
  const batches: SmallFile[][] = [];
  let batch: SmallFile[] = [];
  let bytes = 0;
  for (const file of files) {
    const isFull = batch.length >= MAX_FILES_PER_BATCH || bytes + file.sizeBytes > MAX_BATCH_BYTES;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.sizeBytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

function contentKey({ contentId, size, modified }: ListedFile): string {
  return contentId === undefined ? `${size} ${modified}` : formatContentId(contentId);
}

function toSource(hostname: string, host: ListedHost, file: ListedFile): SourceInfo {
  const { displayName, ip, port, fingerprint } = host;
  const { size, modified, contentId } = file;
  return { hostname, displayName, ip, port, fingerprint, size, modified, contentId };
}

function ambiguousName(name: string, sources: readonly SourceInfo[]): PeershelfError {
  const hostnames = sources.map(({ hostname }) => hostname);
  return new PeershelfError('AMBIGUOUS_NAME', `several hosts offer different files as ${name}`, {
    details: { name, hostnames },
  });
}
