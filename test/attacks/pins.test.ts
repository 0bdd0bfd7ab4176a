import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nullLogger } from '../../src/common/logger';
import { HostTrust } from '../../src/peer/team/hostTrust';
import { type HostClaim, TeamMember } from '../../src/peer/team/teamMember';
import type { OwnIdentity } from '../../src/protocol/certificate';
import type { SealedHostRecord } from '../../src/protocol/hostRecord';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { storedIdentity } from '../support/identities';
import { isLongRun } from '../support/longRuns';
import { newMember, newProofKey } from '../support/team';
import { newInvite } from '../support/teams';
import { temporaryFolder } from '../support/temporaryFolder';

/** As many as a peer remembers in all. */
const RECORDS = 20_000;
/** Of these, the ones that are really signed and verified. */
const SIGNED = isLongRun ? RECORDS : 100;

describe('identities that are remembered', function () {
  this.timeout(240_000);
  const cleanup = useCleanup();
  const invite = newInvite();

  it('are not driven out by very many hostnames of one identity', () => {
    const clock = new FakeClock();
    const changed: string[] = [];
    const pinsFile = join(temporaryFolder(cleanup), 'pins.json');
    const open = (): HostTrust =>
      new HostTrust({
        ...{ clock, pinsFile, logger: nullLogger },
        member: memberOf(storedIdentity('alice'), clock),
        admits: () => true,
        onIdentityChanged: (hostname) => changed.push(hostname),
      });
    const alice = storedIdentity('alice');
    const mallory = memberOf(storedIdentity('mallory'), clock);
    const first = open();
    assert.ok(first.verify('alice', record(alice, clock, 'alice')) !== undefined);
    first.dispose();
    // Signing takes its time: all but the last ones come as an earlier run has kept them.
    const stored = JSON.parse(readFileSync(pinsFile, 'utf8')) as object;
    const { fingerprint } = mallory.identity;
    const earlier = Array.from({ length: RECORDS - SIGNED }, (_, index) => {
      return [`e${index}`, { fingerprint, seenMs: clock.now() + 1 }] as const;
    });
    writeFileSync(pinsFile, JSON.stringify({ ...stored, ...Object.fromEntries(earlier) }));
    const trust = open();
    for (let index = 0; index < SIGNED; index += 1) {
      const hostname = `m${index}`;
      trust.verify(hostname, sealed(mallory, hostname));
    }
    for (const looked of [trust, open()]) {
      const asAlice = sealed(mallory, 'alice');
      assert.equal(looked.verify('alice', asAlice), undefined);
      assert.ok(changed.includes('alice'));
      looked.dispose();
    }
  });

  it('are not driven out by one hostname each of very many identities, once fetched from', async () => {
    const clock = new FakeClock();
    const pinsFile = join(temporaryFolder(cleanup), 'pins.json');
    const open = (): HostTrust => {
      const trust = new HostTrust({
        ...{ clock, pinsFile, logger: nullLogger },
        member: memberOf(storedIdentity('alice'), clock),
        admits: () => true,
        onIdentityChanged: () => undefined,
      });
      cleanup.add(() => trust.dispose());
      return trust;
    };
    const first = open();
    const bob = (await newMember(newProofKey())).identity;
    assert.ok(first.verify('alice', record(storedIdentity('alice'), clock, 'alice')));
    assert.ok(first.verify('bob', record(bob, clock, 'bob')));
    first.keep('alice');
    first.dispose();
    // As many as are remembered, each of an identity of its own, and seen on several days as well.
    const stored = JSON.parse(readFileSync(pinsFile, 'utf8')) as object;
    const earlier = Array.from({ length: RECORDS - 2 }, (_, index) => {
      const fingerprint = index.toString(16).padStart(64, '0');
      return [`e${index}`, { fingerprint, seenMs: clock.now() + 1, isEstablished: true }] as const;
    });
    writeFileSync(pinsFile, JSON.stringify({ ...stored, ...Object.fromEntries(earlier) }));
    const trust = open();
    // The one that is too much.
    const { identity } = await newMember(newProofKey());
    assert.ok(trust.verify('another', record(identity, clock, 'another')));
    const mallory = storedIdentity('mallory');
    assert.equal(trust.verify('alice', record(mallory, clock, 'alice')), undefined);
    // Some were forgotten indeed, among them the one of whom nothing was fetched.
    assert.ok(trust.verify('bob', record(mallory, clock, 'bob')));
  });

  function memberOf(identity: OwnIdentity, clock: FakeClock): TeamMember {
    return new TeamMember(invite, identity, clock);
  }

  function sealed(member: TeamMember, hostname: string): SealedHostRecord {
    const claim: HostClaim = { hostname, displayName: hostname, instance: 'window' };
    return { ...member.record(claim), certificate: member.identity.certificate };
  }

  function record(identity: OwnIdentity, clock: FakeClock, hostname: string): SealedHostRecord {
    return sealed(memberOf(identity, clock), hostname);
  }
});
