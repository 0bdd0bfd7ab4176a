import { strict as assert } from 'node:assert';
import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { formatHostPort, parseHostPort } from '../../../src/protocol/address';
import {
  formatInvite,
  formatInviteLink,
  type Invite,
  parseInvite,
} from '../../../src/protocol/invite';
import { MAX_INVITE_ADDRESSES } from '../../../src/protocol/limits';
import { parseVerifier } from '../../../src/protocol/verifier';
import { type FuzzTarget, orRefused } from '../fuzzTarget';
import { newInvite, newKeyPair } from '../../support/teams';
import { anyText, mutated } from '../mutation';

const REFUSALS = ['INVITE_NOT_FOUND', 'INVITE_DAMAGED', 'INVITE_TOO_NEW', 'INVITE_FORGED'] as const;

const OWNER = newKeyPair();

const bytes = (count: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: count, maxLength: count }).map((value) => Buffer.from(value));

function invites(): fc.Arbitrary<Invite> {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('localhost', 'máy-chủ.example'));
  const address = fc.record(
    { host, port: fc.integer({ min: 1, max: 65_535 }) },
    { noNullPrototype: true },
  );
  const content = fc.record({
    sessionName: fc.constantFrom('Team', 'Lớp 10A', ' x', '[x](command:a)', '$(error)', '\u202ex'),
    addresses: fc.array(address, { minLength: 1, maxLength: MAX_INVITE_ADDRESSES }),
    fingerprint: bytes(32).map((value) => value.toString('hex')),
    team: fc.record({
      charterNumber: fc.constant(0),
      epoch: fc.integer({ min: 1, max: 0xffff_ffff }),
      key: bytes(32).map((value) => createSecretKey(value)),
    }),
  });
  return content.map((value) => newInvite({ owner: OWNER, ...value }));
}

function assertSame(actual: Invite, expected: Invite): void {
  assert.equal(actual.sessionName, expected.sessionName);
  assert.equal(actual.fingerprint, expected.fingerprint);
  assert.equal(actual.team.id, expected.team.id);
  assert.ok(actual.team.key.equals(expected.team.key));
  assert.equal(actual.team.epoch, expected.team.epoch);
  // As many as there is room for.
  const { length } = actual.addresses;
  assert.ok(length > 0);
  assert.deepEqual(actual.addresses, expected.addresses.slice(0, length));
}

/** Invites and verifiers: read as they were made, or refused, whatever was done to them. */
export const inviteTexts: FuzzTarget = {
  name: 'invites',
  share: 15,
  property: () => {
    const spelling = fc.constantFrom(formatInvite, (invite: Invite) =>
      formatInviteLink(invite, 'vscode-insiders'),
    );
    const edits = fc.constantFrom('whole', 'changed', 'any');
    return fc.property(
      fc.tuple(invites(), spelling, edits).chain(([invite, spell, edit]) => {
        const text = spell(invite);
        const shown = edit === 'whole' ? fc.constant(text) : mutated(fc.constant(text));
        const read = edit === 'any' ? anyText() : shown;
        return fc.record({ invite: fc.constant(invite), text: read, edit: fc.constant(edit) });
      }),
      ({ invite, text, edit }) => {
        const read = orRefused(REFUSALS, () => parseInvite(text));
        if (edit === 'whole') assert.ok(read);
        // Changed outside of what counts, it means the same; else it is refused.
        if (read !== undefined) assertSame(read, invite);
        orRefused(['INVALID_ARGUMENT'], () => parseVerifier(text));
      },
    );
  },
};

/** Addresses as people and trackers write them. */
export const addresses: FuzzTarget = {
  name: 'addresses',
  share: 8,
  property: () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    const valid = fc
      .tuple(host, fc.nat(65_535))
      .map(([name, port]) => formatHostPort({ host: name, port }));
    return fc.property(fc.oneof(valid, mutated(valid), anyText()), (text) => {
      const read = orRefused(['INVALID_ADDRESS'], () => parseHostPort(text, 9_000));
      if (read === undefined) return;
      assert.ok(read.port >= 1 && read.port <= 65_535);
      assert.equal(/[\s/@?#\\\0]/u.test(read.host), false, read.host);
      assert.deepEqual(parseHostPort(formatHostPort(read)), read);
    });
  },
};
