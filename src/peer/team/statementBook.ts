import type { KeyObject } from 'node:crypto';
import { statSync } from 'node:fs';
import * as v from 'valibot';
import type { Clock } from '../../common/clock';
import { describeError } from '../../common/errors';
import { Emitter } from '../../common/events';
import { readJsonFile, writeJsonFile } from '../../common/jsonFile';
import type { Logger } from '../../common/logger';
import { MAX_ISSUED_AHEAD_MS } from '../../protocol/limits';
import { admits, Removals } from '../../protocol/removals';
import {
  bundleMembers,
  compareRank,
  openStatement,
  rankedField,
  rankedMembers,
  readBundle,
  type StatementBundle,
  type VerifiedStatement,
} from '../../protocol/statement';

export interface StatementBookDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Public root key of the team. */
  readonly root: KeyObject;
  /** File that keeps what is known over restarts, for all windows; undefined: nothing does. */
  readonly file: string | undefined;
}

/** Result of a statement from a tracker, another peer, or a file. */
export type BookEntry = 'newer' | 'same' | 'older' | 'contradicts' | 'invalid';

/**
 * - `unknown`: no statement has arrived yet;
 * - `valid`: members may be served;
 * - `contradicted`: two owners have said different things at once; an owner has to settle it;
 * - `ahead`: it was issued in the future, so one of the clocks is wrong;
 * - `expired`: the lease is over, and no owner's program has renewed it.
 */
export type Standing = 'unknown' | 'valid' | 'contradicted' | 'ahead' | 'expired';

/** Time that a clock which is set back before a restart may add to a lease. */
const KEEP_TIME_MS = 3_600_000;

const storedSchema = v.looseObject({
  rival: v.optional(v.looseObject({})),
  seenMs: v.optional(v.pipe(v.number(), v.minValue(0))),
  /**
   * Removals that the newest statement does not know of may have no other place. Together they may be
   * more than one statement has.
   */
  removals: v.optional(v.object({ removed: rankedField, readmitted: rankedField })),
});

/**
 * Statements of one team that this user knows of. It never goes back to an earlier one, and a removal
 * that was seen once holds until an owner who knows of it says otherwise, whatever order statements
 * arrive in and whoever brings them.
 */
export class StatementBook {
  private newest: VerifiedStatement | undefined;
  /** A second statement of the same rank. */
  private rival: VerifiedStatement | undefined;
  private readonly removals = new Removals();
  /** The latest time at which an owner is known to have signed. */
  private floorMs = 0;
  /** The latest time of this machine, in any run, that was kept under the newest statement. */
  private seenMs = 0;
  /** When that was kept last, by monotonic time. */
  private keptMs: number;
  /** Time of the file when it was read or written last. */
  private fileMs: number | undefined;
  /** End of the lease by monotonic time: setting the clock back does not lengthen it. */
  private leaseEndMs = 0;
  private readonly changeEmitter = new Emitter<void>();

