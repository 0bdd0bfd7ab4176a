import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { type Disposable, DisposableSlot } from '../../common/disposable';
import { PeershelfError } from '../../common/errors';
import { Emitter } from '../../common/events';
import { openEnvelope } from '../../protocol/envelope';
import { checkExpiry } from '../../protocol/invite';
import type { SignedText } from '../../protocol/signedText';
import type { StatementBundle } from '../../protocol/statement';
import type { StatementReply, StatementRequest } from '../../protocol/statementMessages';
import type { Catalogue } from '../catalogue/catalogue';
import type { AnnouncementSignatures } from '../control/announcer';
import type { TransferSecurity } from '../transfer/transferSecurity';
import { EntrySigner } from './entrySigner';
import { EntryTrust } from './entryTrust';
import { HostTrust, type HostTrustDependencies } from './hostTrust';
import { StatementBook } from './statementBook';
import type { TeamMember } from './teamMember';

/** Time without any tracker after which nobody is served: nothing would tell of a removal. */
export const MAX_UNCONFIRMED_MS = 3_600_000;

/** Clocks are looked at this often: a machine that slept, or whose clock was set, ends a lease early. */
const MAX_REVIEW_MS = 60_000;

/** Epochs before this one whose members are still told of it by their peers. */
const MAX_EARLIER_EPOCHS = 4;

export interface TeamSessionDependencies extends Omit<
  HostTrustDependencies,
  'pinsFile' | 'member' | 'admits'
> {
  readonly member: TeamMember;
  /** The same for the same session in another run. */
  readonly key: string;
  /** Folder of this user, for what all windows share. */
  readonly sharedFolder: string;
  /** What this peer offers, or did. */
  readonly catalogue: () => Pick<Catalogue, 'get' | 'withdrawn'> | undefined;
}

/** The request of the control connection that this needs. */
export interface StatementLink {
  /** Keying material of the connection. */
  readonly exporter: Uint8Array;
  readonly request: (request: StatementRequest) => Promise<StatementReply>;
}

/**
 * A team's part of a session: this member, the statement that says who the others are, whom this peer
 * believes, and what it signs.
 */
export class TeamSession implements Disposable {
  readonly trust: HostTrust;
  readonly entries: EntryTrust;
  readonly book: StatementBook;
  /** Of what is announced. */
  readonly signatures: AnnouncementSignatures;
  private readonly signer: EntrySigner;
  private readonly epochEmitter = new Emitter<void>();
  private readonly admissionEmitter = new Emitter<void>();
  private readonly review = new DisposableSlot();
  /** Why the last epoch has ended: a statement that is not this member's. */
  private lastEnd: string | undefined;
  private epochSecurity: TransferSecurity | undefined;
  /** Of epochs before, the last one first: their members are told what has happened since. */
  private earlierProofKeys: readonly KeyObject[] = [];
  /** When a tracker has confirmed the statement last, by monotonic time. */
  private confirmedMs: number;
  /** Set by a tracker that has changed its token, until its statement has arrived. */
  private isPaused = false;

  /** Fires when what was served under the statement so far must end. */
  readonly onDidEndEpoch = this.epochEmitter.event;
  /** Fires when `refusalOf` of the security so far may refuse others than before. */
  readonly onDidChangeAdmission = this.admissionEmitter.event;

