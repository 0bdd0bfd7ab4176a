import { getHeapStatistics } from 'node:v8';
import * as v from 'valibot';
import { type Clock } from '../common/clock';
import type { Disposable } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import { pairsOf, readJsonFile, writeJsonFile } from '../common/jsonFile';
import { CONTROL_REASONS } from '../protocol/controlReasons';
import {
  BINDING_ESTABLISHED_MS,
  BINDING_LIFETIME_MS,
  BINDING_OVERHEAD_BYTES,
  BINDINGS_HEAP_SHARE,
  MAX_BINDINGS,
  MAX_HOSTNAMES_PER_IDENTITY,
} from './limits';
import { costOfText } from './registryBudget';

/** Changes that come at once are written together. */
const WRITE_DELAY_MS = 5_000;
/** How old the time of a binding may become before it is written anew. */
const RENEWAL_MS = 3_600_000;

interface Binding {
  readonly hostname: string;
  /** Of the identity that has the hostname. */
  readonly fingerprint: string;
  /** When that took it. */
  readonly sinceMs: number;
  seenMs: number;
  /** Connections that have it registered. */
  users: number;
}

export interface HostnameBindingsDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where they are kept over restarts; undefined: they are not. */
  readonly file: string | undefined;
  /** Memory that they may take; a share of the heap when it is not given. */
  readonly maxBytes?: number;
}

const timeField = v.pipe(v.number(), v.minValue(0));
const bindingsSchema = pairsOf(
  v.object({
    fingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)),
    sinceMs: timeField,
    seenMs: timeField,
  }),
);

/**
 * Whose hostnames are: each belongs to the identity that took it first, until it lapses. When there
 * are too many, only those make room that are not in use and were used on one day only: who takes
 * very many drives away nobody who has been here before, but newcomers. Nothing here depends on how
 * many there are.
 */
export class HostnameBindings {
  private readonly bindings = new Map<string, Binding>();
  private readonly ofIdentity = new Map<string, Set<Binding>>();
  /** Those that no connection has registered; the one unused for longest comes first. */
  private readonly unused = { recent: new Set<Binding>(), established: new Set<Binding>() };
  private readonly maxBytes: number;
  private bytes = 0;
  private writing: Disposable | undefined;

  constructor(private readonly dependencies: HostnameBindingsDependencies) {
    const { file, logger, maxBytes } = dependencies;
    this.maxBytes = maxBytes ?? getHeapStatistics().heap_size_limit * BINDINGS_HEAP_SHARE;
    const stored = file === undefined ? undefined : readJsonFile(file, bindingsSchema, logger);
    const sorted = (stored ?? []).sort(([, a], [, b]) => a.seenMs - b.seenMs);
    for (const [hostname, binding] of this.thatFit(sorted))
      this.add({ hostname, ...binding, users: 0 });
  }

  /** Takes a hostname for an identity, or says why that cannot have it. */
  claim(
    hostname: string,
    fingerprint: string,
  ): 'done' | typeof CONTROL_REASONS.hostnameInUse | typeof CONTROL_REASONS.tooManyHostnames {
    const before = this.bindings.get(hostname);
    if (before !== undefined && !this.hasLapsed(before)) {
      if (before.fingerprint !== fingerprint) return CONTROL_REASONS.hostnameInUse;
      this.see(before);
      return 'done';
    }
    if (before !== undefined) this.remove(before);
    if (!this.makeRoom(hostname, fingerprint)) return CONTROL_REASONS.tooManyHostnames;
    const nowMs = this.dependencies.clock.now();
    this.add({ hostname, fingerprint, sinceMs: nowMs, seenMs: nowMs, users: 0 });
    this.writeSoon();
    return 'done';
  }

  /** A connection has registered the hostname: it stays whose it is until the same {@link release}. */
  hold(hostname: string): void {
    const binding = this.bindings.get(hostname);
    if (binding === undefined) return;
    binding.users += 1;
    this.unused.recent.delete(binding);
    this.unused.established.delete(binding);
  }

  /** A connection has the hostname registered no more. */
  release(hostname: string): void {
    const binding = this.bindings.get(hostname);
    if (binding === undefined || binding.users === 0) return;
    this.see(binding);
    binding.users -= 1;
    if (binding.users === 0) this.unusedLike(binding).add(binding);
  }

