import { strict as assert } from 'node:assert';
import { createHash, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { nullLogger } from '../../../src/common/logger';
import { StatementBook } from '../../../src/peer/team/statementBook';
import {
  createSessionRecord,
  formatSessionRecord,
  parseSessionRecord,
} from '../../../src/peer/team/sessionRecord';
import { openCharter, signCharter } from '../../../src/protocol/charter';
import { openEnvelope, sealEnvelope, sealingPointOf } from '../../../src/protocol/envelope';
import { formatInvite, parseInvite } from '../../../src/protocol/invite';
import { MAX_OWNERS, MAX_STATEMENT_IDENTITIES } from '../../../src/protocol/limits';
import { identityOf } from '../../../src/protocol/p256';
import { SIGNATURE_BYTES, signBytes, signText } from '../../../src/protocol/signedText';
import { bundleMembers, openStatement, readBundleText } from '../../../src/protocol/statement';
import {
  readStatementReply,
  readStatementRequest,
  statementRequestMembers,
} from '../../../src/protocol/statementMessages';
import { commitmentOf } from '../../../src/protocol/teamKeys';
import { TeamState } from '../../../src/tracker/teamState';
import { FakeClock } from '../../support/fakeClock';
import { storedIdentity } from '../../support/identities';
import { newInvite, newKeyPair, newStatement } from '../../support/teams';
import { type FuzzTarget, orRefused } from '../fuzzTarget';
import { anyText, anyValue, mutated } from '../mutation';

const INVITE_REFUSALS = ['INVITE_DAMAGED', 'INVITE_TOO_NEW', 'INVITE_FORGED'] as const;
const CHECKSUM_BYTES = 4;

const OWNER = newKeyPair();
const SECOND_OWNER = newKeyPair();
const TEAM_ID = identityOf(OWNER.publicKey);
const REMOVED = 'aa'.repeat(32);
const alice = storedIdentity('alice');

const BEFORE = newStatement(OWNER, {
  ...{ sequence: 2, epoch: 2 },
  removed: [{ identity: REMOVED, charterNumber: 0, sequence: 2 }],
});
const CHARTER = signCharter(
  { number: 1, owners: [OWNER.publicKey, SECOND_OWNER.publicKey] },
  OWNER.privateKey,
);
const EPOCH = {
  ...{ id: TEAM_ID, charterNumber: 0, epoch: 2 },
  key: createSecretKey(Buffer.alloc(32, 3)),
};
const COMMITMENT = { ...EPOCH, commitment: commitmentOf(EPOCH) };
const ENVELOPE = sealEnvelope(EPOCH, {
  identity: alice.fingerprint,
  sealingPoint: sealingPointOf(alice.privateKey),
});

/** Values on which conversions trip that JSON can carry. */
const AWKWARD = fc.constantFrom<unknown>(
  ...[{ toString: 1, valueOf: 1 }, { length: 1e9 }, [[[]]], 0xffff_ffff, 2 ** 32, 2 ** 53 - 1],
  ...[{ statement: null }, 'ab'.repeat(32), [['ab'.repeat(32), 0, 1]], [['ab'.repeat(32), 9, 9]]],
);

/** A JSON object in which some members are other ones. */
function changedMembers(members: object): fc.Arbitrary<Record<string, unknown>> {
  const names = Object.keys(members);
  const change = fc.tuple(
    fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...names) }, anyText()),
    fc.oneof(anyValue(), AWKWARD),
  );
  return fc
    .array(change, { maxLength: 3 })
    .map((changes) => ({ ...members, ...Object.fromEntries(changes) }));
}

/** Bytes of which some are other ones, or missing, or more. */
function changedBytes(bytes: Buffer): fc.Arbitrary<Buffer> {
  const edit = fc.tuple(
    fc.constantFrom('set', 'set', 'cut', 'insert'),
    fc.nat(),
    fc.nat(255),
    fc.integer({ min: 1, max: 40 }),
  );
  return fc.array(edit, { maxLength: 4 }).map((edits) =>
    edits.reduce((before, [how, place, value, length]) => {
      const at = place % (before.length + 1);
      const [head, tail] = [before.subarray(0, at), before.subarray(at)];
      if (how === 'cut') return Buffer.concat([head, tail.subarray(length)]);
      const added = Buffer.alloc(how === 'set' ? 1 : length, value);
      return Buffer.concat([head, added, tail.subarray(how === 'set' ? 1 : 0)]);
    }, bytes),
  );
}

