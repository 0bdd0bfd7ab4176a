import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nullLogger } from '../../../src/common/logger';
import { StatementBook } from '../../../src/peer/team/statementBook';
import { impliedCharter, signCharter } from '../../../src/protocol/charter';
import { MAX_STATEMENT_IDENTITIES } from '../../../src/protocol/limits';
import { identityOf } from '../../../src/protocol/p256';
import {
  signStatement,
  type Statement,
  type StatementBundle,
} from '../../../src/protocol/statement';
import { useCleanup } from '../../support/cleanup';
import { FakeClock } from '../../support/fakeClock';
import { newKeyPair, newStatement } from '../../support/teams';
import { temporaryFolder } from '../../support/temporaryFolder';

const DAY_MS = 24 * 3_600_000;
const LEASE_MS = 14 * DAY_MS;
const X = '11'.repeat(32);
const Y = '22'.repeat(32);

describe('the statements that a member knows', () => {
  const cleanup = useCleanup();
  const owner = newKeyPair();
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
  });

  const bookOf = (file?: string): StatementBook =>
    new StatementBook({ clock, logger: nullLogger, root: owner.publicKey, file });
  const say = (sequence: number, part: Partial<Statement> = {}): StatementBundle => {
    const issuedMs = part.issuedMs ?? clock.now();
    const lease = { issuedMs, validUntilMs: issuedMs + LEASE_MS };
    return newStatement(owner, { sequence, ...lease, ...part }).bundle;
  };
  const removal = (identity: string, sequence: number): Partial<Statement> => ({
    removed: [{ identity, charterNumber: 0, sequence }],
  });

  it('hold until exactly the end of the lease, and not longer with the clock set back', () => {
    const book = bookOf();
    assert.equal(book.standing, 'unknown');
    assert.equal(book.take(say(1)), 'newer');
    clock.advance(LEASE_MS - 1);
    assert.equal(book.standing, 'valid');
    clock.setBack(10 * DAY_MS);
    clock.advance(1);
    assert.equal(book.standing, 'expired');
    assert.equal(book.take(say(2)), 'newer');
    assert.equal(book.standing, 'valid', 'an owner has renewed it');
  });

  it('hold no longer after a restart with the clock set back before they were issued', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    bookOf(file).take(say(1));
    clock.setBack(DAY_MS);
    const book = bookOf(file);
    assert.equal(book.standing, 'valid');
    // By the time of the owner, which the clock has not reached.
    clock.advance(LEASE_MS);
    assert.equal(book.standing, 'expired');
  });

  it('hold no longer after a restart with the clock set back, until an owner signs again', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    const book = bookOf(file);
    book.take(say(1));
    clock.advance(10 * DAY_MS);
    book.refresh();
    clock.setBack(10 * DAY_MS);
    const second = bookOf(file);
    assert.equal(second.standing, 'valid');
    clock.advance(4 * DAY_MS - 1);
    assert.equal(second.standing, 'valid');
    second.refresh();
    clock.setBack(4 * DAY_MS);
    clock.advance(1);
    assert.equal(second.standing, 'expired');
    second.refresh();
    const third = bookOf(file);
    clock.advance(1);
    assert.equal(third.standing, 'expired');
    third.take(say(2, { issuedMs: clock.now() }));
    for (const one of [third, bookOf(file)]) assert.equal(one.standing, 'valid');
  });

  it('of another window are heard of without any tracker', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    const [book, other] = [bookOf(file), bookOf(file)];
    book.take(say(1));
    let changes = 0;
    book.onDidChange(() => (changes += 1));
    book.refresh();
    assert.equal(changes, 0);
    other.take(say(2, removal(X, 2)));
    book.refresh();
    assert.equal(book.isRemoved(X), true);
    assert.equal(changes, 1);
  });

  it('never go back, whoever brings what', () => {
    const book = bookOf();
    const first = say(1);
    book.take(say(2, { epoch: 2 }));
    assert.equal(book.take(first), 'older');
    assert.equal(book.take(say(3, { epoch: 1 })), 'invalid', 'the epoch falls');
    const stranger = newKeyPair();
    assert.equal(book.take(newStatement(stranger, { sequence: 9 }).bundle), 'invalid');
    assert.equal(book.current?.statement.sequence, 2);
  });

  it('keep every removal, also one that a later statement lacks, and then serve nobody', () => {
    const book = bookOf();
    book.take(say(1));
    book.take(say(2, removal(X, 2)));
    assert.equal(book.standing, 'valid');
    assert.equal(book.isRemoved(X), true);
    // A branch of another owner, or of a restored copy, that does not know of it.
    assert.equal(book.take(say(3)), 'newer');
    assert.equal(book.isRemoved(X), true);
    assert.equal(book.standing, 'contradicted');
    book.take(say(4, removal(X, 2)));
    assert.equal(book.standing, 'valid');
  });

  it('keep removals over restarts that the newest statement does not know of', () => {
    const orders = [
      [say(2, removal(X, 2)), say(3)],
      [say(3), say(2, removal(X, 2))],
    ];
    for (const bundles of orders) {
      const file = join(temporaryFolder(cleanup), 'statement.json');
      const book = bookOf(file);
      for (const bundle of bundles) book.take(bundle);
      for (const one of [book, bookOf(file)]) {
        assert.equal(one.current?.statement.sequence, 3);
        assert.equal(one.isRemoved(X), true);
        assert.equal(one.standing, 'contradicted');
      }
      book.take(say(4, removal(X, 2)));
      assert.equal(bookOf(file).standing, 'valid');
    }
  });

  it('of a later sequence and an earlier epoch remove, and nobody is served, also after restarts', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    const book = bookOf(file);
    book.take(say(3, { epoch: 3 }));
    assert.equal(book.take(say(6, { epoch: 2, ...removal(X, 6) })), 'contradicts');
    for (const one of [book, bookOf(file)]) {
      assert.equal(one.current?.statement.sequence, 3);
      assert.equal(one.isRemoved(X), true);
      assert.equal(one.standing, 'contradicted');
    }
    const readmits = { readmitted: removal(X, 7).removed ?? [] };
    book.take(say(7, { epoch: 2, ...readmits }));
    assert.equal(book.isRemoved(X), true, 'it readmits nobody');
    assert.equal(book.take(say(8, { epoch: 4, ...removal(X, 6) })), 'newer');
    assert.equal(bookOf(file).standing, 'valid');
  });

  it('keep more removals over restarts than one statement has', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    const book = bookOf(file);
    for (const sequence of [2, 3]) {
      const removed = Array.from({ length: MAX_STATEMENT_IDENTITIES }, (_, index) => ({
        identity: `${sequence}`.repeat(60) + `${index}`.padStart(4, '0'),
        charterNumber: 0,
        sequence,
      }));
      book.take(say(sequence, { removed }));
    }
    const again = bookOf(file);
    assert.equal(again.isRemoved(`${'2'.repeat(60)}0000`), true);
    assert.equal(again.isRemoved(`${'3'.repeat(60)}0999`), true);
  });

  it('of one rank that differ count both, and nobody is served until an owner joins them', () => {
    for (const order of [
      [X, Y],
      [Y, X],
    ]) {
      const file = join(temporaryFolder(cleanup), 'statement.json');
      const book = bookOf(file);
      for (const identity of order) book.take(say(2, removal(identity, 2)));
      for (const one of [book, bookOf(file)]) {
        assert.deepEqual([one.isRemoved(X), one.isRemoved(Y)], [true, true]);
        assert.equal(one.standing, 'contradicted');
      }
      const { removed: x = [] } = removal(X, 2);
      const { removed: y = [] } = removal(Y, 2);
      assert.equal(book.take(say(3, { removed: [...x, ...y] })), 'newer');
      assert.equal(book.standing, 'valid');
    }
  });

  it('of a withdrawn owner count for nothing', () => {
    const second = newKeyPair();
    const book = bookOf();
    const { statement } = newStatement(owner, { sequence: 1, issuedMs: clock.now() });
    const charters = [1, 2].map((number) => {
      const owners = number === 1 ? [owner.publicKey, second.publicKey] : [owner.publicKey];
      return signCharter({ number, owners }, owner.privateKey);
    });
    const under = (number: number, by = owner, part: Partial<Statement> = {}): StatementBundle => ({
      charter: charters[number - 1],
      statement: signStatement(
        {
          ...{ ...statement, charterNumber: number, validUntilMs: clock.now() + LEASE_MS },
          ownerId: identityOf(by.publicKey),
          ...part,
        },
        by.privateKey,
      ),
    });
    assert.equal(book.take({ statement: statementOf(statement) }), 'newer');
    assert.equal(book.take(under(1, second, { sequence: 2 })), 'newer');
    assert.equal(book.take(under(2, owner, { sequence: 3 })), 'newer');
    assert.equal(book.take(under(1, second, { sequence: 9, ...removal(X, 9) })), 'older');
    assert.equal(book.isRemoved(X), false);
    assert.equal(book.take(under(2, second, { sequence: 9 })), 'invalid');
    assert.equal(impliedCharter(owner.publicKey).owners.length, 1);
  });
  const statementOf = (statement: Statement) => signStatement(statement, owner.privateKey);

  it('of the future remove, but nobody is served by them until the clocks agree', () => {
    const book = bookOf();
    book.take(say(1));
    const ahead = clock.now() + 2 * DAY_MS;
    book.take(say(2, { issuedMs: ahead, ...removal(X, 2) }));
    assert.equal(book.isRemoved(X), true);
    assert.equal(book.standing, 'ahead');
    clock.advance(DAY_MS + 1);
    assert.equal(book.standing, 'valid');
  });

  it('are read again by the next run and by other windows, and a damaged file is none', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    const [one, two] = [bookOf(file), bookOf(file)];
    one.take(say(2, removal(X, 2)));
    two.take(say(1));
    const third = bookOf(file);
    assert.equal(third.current?.statement.sequence, 2);
    assert.equal(third.isRemoved(X), true);
    writeFileSync(file, '{"statement":');
    assert.equal(bookOf(file).current, undefined);
  });
});
