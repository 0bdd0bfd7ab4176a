import { compareRank, type RankedIdentity, type Statement } from './statement';

type Word = RankedIdentity & { readonly isRemoved: boolean };

/**
 * Removals and readmissions of one team: of each identity the word of the highest rank counts, and of
 * two words of one rank the removal. So the order in which statements arrive makes no difference, and
 * a statement that lacks a removal does not undo it.
 */
export class Removals {
  private readonly words = new Map<string, Word>();

  add({ removed, readmitted }: Pick<Statement, 'removed' | 'readmitted'>): void {
    for (const one of readmitted) this.take({ ...one, isRemoved: false });
    for (const one of removed) this.take({ ...one, isRemoved: true });
  }

  isRemoved(identity: string): boolean {
    return this.words.get(identity)?.isRemoved === true;
  }

  /**
   * Whether a statement says of every removed identity what is known of it, or something later. The
   * root key is above the owners of earlier charters: it need not repeat their removals.
   */
  isCoveredBy(statement: Statement): boolean {
    const said = new Removals();
    said.add(statement);
    return [...this.words.values()].every((word) => {
      if (!word.isRemoved || word.charterNumber < statement.charterNumber) return true;
      const other = said.words.get(word.identity);
      return other !== undefined && !isBefore(other, word);
    });
  }

  /** Lists as a statement has them. */
  lists(): Pick<Statement, 'removed' | 'readmitted'> {
    const words = [...this.words.values()];
    const pick = (isRemoved: boolean): RankedIdentity[] =>
      words
        .filter((word) => word.isRemoved === isRemoved)
        .map(({ identity, charterNumber, sequence }) => ({ identity, charterNumber, sequence }));
    return { removed: pick(true), readmitted: pick(false) };
  }

  private take(word: Word): void {
    const before = this.words.get(word.identity);
    if (before === undefined || isBefore(before, word)) this.words.set(word.identity, word);
  }
}

/** Whether a statement alone lets an identity take part. */
export function admits(statement: Statement, identity: string): boolean {
  const removals = new Removals();
  removals.add(statement);
  if (removals.isRemoved(identity)) return false;
  return statement.admission === 'invite' || statement.members.includes(identity);
}

function isBefore(left: Word, right: Word): boolean {
  const order = compareRank(left, right);
  return order < 0 || (order === 0 && right.isRemoved && !left.isRemoved);
}
