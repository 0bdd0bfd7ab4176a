import { isAbsolute, join } from 'node:path';
import { PeershelfError } from '../common/errors';
import { Emitter, type Event } from '../common/events';
import type { NetworkFile } from '../peer/peerApi';
import { toLocalName } from '../protocol/names';
import type { Fetched, FolderJob } from './fetchRun';

const KEY = 'fetched';
/** Fetched files and folders that a workspace remembers; of more, those fetched longest ago are forgotten. */
const MAX_REMEMBERED = 200;

/** A file of the network, or what lies below a folder of it, and where it went. */
interface Remembered {
  /** With a `/` at its end: all that begins with it. */
  readonly name: string;
  /** Without, a folder of whoever offers something below it. */
  readonly hostname?: string | undefined;
  readonly contentId?: string | undefined;
  /** Absolute. */
  readonly path: string;
}

/** A file of the network that was fetched, and where it went. */
export type RememberedFetch = Remembered & { readonly hostname: string };

type Placeable = Pick<NetworkFile, 'name' | 'hostname' | 'contentId'>;

/** The part of a workspace's state that is used: tests hand in a map. */
export interface RecordStore {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** What was fetched in this workspace lately, the last one first. */
export class FetchRecord {
  private readonly addEmitter = new Emitter<ReadonlySet<string>>();

  /**
   * Fires with the names of what was fetched, those of folders with `/` at their ends: since then each
   * file may have another place.
   */
  readonly onDidAdd: Event<ReadonlySet<string>> = this.addEmitter.event;

  constructor(private readonly store: RecordStore) {}

  /** The files that were fetched one by one. */
  get files(): readonly RememberedFetch[] {
    return this.all.filter(isOfFile);
  }

  /**
   * Where a file went when it was fetched last, from whoever has the same content; else where went what
   * its host had offered under its name, or a folder that it lies in. It may be gone since.
   */
  placeOf({ name, hostname, contentId }: Placeable): string | undefined {
    const { all } = this;
    const found =
      all.find(
        (one) => one.name === name && contentId !== undefined && one.contentId === contentId,
      ) ??
      all.find(
        (one) =>
          (isOfFile(one) ? one.name === name : name.startsWith(one.name)) &&
          (one.hostname ?? hostname) === hostname,
      );
    if (found === undefined || isOfFile(found)) return found?.path;
    return placeBelow(found.path, name.slice(found.name.length));
  }

  /** Keeps where files went, and folders with all that was below them. */
  async add(fetched: readonly Fetched[], folders: readonly FolderJob[] = []): Promise<void> {
    if (fetched.length + folders.length === 0) return;
    const added = [
      ...folders.map(({ prefix, hostnames = [], destination }): Remembered => {
        const hostname = hostnames.length === 1 ? hostnames[0] : undefined;
        return { name: prefix, ...(hostname && { hostname }), path: destination };
      }),
      // After their folders: of each of these the user has said something of its own.
      ...fetched.map(({ wish, result }): Remembered => {
        const { hostname, contentId, path } = result;
        return { name: wish.name, hostname, ...(contentId && { contentId }), path };
      }),
    ];
    const newest = added.slice(-MAX_REMEMBERED).reverse();
    const keys = new Set(newest.map(keyOf));
    const others = this.all.filter((one) => !keys.has(keyOf(one)));
    await this.store.update(KEY, [...newest, ...others].slice(0, MAX_REMEMBERED));
    this.addEmitter.fire(new Set(added.map(({ name }) => name)));
  }

  /** The newest first. What is stored may be of an older version, or of somebody who has edited it. */
  private get all(): readonly Remembered[] {
    const stored = this.store.get(KEY);
    return Array.isArray(stored) ? stored.slice(0, MAX_REMEMBERED).filter(isRemembered) : [];
  }
}

function isOfFile(one: Remembered): one is RememberedFetch {
  return !one.name.endsWith('/');
}

/** Undefined for a name that cannot be one here: nothing was fetched under it. */
function placeBelow(folder: string, name: string): string | undefined {
  try {
    return join(folder, toLocalName(name, process.platform));
  } catch (error) {
    if (PeershelfError.is(error, 'INVALID_NAME')) return undefined;
    throw error;
  }
}

function keyOf({ name, hostname }: Remembered): string {
  return JSON.stringify([hostname, name]);
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null) return false;
  const { name, hostname, contentId, path } = value as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    (typeof hostname === 'string' || (hostname === undefined && name.endsWith('/'))) &&
    (contentId === undefined || typeof contentId === 'string') &&
    typeof path === 'string' &&
    isAbsolute(path)
  );
}