  constructor(private readonly dependencies: TeamSessionDependencies) {
    const { clock, logger, member, key, sharedFolder, catalogue } = dependencies;
    const { teamId } = member;
    this.confirmedMs = clock.monotonic();
    this.book = new StatementBook({
      ...{ clock, logger, root: member.invite.root },
      file: join(sharedFolder, `statement-${key}.json`),
    });
    this.book.onDidChange(() => this.onBookChanged());
    const pinsFile = join(sharedFolder, `identities-${key}.json`);
    const admits = (identity: string): boolean => !this.book.isRemoved(identity);
    const trust = new HostTrust({ ...dependencies, admits, pinsFile });
    const signer = new EntrySigner(member, clock);
    this.trust = trust;
    this.signer = signer;
    this.entries = new EntryTrust({
      ...{ clock, logger, teamId },
      keyOf: (hostname) => trust.keyOf(hostname),
      onFetched: (hostname) => trust.keep(hostname),
      file: join(sharedFolder, `entries-${key}.json`),
    });
    this.signatures = {
      published: (hostname, file) => signer.published(hostname, file),
      withdrawn: (hostname, name) => {
        const entry = catalogue()?.withdrawn(name);
        return entry && signer.withdrawn(hostname, entry);
      },
    };
    this.scheduleReview();
  }

  get member(): TeamMember {
    return this.dependencies.member;
  }

  /** Secrets of transfers in this epoch: another object for each epoch. */
  get security(): TransferSecurity {
    const { identity, proofKey } = this.member;
    const known = this.epochSecurity;
    if (known?.proofKey === proofKey) return known;
    const security: TransferSecurity = {
      ...{ identity, proofKey },
      statements: {
        current: () => this.book.current?.bundle,
        take: (bundle) => void this.book.take(bundle),
        earlierProofKeys: this.earlierProofKeys,
      },
      refusalOf: (other) => {
        if (this.epochSecurity === security && this.admits(other)) return this.problem;
        return new PeershelfError('NOT_A_MEMBER', 'the epoch is over, or it was removed');
      },
    };
    this.epochSecurity = security;
    return security;
  }

  /** Reason why nobody is served and nothing is fetched, or undefined. */
  get problem(): PeershelfError | undefined {
    switch (this.book.standing) {
      case 'unknown':
        return new PeershelfError('MEMBERSHIP_UNCLEAR', 'no statement of the team has arrived');
      case 'contradicted':
        return new PeershelfError('MEMBERSHIP_UNCLEAR', 'owners of the team contradict each other');
      case 'ahead':
        return new PeershelfError('MEMBERSHIP_UNCLEAR', 'the statement is issued in the future');
      case 'expired':
        return new PeershelfError('LEASE_ENDED', 'no owner has renewed the session');
      case 'valid':
    }
    const { current } = this.book;
    if (this.isPaused || (current !== undefined && !this.member.hasKeyOf(current.statement)))
      return new PeershelfError('MEMBERSHIP_UNCLEAR', 'the session is being renewed');
    if (this.unconfirmedLeftMs <= 0)
      return new PeershelfError('MEMBERSHIP_UNCLEAR', 'no tracker has been reached for an hour');
    return undefined;
  }

  /**
   * Refuses an invite that may not be used, before anything is connected.
   * @param isReturning whether this user comes back by itself, rather than by an invite just given.
   * @throws INVITE_EXPIRED, INVITE_OUTDATED.
   */
  checkInvite(isReturning: boolean): void {
    const { invite } = this.member;
    const known = this.book.current?.statement;
    if (known === undefined || !isReturning) checkExpiry(invite, this.dependencies.clock.now());
    if (known === undefined || isReturning) return;
    const { charterNumber, epoch } = invite.team;
    if (charterNumber < known.charterNumber || epoch < known.epoch) throw outdated();
  }