const STATEMENT_MEMBERS = JSON.parse(BEFORE.bundle.statement.text) as object;

/** Statements that an owner signs and means no good by: no reader fails, and no removal vanishes. */
export const statements: FuzzTarget = {
  name: 'statements',
  share: 8,
  property: () => {
    const later = fc
      .tuple(changedMembers(STATEMENT_MEMBERS), fc.integer({ min: 1, max: 9 }))
      .map(([members, seq]) => JSON.stringify({ ...members, seq }));
    const text = fc.oneof(
      later,
      changedMembers(STATEMENT_MEMBERS).map((members) => JSON.stringify(members)),
      mutated(fc.constant(BEFORE.bundle.statement.text)),
    );
    return fc.property(text, fc.boolean(), (said, hasCharter) => {
      const bundle = {
        statement: signText('statement', said, OWNER.privateKey),
        ...(hasCharter && { charter: CHARTER }),
      };
      const opened = orRefused([], () => openStatement(bundle, OWNER.publicKey));
      const clock = new FakeClock();
      const [root, logger, file] = [OWNER.publicKey, nullLogger, undefined];
      const book = new StatementBook({ clock, logger, root, file });
      book.take(BEFORE.bundle);
      const state = new TeamState({ logger, root, file, initial: BEFORE });
      const entry = orRefused([], () => book.take(bundle));
      const taken = orRefused([], () => state.take(bundle));
      assert.ok(book.standing.length > 0);
      if (opened === undefined) {
        assert.equal(entry, 'invalid');
        assert.equal(taken, 'refused');
        return;
      }
      const { statement } = opened;
      assert.equal(statement.teamId, TEAM_ID);
      assert.equal(statement.ownerId, identityOf(OWNER.publicKey));
      assert.ok(statement.removed.length <= MAX_STATEMENT_IDENTITIES);
      assert.equal(statement.charterNumber, hasCharter ? 1 : 0);
      const isReadmitted = statement.readmitted.some(({ identity }) => identity === REMOVED);
      if (!isReadmitted) assert.ok(book.isRemoved(REMOVED), 'the removal holds');
      if (taken === 'taken' && !hasCharter && !isReadmitted)
        assert.equal(state.admits(REMOVED), false);
    });
  },
};

/** Charters by a root key that means no good, and by nobody. */
export const charters: FuzzTarget = {
  name: 'charters',
  share: 4,
  property: () =>
    fc.property(changedBytes(CHARTER.bytes), fc.boolean(), (bytes, isSigned) => {
      const signature = isSigned
        ? signBytes('charter', bytes, OWNER.privateKey)
        : CHARTER.signature;
      const opened = orRefused([], () => openCharter({ bytes, signature }, OWNER.publicKey));
      if (opened === undefined) return;
      assert.ok(isSigned || bytes.equals(CHARTER.bytes), 'only the root key makes owners');
      assert.ok(opened.owners.length >= 1 && opened.owners.length <= MAX_OWNERS);
      assert.deepEqual(signCharter(opened, OWNER.privateKey).bytes, bytes, 'one spelling');
    }),
};

/** Envelopes that anybody makes: they open with the key that the statement commits to, or not at all. */
export const envelopes: FuzzTarget = {
  name: 'envelopes',
  share: 4,
  property: () => {
    const part = (text: string): fc.Arbitrary<string> =>
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(text) },
        changedBytes(Buffer.from(text, 'base64url')).map((bytes) => bytes.toString('base64url')),
        mutated(fc.constant(text)),
      );
    const envelope = fc.record({
      to: fc.oneof({ weight: 5, arbitrary: fc.constant(ENVELOPE.to) }, anyText()),
      key: part(ENVELOPE.key),
      sealed: part(ENVELOPE.sealed),
    });
    const member = { identity: alice.fingerprint, privateKey: alice.privateKey };
    return fc.property(envelope, fc.integer({ min: 1, max: 3 }), (shown, epoch) => {
      const opened = orRefused([], () => openEnvelope(shown, { ...COMMITMENT, epoch }, member));
      if (opened === undefined) return;
      assert.equal(epoch, EPOCH.epoch);
      assert.ok(opened.key.equals(EPOCH.key));
    });
  },
};

