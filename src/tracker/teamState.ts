import * as v from 'valibot';
import type { KeyObject } from 'node:crypto';
import { describeError } from '../common/errors';
import { readJsonFile, writeJsonFile } from '../common/jsonFile';
import type { Logger } from '../common/logger';
import { type Charter, openCharter, ownerOf } from '../protocol/charter';
import { type Envelope, envelopeSchema } from '../protocol/envelope';
import { admits, Removals } from '../protocol/removals';
import {
  bundleMembers,
  compareRank,
  openStatement,
  readBundle,
  type StatementBundle,
  type VerifiedStatement,
} from '../protocol/statement';
import { MAX_ENVELOPES } from '../protocol/statementMessages';

export interface TeamStateDependencies {
  readonly logger: Logger;
  /** Public root key of the team: the only trust anchor. */
  readonly root: KeyObject;
  readonly initial: VerifiedStatement;
  /** File that keeps statement and envelopes over restarts; undefined: nothing does. */
  readonly file: string | undefined;
}

/** Result of a statement that somebody has brought. */
export type Taken =
  /** It is the current one now. */
  | 'taken'
  /** It is the current one already. */
  | 'current'
  /** It is older, contradicts the current one, or no owner has signed it. */
  | 'refused';

const storedSchema = v.looseObject({
  envelopes: v.pipe(v.array(envelopeSchema), v.maxLength(MAX_ENVELOPES)),
});

/**
 * Statement of the session, as its tracker knows it, with the envelopes of its epoch. It never goes
 * back to an earlier statement, nor to one that lacks a removal: neither by a replay, nor by a copy of
 * the owner's key that was restored, nor by a restart with an old verifier.
 */
export class TeamState {
  private verified: VerifiedStatement;
  private envelopes = new Map<string, Envelope>();

  constructor(private readonly dependencies: TeamStateDependencies) {
    this.verified = dependencies.initial;
    this.load();
  }

  get current(): VerifiedStatement {
    return this.verified;
  }

  get envelopeCount(): number {
    return this.envelopes.size;
  }

  envelopeOf(identity: string): Envelope | undefined {
    return this.envelopes.get(identity);
  }

  /** Whether an identity may take part, if it has the token. */
  admits(identity: string): boolean {
    return admits(this.verified.statement, identity);
  }

  /** The owner with an identity, by the current charter or a later one that the root key has signed. */
  ownerOf(identity: string, { charter }: Partial<StatementBundle> = {}): KeyObject | undefined {
    const { root } = this.dependencies;
    const known: Charter = this.verified.charter;
    const other = charter && openCharter(charter, root);
    return ownerOf(other !== undefined && other.number > known.number ? other : known, identity);
  }

  /**
   * Takes a statement with the envelopes of its epoch, both or neither.
   * @param envelopes that an owner has brought; undefined: those of the epoch stay.
   */
  take(bundle: StatementBundle, envelopes?: readonly Envelope[]): Taken {
    const opened = openStatement(bundle, this.dependencies.root);
    if (opened === undefined) return 'refused';
    const isCurrent = opened.hash === this.verified.hash;
    if (!isCurrent && !isSuccessor(opened, this.verified)) return 'refused';
    const isSameEpoch = opened.statement.commitment === this.verified.statement.commitment;
    if (isCurrent && envelopes === undefined) return 'current';
    this.verified = opened;
    if (envelopes !== undefined) this.keep(envelopes);
    else if (!isSameEpoch) this.envelopes = new Map();
    this.write();
    return isCurrent ? 'current' : 'taken';
  }

  private keep(envelopes: readonly Envelope[]): void {
    this.envelopes = new Map(envelopes.map((envelope) => [envelope.to, envelope]));
  }

  private write(): void {
    const { file, logger } = this.dependencies;
    if (file === undefined) return;
    try {
      const envelopes = [...this.envelopes.values()];
      writeJsonFile(file, { ...bundleMembers(this.verified.bundle), envelopes });
    } catch (error) {
      logger.warn(`the statement of the session is not kept: ${describeError(error)}`);
    }
  }

  private load(): void {
    const { file, logger, root } = this.dependencies;
    const stored = file === undefined ? undefined : readJsonFile(file, storedSchema, logger);
    const bundle = stored && readBundle(stored);
    const opened = bundle && openStatement(bundle, root);
    if (stored === undefined || opened === undefined) return;
    const { initial } = this.dependencies;
    // Without this a verifier by a restored copy of the owner's key would undo removals.
    if (opened.hash !== initial.hash && isSuccessor(initial, opened)) {
      const isSameEpoch = opened.statement.commitment === initial.statement.commitment;
      if (isSameEpoch) this.keep(stored.envelopes);
      return;
    }
    if (opened.hash !== initial.hash && !isSuccessor(opened, initial))
      logger.warn('the verifier contradicts the statement of the session, which stays');
    this.verified = opened;
    this.keep(stored.envelopes);
  }
}

/** Whether a statement may replace another one. A new charter may undo what the old owners have done. */
function isSuccessor(next: VerifiedStatement, before: VerifiedStatement): boolean {
  if (compareRank(next.statement, before.statement) <= 0) return false;
  if (next.statement.charterNumber > before.statement.charterNumber) return true;
  if (next.statement.epoch < before.statement.epoch) return false;
  const removals = new Removals();
  removals.add(before.statement);
  return removals.isCoveredBy(next.statement);
}
