import * as v from 'valibot';
import { type Clock } from '../common/clock';
import type { Disposable } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import { readJsonFile, writeJsonFile } from '../common/jsonFile';
import { CONTROL_REASONS } from '../protocol/controlReasons';
import { BINDING_LIFETIME_MS, MAX_BINDINGS, MAX_HOSTNAMES_PER_IDENTITY } from './limits';

/** Changes that come at once are written together. */
const WRITE_DELAY_MS = 5_000;
/** How old the stored time of a binding may become before it is written anew. */
const RENEWAL_MS = 3_600_000;

interface Binding {
  /** Of the identity that has the hostname. */
  readonly fingerprint: string;
  readonly seenMs: number;
}

export interface HostnameBindingsDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where they are kept over restarts; undefined: they are not. */
  readonly file: string | undefined;
  /** Whether a hostname is registered at the moment. */
  readonly isRegistered: (hostname: string) => boolean;
}

const bindingsSchema = v.record(
  v.string(),
  v.object({
    fingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)),
    seenMs: v.pipe(v.number(), v.minValue(0)),
  }),
);

/** Whose hostnames are: each belongs to the identity that took it first, until it lapses. */
export class HostnameBindings {
  /** The one that was seen longest ago comes first. */
  private readonly bindings: Map<string, Binding>;
  private writing: Disposable | undefined;

  constructor(private readonly dependencies: HostnameBindingsDependencies) {
    const { file, logger } = dependencies;
    const stored = file === undefined ? undefined : readJsonFile(file, bindingsSchema, logger);
    const sorted = Object.entries(stored ?? {}).sort(([, a], [, b]) => a.seenMs - b.seenMs);
    this.bindings = new Map(sorted.slice(-MAX_BINDINGS));
  }

  /** Takes a hostname for an identity, or says why that cannot have it. */
  claim(
    hostname: string,
    fingerprint: string,
  ): 'done' | typeof CONTROL_REASONS.hostnameInUse | typeof CONTROL_REASONS.tooManyHostnames {
    const holder = this.holderOf(hostname);
    if (holder !== undefined && holder !== fingerprint) return CONTROL_REASONS.hostnameInUse;
    if (holder === undefined && !this.makeRoom(fingerprint))
      return CONTROL_REASONS.tooManyHostnames;
    this.set(hostname, fingerprint);
    return 'done';
  }

  /** Somebody has been seen under their hostname. */
  touch(hostname: string): void {
    const binding = this.bindings.get(hostname);
    if (binding === undefined) return;
    if (this.dependencies.clock.now() - binding.seenMs >= RENEWAL_MS)
      this.set(hostname, binding.fingerprint);
  }

  /** Writes what has not been written. */
  flush(): void {
    const { file, logger } = this.dependencies;
    if (this.writing === undefined) return;
    this.writing.dispose();
    this.writing = undefined;
    try {
      if (file !== undefined) writeJsonFile(file, Object.fromEntries(this.bindings));
    } catch (error) {
      logger.error(`whose hostnames are is not kept: ${describeError(error)}`);
    }
  }

  private holderOf(hostname: string): string | undefined {
    const binding = this.bindings.get(hostname);
    if (binding === undefined || this.hasLapsed(hostname, binding)) return undefined;
    return binding.fingerprint;
  }

  private hasLapsed(hostname: string, { seenMs }: Binding): boolean {
    const { clock, isRegistered } = this.dependencies;
    return clock.now() - seenMs > BINDING_LIFETIME_MS && !isRegistered(hostname);
  }

  /** False when an identity has as many hostnames as it may, and uses all of them. */
  private makeRoom(fingerprint: string): boolean {
    const { isRegistered } = this.dependencies;
    const own = [...this.bindings].filter(([, binding]) => binding.fingerprint === fingerprint);
    if (own.length < MAX_HOSTNAMES_PER_IDENTITY) return true;
    const unused = own.find(([hostname]) => !isRegistered(hostname))?.[0];
    if (unused === undefined) return false;
    this.bindings.delete(unused);
    return true;
  }

  private set(hostname: string, fingerprint: string): void {
    this.bindings.delete(hostname);
    this.bindings.set(hostname, { fingerprint, seenMs: this.dependencies.clock.now() });
    for (const [oldest] of this.bindings) {
      if (this.bindings.size <= MAX_BINDINGS) break;
      this.bindings.delete(oldest);
    }
    this.writing ??= this.dependencies.clock.after(WRITE_DELAY_MS, () => this.flush());
  }
}