/** STATEMENT, its reply, and what peers tell each other: read without harm, and written the same. */
export const statementMessages: FuzzTarget = {
  name: 'statement-messages',
  share: 6,
  property: () => {
    const proof = BEFORE.bundle.statement.signature;
    const charter = bundleMembers({ ...BEFORE.bundle, charter: CHARTER });
    const request = { certificate: alice.certificate, proof, owner: { id: TEAM_ID, proof } };
    const whole = { ...request, ...charter, envelopes: [ENVELOPE], envelope: ENVELOPE };
    const message = fc.oneof(
      changedMembers(whole),
      changedMembers({ ...whole, envelopes: 3 }),
      changedMembers(charter).map((bundle) => ({ ...whole, ...bundle })),
      changedMembers(BEFORE.bundle.statement).map((statement) => ({ ...whole, statement })),
      changedMembers(ENVELOPE).map((one) => ({ ...whole, envelope: one, envelopes: [one] })),
    );
    const written = fc.oneof(
      { weight: 3, arbitrary: message.map((value) => JSON.stringify(value)) },
      mutated(message.map((value) => JSON.stringify(value))),
      anyText(),
    );
    return fc.property(message, written, (members, text) => {
      // As it arrives.
      const data = JSON.parse(JSON.stringify(members)) as Record<string, unknown>;
      const read = orRefused([], () => readStatementRequest(data));
      if (read !== undefined) {
        const again = JSON.parse(JSON.stringify(statementRequestMembers(read))) as unknown;
        assert.deepEqual(readStatementRequest(again), read);
      }
      const reply = orRefused([], () => readStatementReply(data));
      if (reply !== undefined)
        assert.ok(Number.isSafeInteger(reply.envelopeCount) && reply.envelopeCount >= 0);
      const bundle = orRefused([], () => readBundleText(text));
      if (bundle !== undefined)
        assert.deepEqual(readBundleText(JSON.stringify(bundleMembers(bundle))), bundle);
    });
  },
};

/** Invites that somebody signs who means no good: signature and checksum are right. */
export const signedInvites: FuzzTarget = {
  name: 'signed-invites',
  share: 6,
  property: () => {
    const invite = newInvite({ owner: OWNER });
    const whole = Buffer.from(formatInvite(invite).slice(17), 'base64url');
    const signedLength = invite.signed.length - SIGNATURE_BYTES;
    const places = whole.subarray(invite.signed.length, -CHECKSUM_BYTES);
    return fc.property(
      changedBytes(whole.subarray(0, signedLength)),
      changedBytes(places),
      fc.boolean(),
      (bytes, hints, isSigned) => {
        const signature = isSigned
          ? signBytes('invite', bytes, OWNER.privateKey)
          : invite.signed.subarray(signedLength);
        const content = Buffer.concat([bytes, signature, hints]);
        const sum = createHash('sha256').update(content).digest().subarray(0, CHECKSUM_BYTES);
        const text = Buffer.concat([content, sum]).toString('base64url');
        const read = orRefused(INVITE_REFUSALS, () => parseInvite(`peershelf://join/${text}`));
        if (read === undefined) return;
        assert.equal(read.team.id, TEAM_ID, 'nobody else signs for the team');
        assert.ok(isSigned || read.signed.equals(invite.signed));
        assert.ok(read.team.epoch >= 1);
        assert.deepEqual(parseInvite(formatInvite(read)).signed, read.signed);
      },
    );
  },
};

/** Records that an owner keeps, damaged or from another version: refused, or the same session. */
export const sessionRecords: FuzzTarget = {
  name: 'session-records',
  share: 4,
  property: () => {
    const made = createSessionRecord('Team', new Date(1_700_000_000_000)).then((record) => ({
      record,
      text: formatSessionRecord(record),
    }));
    const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(anyValue(), AWKWARD)), { maxLength: 2 });
    const edits = fc.func(fc.nat(255));
    return fc.asyncProperty(changes, edits, fc.boolean(), async (changed, at, isText) => {
      const { record, text } = await made;
      const members = JSON.parse(text) as Record<string, unknown>;
      const names = Object.keys(members);
      for (const [index, value] of changed) members[names[index % names.length]!] = value;
      const place = (at('place') * 256 + at('low')) % text.length;
      const damaged =
        text.slice(0, place) + String.fromCodePoint(at('character')) + text.slice(place + 1);
      const shown = isText ? damaged : JSON.stringify(members);
      const read = orRefused(['INVALID_ARGUMENT'], () => parseSessionRecord(shown));
      if (read === undefined) return;
      assert.equal(read.team.id, record.team.id);
      assert.ok(read.team.key.equals(record.team.key));
    });
  },
};
