import { strict as assert } from 'node:assert';
import { chooseMember, isCalled } from '../../../src/cli/memberNames';
import type { KnownMember } from '../../../src/peer/peerApi';
import { shortFingerprint } from '../../../src/protocol/shortFingerprint';
import { throwsWith } from '../../support/rejectsWith';

const ALICE = 'a'.repeat(64);
const MALLORY = 'b'.repeat(64);

describe('members as a user names them', () => {
  const member = (identity: string, ...hostnames: string[]): KnownMember => ({
    ...{ identity, hostnames, displayName: '', sealingPoint: undefined, seenMs: 0 },
  });

  it('are called by host name, identity or short fingerprint', () => {
    const alice = member(ALICE, 'laptop', 'desk');
    const members = [alice, member(MALLORY, 'phone')];
    for (const name of ['laptop', 'desk', ALICE, shortFingerprint(ALICE)])
      assert.equal(chooseMember(members, name), alice, name);
    throwsWith('NOT_FOUND', () => chooseMember(members, 'tablet'));
  });

  it('are not chosen by a host name of two of them', () => {
    const members = [member(ALICE, 'laptop'), member(MALLORY, 'laptop')];
    throwsWith('AMBIGUOUS_NAME', () => chooseMember(members, 'laptop'));
  });

  it('are nobody else for whoever chooses their identity as a host name', () => {
    const alice = member(ALICE, 'laptop');
    for (const name of [ALICE, shortFingerprint(ALICE)]) {
      const mallory = member(MALLORY, name);
      assert.equal(isCalled(mallory, name), false);
      assert.equal(chooseMember([mallory, alice], name), alice);
      throwsWith('NOT_FOUND', () => chooseMember([mallory], name));
    }
  });
});