  /**
   * Brings this member in line with the statement of a tracker, as the first thing on a connection.
   * Nothing else is sent before.
   * @throws INVITE_OUTDATED, MEMBER_REMOVED for good; MEMBERSHIP_UNCLEAR, TRACKER_BEHIND.
   */
  async enter({ exporter, request }: StatementLink): Promise<void> {
    const shown = this.member.showIdentity(exporter);
    const ask = (bundle?: StatementBundle): Promise<StatementReply> =>
      request({ ...shown, ...(bundle && { bundle }) });
    let reply = await ask();
    let entry = this.book.take(reply.bundle);
    if (entry === 'older' && this.book.current !== undefined) {
      // It has lost a statement: whoever has it brings it back.
      reply = await ask(this.book.current.bundle);
      entry = this.book.take(reply.bundle);
    }
    const current = this.book.current?.statement;
    if (entry === 'older')
      throw new PeershelfError('TRACKER_BEHIND', 'the tracker knows an older statement only');
    if (entry === 'contradicts' || entry === 'invalid' || current === undefined)
      throw new PeershelfError('MEMBERSHIP_UNCLEAR', `the statement of the tracker is ${entry}`);
    if (!this.admitsItself)
      throw new PeershelfError('MEMBER_REMOVED', 'an owner has removed this member');
    if (!this.member.hasKeyOf(current)) this.open(reply);
    this.isPaused = false;
    this.confirm();
  }

  /** The tracker has been heard of. */
  confirm(): void {
    this.confirmedMs = this.dependencies.clock.monotonic();
    this.scheduleReview();
  }

  /** The tracker says that its token has changed: whoever was removed is served no more. */
  pause(): void {
    this.isPaused = true;
    this.endEpoch();
  }

  /** Signed entry of a name as of now; see `EntrySigner`. Undefined as long as there is no host. */
  sign(hostname: string | undefined, name: string): SignedText | undefined {
    if (hostname === undefined) return undefined;
    const entry = this.dependencies.catalogue()?.get(name);
    if (entry !== undefined) return this.signer.published(hostname, entry);
    return this.signatures.withdrawn(hostname, name);
  }

  dispose(): void {
    this.review.dispose();
    this.trust.dispose();
    this.entries.dispose();
  }

  private get admitsItself(): boolean {
    return this.admits(this.member.identity.fingerprint);
  }

  private admits(identity: string): boolean {
    return this.book.admits(identity);
  }

  private get unconfirmedLeftMs(): number {
    return this.confirmedMs + MAX_UNCONFIRMED_MS - this.dependencies.clock.monotonic();
  }

  private onBookChanged(): void {
    const { book, admitsItself } = this;
    const { current } = book;
    const isOver = current !== undefined && !this.member.hasKeyOf(current.statement);
    const end = `${current?.hash} ${admitsItself}`;
    // To end an epoch asks the tracker, whose answer may lead here again: once for each end.
    if ((isOver || !admitsItself) && end !== this.lastEnd) {
      this.lastEnd = end;
      this.endEpoch();
    } else this.admissionEmitter.fire();
    this.scheduleReview();
  }

  /** Transfers end with the time that is left, also when nothing is said and nobody asks. */
  private scheduleReview(): void {
    const ends = [this.book.leaseLeftMs, this.unconfirmedLeftMs].filter((leftMs) => leftMs > 0);
    this.review.set(
      this.dependencies.clock.after(Math.min(MAX_REVIEW_MS, ...ends), () => {
        this.book.refresh();
        if (this.problem !== undefined) this.admissionEmitter.fire();
        this.scheduleReview();
      }),
    );
  }

  private endEpoch(): void {
    this.epochSecurity = undefined;
    this.epochEmitter.fire();
  }

  /** @throws INVITE_OUTDATED without an envelope of the epoch for this member. */
  private open({ envelope }: StatementReply): void {
    const { current } = this.book;
    const { fingerprint, privateKey } = this.member.identity;
    if (current === undefined || envelope === undefined) throw outdated();
    const { teamId: id, charterNumber, epoch, commitment } = current.statement;
    const team = openEnvelope(
      envelope,
      { id, charterNumber, epoch, commitment },
      { identity: fingerprint, privateKey },
    );
    if (team === undefined) throw outdated();
    const { proofKey } = this.member;
    this.earlierProofKeys = [proofKey, ...this.earlierProofKeys].slice(0, MAX_EARLIER_EPOCHS);
    this.member.enter(team);
  }
}

function outdated(): PeershelfError {
  return new PeershelfError('INVITE_OUTDATED', 'the invite is of an earlier epoch');
}
