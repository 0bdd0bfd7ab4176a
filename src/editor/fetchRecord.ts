import { isAbsolute } from 'node:path';
import { Emitter, type Event } from '../common/events';
import type { NetworkFile } from '../peer/peerApi';
import type { Fetched } from './fetchRun';

const KEY = 'fetched';
/** Fetched files that a workspace remembers; of more, those fetched longest ago are forgotten. */
const MAX_REMEMBERED = 200;

/** A file of the network, and where it went. */
export interface RememberedFetch {
  readonly name: string;
  readonly hostname: string;
  readonly contentId?: string | undefined;
  /** Absolute. */
  readonly path: string;
}

type Placeable = Pick<NetworkFile, 'name' | 'hostname' | 'contentId'>;

/** The part of a workspace's state that is used: tests hand in a map. */
export interface RecordStore {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** What was fetched in this workspace lately, the last one first. */
export class FetchRecord {
  private readonly addEmitter = new Emitter<ReadonlySet<string>>();

  /** Fires with the names of what was fetched: since then each may have another place. */
  readonly onDidAdd: Event<ReadonlySet<string>> = this.addEmitter.event;

  constructor(private readonly store: RecordStore) {}

  /** What is stored may be of an older version, or of somebody who has edited it. */
  get all(): readonly RememberedFetch[] {
    const stored = this.store.get(KEY);
    return Array.isArray(stored) ? stored.slice(0, MAX_REMEMBERED).filter(isRemembered) : [];
  }

  /**
   * Where a file went when it was fetched last, from whoever has the same content; else where went what
   * its host had offered under its name. It may be gone since.
   */
  placeOf({ name, hostname, contentId }: Placeable): string | undefined {
    const named = this.all.filter((one) => one.name === name);
    const found =
      named.find((one) => contentId !== undefined && one.contentId === contentId) ??
      named.find((one) => one.hostname === hostname);
    return found?.path;
  }

  async add(fetched: readonly Fetched[]): Promise<void> {
    if (fetched.length === 0) return;
    const added = fetched
      .slice(-MAX_REMEMBERED)
      .map(({ wish, result }): RememberedFetch => {
        const { hostname, contentId, path } = result;
        return { name: wish.name, hostname, ...(contentId && { contentId }), path };
      })
      .reverse();
    const keys = new Set(added.map(keyOf));
    const others = this.all.filter((one) => !keys.has(keyOf(one)));
    await this.store.update(KEY, [...added, ...others].slice(0, MAX_REMEMBERED));
    this.addEmitter.fire(new Set(fetched.map(({ wish }) => wish.name)));
  }
}

function keyOf({ name, hostname }: RememberedFetch): string {
  return JSON.stringify([hostname, name]);
}

function isRemembered(value: unknown): value is RememberedFetch {
  if (typeof value !== 'object' || value === null) return false;
  const { name, hostname, contentId, path } = value as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    typeof hostname === 'string' &&
    (contentId === undefined || typeof contentId === 'string') &&
    typeof path === 'string' &&
    isAbsolute(path)
  );
}