  /** Somebody has been seen under their hostname. */
  touch(hostname: string): void {
    const binding = this.bindings.get(hostname);
    if (binding !== undefined) this.see(binding);
  }

  /** Writes what has not been written. */
  flush(): void {
    const { file, logger } = this.dependencies;
    if (this.writing === undefined) return;
    this.writing.dispose();
    this.writing = undefined;
    if (file === undefined) return;
    const pairs = [...this.bindings].map(([hostname, { fingerprint, sinceMs, seenMs }]) => {
      return [hostname, { fingerprint, sinceMs, seenMs }] as const;
    });
    try {
      writeJsonFile(file, Object.fromEntries(pairs));
    } catch (error) {
      logger.error(`whose hostnames are is not kept: ${describeError(error)}`);
    }
  }

  private hasLapsed({ seenMs, users }: Binding): boolean {
    return users === 0 && this.dependencies.clock.now() - seenMs > BINDING_LIFETIME_MS;
  }

  /** False when an identity has as many hostnames as it may and uses all, or all there are are kept. */
  private makeRoom(hostname: string, fingerprint: string): boolean {
    const own = this.ofIdentity.get(fingerprint);
    if (own !== undefined && own.size >= MAX_HOSTNAMES_PER_IDENTITY)
      if (!this.removeIfAny(unusedForLongest(own))) return false;
    const mostBytes = this.maxBytes - costOf(hostname);
    while (this.bindings.size >= MAX_BINDINGS || this.bytes > mostBytes) {
      const [recent] = this.unused.recent;
      const [established] = this.unused.established;
      const isLapsed = established !== undefined && this.hasLapsed(established);
      if (!this.removeIfAny(isLapsed ? established : recent)) return false;
    }
    return true;
  }

  /** The ones that were seen last. @param sorted the one that was seen longest ago first. */
  private thatFit<T>(sorted: readonly (readonly [string, T])[]): readonly (readonly [string, T])[] {
    let first = sorted.length;
    let bytes = 0;
    while (first > 0 && sorted.length - first < MAX_BINDINGS) {
      bytes += costOf(sorted[first - 1]?.[0] ?? '');
      if (bytes > this.maxBytes) break;
      first -= 1;
    }
    return sorted.slice(first);
  }

  private removeIfAny(binding: Binding | undefined): boolean {
    if (binding !== undefined) this.remove(binding);
    return binding !== undefined;
  }

  /** Their time is renewed now and then only, as each renewal is written. */
  private see(binding: Binding): void {
    const nowMs = this.dependencies.clock.now();
    if (nowMs - binding.seenMs < RENEWAL_MS) return;
    if (binding.users === 0) this.unusedLike(binding).delete(binding);
    binding.seenMs = nowMs;
    if (binding.users === 0) this.unusedLike(binding).add(binding);
    this.writeSoon();
  }

  private add(binding: Binding): void {
    this.bindings.set(binding.hostname, binding);
    this.bytes += costOf(binding.hostname);
    const own = this.ofIdentity.get(binding.fingerprint);
    if (own === undefined) this.ofIdentity.set(binding.fingerprint, new Set([binding]));
    else own.add(binding);
    this.unusedLike(binding).add(binding);
  }

  private remove(binding: Binding): void {
    this.bindings.delete(binding.hostname);
    this.bytes -= costOf(binding.hostname);
    const own = this.ofIdentity.get(binding.fingerprint);
    own?.delete(binding);
    if (own?.size === 0) this.ofIdentity.delete(binding.fingerprint);
    this.unusedLike(binding).delete(binding);
  }

  private unusedLike({ sinceMs, seenMs }: Binding): Set<Binding> {
    const isEstablished = seenMs - sinceMs >= BINDING_ESTABLISHED_MS;
    return isEstablished ? this.unused.established : this.unused.recent;
  }

  private writeSoon(): void {
    this.writing ??= this.dependencies.clock.after(WRITE_DELAY_MS, () => this.flush());
  }
}

function costOf(hostname: string): number {
  return BINDING_OVERHEAD_BYTES + costOfText(hostname);
}

/** Of one identity, which has a few. */
function unusedForLongest(bindings: Iterable<Binding>): Binding | undefined {
  let found: Binding | undefined;
  for (const binding of bindings)
    if (binding.users === 0 && (found === undefined || binding.seenMs < found.seenMs))
      found = binding;
  return found;
}