  /** Fires after each statement that may have changed who is admitted: newer ones, and others, too. */
  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly dependencies: StatementBookDependencies) {
    this.keptMs = dependencies.clock.monotonic();
    this.load();
  }

  get current(): VerifiedStatement | undefined {
    return this.newest;
  }

  get standing(): Standing {
    const { newest } = this;
    if (newest === undefined) return 'unknown';
    const { clock } = this.dependencies;
    const { issuedMs, validUntilMs } = newest.statement;
    if (this.rival !== undefined || !this.removals.isCoveredBy(newest.statement))
      return 'contradicted';
    if (issuedMs - clock.now() > MAX_ISSUED_AHEAD_MS) return 'ahead';
    return this.nowMs >= validUntilMs || clock.monotonic() >= this.leaseEndMs ? 'expired' : 'valid';
  }

  /** Time until the lease ends, at most 0 once it has. */
  get leaseLeftMs(): number {
    const { clock } = this.dependencies;
    return this.leaseEndMs - clock.monotonic();
  }

  /** Whether an identity is that of a member, as far as statements say it. */
  admits(identity: string): boolean {
    const { newest } = this;
    if (this.removals.isRemoved(identity)) return false;
    return newest !== undefined && admits(newest.statement, identity);
  }

  /** Whether an identity was removed. */
  isRemoved(identity: string): boolean {
    return this.removals.isRemoved(identity);
  }

  /** Hears of what other windows have kept since, and keeps the time. Asked again and again. */
  refresh(): void {
    const { clock, logger } = this.dependencies;
    try {
      if (this.modifiedMs() !== this.fileMs) {
        this.load();
        this.changeEmitter.fire();
      }
      if (clock.monotonic() - this.keptMs >= KEEP_TIME_MS) this.keepTime();
    } catch (error) {
      logger.warn(`the statement of the team is not read again: ${describeError(error)}`);
    }
  }

  take(bundle: StatementBundle): BookEntry {
    const entry = this.enter(bundle);
    if (entry === 'same' || entry === 'invalid') return entry;
    this.write();
    this.changeEmitter.fire();
    return entry;
  }

  private enter(bundle: StatementBundle): BookEntry {
    const { newest } = this;
    const opened = openStatement(bundle, this.dependencies.root);
    if (opened === undefined) return 'invalid';
    if (opened.hash === newest?.hash) return 'same';
    const order = newest === undefined ? 1 : compareRank(opened.statement, newest.statement);
    const isSameCharter = opened.statement.charterNumber === newest?.statement.charterNumber;
    // An owner whom a later charter has withdrawn says nothing any more.
    if (order < 0 && !isSameCharter) return 'older';
    if (order > 0 && isSameCharter && opened.statement.epoch < newest.statement.epoch) {
      // By a copy that does not know of an epoch: no successor, but what it removes is removed.
      this.removals.add({ removed: opened.statement.removed, readmitted: [] });
      return this.removals.isCoveredBy(newest.statement) ? 'invalid' : 'contradicts';
    }
    this.removals.add(opened.statement);
    if (order < 0) return 'older';
    if (order === 0) {
      this.rival = opened;
      return 'contradicts';
    }
    this.adopt(opened);
    return 'newer';
  }

  private adopt(opened: VerifiedStatement): void {
    const { clock } = this.dependencies;
    const { issuedMs, validUntilMs } = opened.statement;
    this.newest = opened;
    this.rival = undefined;
    if (issuedMs - clock.now() <= MAX_ISSUED_AHEAD_MS)
      this.floorMs = Math.max(this.floorMs, issuedMs);
    // An owner has signed since: a clock that was ahead for a while does no harm any longer.
    this.seenMs = 0;
    this.leaseEndMs = clock.monotonic() + validUntilMs - this.nowMs;
  }

  /** Time by which the lease ends. */
  private get nowMs(): number {
    return Math.max(this.dependencies.clock.now(), this.floorMs, this.seenMs);
  }

  /** A time that was kept may be later than the clock says: less of the lease is left then. */
  private see(seenMs: number): void {
    if (this.newest === undefined || seenMs <= this.seenMs) return;
    this.seenMs = seenMs;
    const leftMs = this.newest.statement.validUntilMs - this.nowMs;
    const endMs = this.dependencies.clock.monotonic() + leftMs;
    this.leaseEndMs = Math.min(this.leaseEndMs, endMs);
  }

  private keepTime(): void {
    const { newest } = this;
    if (newest === undefined) return;
    this.keptMs = this.dependencies.clock.monotonic();
    this.see(Math.max(this.nowMs, newest.statement.validUntilMs - this.leaseLeftMs));
    this.write();
  }

  private write(): void {
    const { file, logger } = this.dependencies;
    if (file === undefined || this.newest === undefined) return;
    try {
      // Another window may have heard of others.
      this.load();
      const { removed, readmitted } = this.removals.lists();
      writeJsonFile(file, {
        ...bundleMembers(this.newest.bundle),
        ...(this.rival && { rival: bundleMembers(this.rival.bundle) }),
        removals: { removed: rankedMembers(removed), readmitted: rankedMembers(readmitted) },
        ...(this.seenMs > 0 && { seenMs: this.seenMs }),
      });
      this.fileMs = this.modifiedMs();
    } catch (error) {
      logger.warn(`the statement of the team is not kept: ${describeError(error)}`);
    }
  }

  private load(): void {
    const { file, logger } = this.dependencies;
    this.fileMs = this.modifiedMs();
    const stored = file === undefined ? undefined : readJsonFile(file, storedSchema, logger);
    if (stored === undefined) return;
    if (stored.removals !== undefined) this.removals.add(stored.removals);
    for (const data of [stored, stored.rival]) {
      const bundle = readBundle(data);
      if (bundle !== undefined) this.enter(bundle);
    }
    const { signature } = readBundle(stored)?.statement ?? {};
    const isSame = this.newest?.bundle.statement.signature === signature;
    if (isSame && stored.seenMs !== undefined) this.see(stored.seenMs);
  }

  private modifiedMs(): number | undefined {
    const { file } = this.dependencies;
    return file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  }
}
