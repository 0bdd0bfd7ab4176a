import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nullLogger } from '../../../src/common/logger';
import { HostTrust } from '../../../src/peer/team/hostTrust';
import { type HostClaim, TeamMember } from '../../../src/peer/team/teamMember';
import type { SealedHostRecord } from '../../../src/protocol/hostRecord';
import { HOST_RECORD_LIFETIME_MS } from '../../../src/protocol/limits';
import { newInvite, newTeam } from '../../support/teams';
import { FakeClock } from '../../support/fakeClock';
import { useCleanup } from '../../support/cleanup';
import { storedIdentity } from '../../support/identities';
import { temporaryFolder } from '../../support/temporaryFolder';

const CLAIM: HostClaim = { hostname: 'alice', displayName: 'Alice', instance: 'window' };
const DAY_MS = 24 * 3_600_000;

describe('which hosts are trusted', () => {
  const cleanup = useCleanup();
  const team = newTeam();
  let clock: FakeClock;
  let warned: string[];
  let removed: Set<string>;

  beforeEach(() => {
    clock = new FakeClock();
    warned = [];
    removed = new Set();
  });

  const memberOf = (who: 'alice' | 'mallory', of = team): TeamMember =>
    new TeamMember({ ...newInvite(), team: of }, storedIdentity(who), clock);
  const seal = (member: TeamMember, claim: Partial<HostClaim> = {}): SealedHostRecord => ({
    ...member.record({ ...CLAIM, ...claim }),
    certificate: member.identity.certificate,
  });
  const trustOf = (pinsFile?: string, member = memberOf('alice')): HostTrust =>
    new HostTrust({
      ...{ clock, pinsFile, logger: nullLogger, member },
      admits: (identity) => !removed.has(identity),
      onIdentityChanged: (hostname) => warned.push(hostname),
    });

  it('those of members, as they call themselves, with the certificate they have', () => {
    const trust = trustOf();
    assert.deepEqual(trust.verify('alice', seal(memberOf('alice'))), {
      displayName: 'Alice',
      fingerprint: storedIdentity('alice').fingerprint,
    });
    assert.equal(trust.verify('alice', undefined), undefined);
  });

  it('none that an owner has removed, from then on', () => {
    const trust = trustOf();
    const sealed = seal(memberOf('alice'));
    assert.ok(trust.verify('alice', sealed));
    removed.add(storedIdentity('alice').fingerprint);
    assert.equal(trust.verify('alice', sealed), undefined);
  });

  it('none by a record of an epoch that is over, also one that was verified in it', () => {
    const own = memberOf('alice');
    const trust = trustOf(undefined, own);
    const alice = memberOf('alice');
    const before = seal(alice);
    assert.ok(trust.verify('alice', before));
    const next = { ...team, epoch: 2, key: newTeam().key };
    own.enter(next);
    assert.equal(trust.verify('alice', before), undefined);
    alice.enter(next);
    assert.ok(trust.verify('alice', seal(alice)));
    assert.equal(trust.verify('alice', before), undefined);
  });

  it('none that a tracker invents, renames or gives another certificate', () => {
    const trust = trustOf();
    const sealed = seal(memberOf('alice'));
    assert.equal(trust.verify('bob', sealed), undefined);
    const { certificate } = storedIdentity('mallory');
    assert.equal(trust.verify('alice', { ...sealed, certificate }), undefined);
    assert.equal(trust.verify('alice', seal(memberOf('mallory', newTeam()))), undefined);
    assert.notEqual(trust.verify('alice', sealed), undefined);
  });

  it('none with an old record, or one from far in the future, also when it was known', () => {
    const trust = trustOf();
    const sealed = seal(memberOf('alice'));
    assert.notEqual(trust.verify('alice', sealed), undefined);
    clock.advance(HOST_RECORD_LIFETIME_MS + 1);
    assert.equal(trust.verify('alice', sealed), undefined);
    assert.equal(trustOf().verify('alice', sealed), undefined);
    const renewed = seal(memberOf('alice'));
    assert.notEqual(trust.verify('alice', renewed), undefined);
    clock.advance(-HOST_RECORD_LIFETIME_MS - 1);
    assert.equal(trustOf().verify('alice', renewed), undefined);
  });

  it('the latest record only: what an older one said does not come back', () => {
    const trust = trustOf();
    const alice = memberOf('alice');
    const old = seal(alice, { displayName: 'Old' });
    const fresh = seal(alice, { displayName: 'New' });
    assert.equal(trust.verify('alice', fresh)?.displayName, 'New');
    assert.equal(trust.verify('alice', old), undefined);
    assert.equal(trust.verify('alice', fresh)?.displayName, 'New');
  });

  it('the latest record only, also after a restart and of what another window has seen', () => {
    const pinsFile = join(temporaryFolder(cleanup), 'pins.json');
    const alice = memberOf('alice');
    const [first, second, third] = [1, 2, 3].map((n) => seal(alice, { displayName: `${n}` }));
    const [one, other] = [trustOf(pinsFile), trustOf(pinsFile)];
    assert.equal(one.verify('alice', first)?.displayName, '1');
    assert.equal(one.verify('alice', third)?.displayName, '3');
    assert.equal(other.verify('alice', second)?.displayName, '2');
    one.dispose();
    other.dispose();
    const restarted = trustOf(pinsFile);
    assert.equal(restarted.verify('alice', second), undefined);
    assert.equal(restarted.verify('alice', third)?.displayName, '3');
    restarted.dispose();
    // A crash sets back by a minute at most.
    const running = trustOf(pinsFile);
    const fourth = seal(alice, { displayName: '4' });
    assert.equal(running.verify('alice', fourth)?.displayName, '4');
    clock.advance(60_000);
    assert.equal(trustOf(pinsFile).verify('alice', third), undefined);
  });

  it('not another identity under a hostname that was seen before; it is told once', () => {
    const trust = trustOf();
    const [alice, mallory] = [memberOf('alice'), memberOf('mallory')];
    assert.notEqual(trust.verify('alice', seal(alice)), undefined);
    assert.equal(trust.verify('alice', seal(mallory)), undefined);
    assert.equal(trust.verify('alice', seal(mallory)), undefined);
    assert.deepEqual(warned, ['alice']);
    assert.notEqual(trust.verify('mallory', seal(mallory, { hostname: 'mallory' })), undefined);
  });

  it('the same over restarts and in all windows, until nobody has had the name for long', () => {
    const pinsFile = join(temporaryFolder(cleanup), 'pins.json');
    const [first, second] = [trustOf(pinsFile), trustOf(pinsFile)];
    first.verify('alice', seal(memberOf('alice')));
    second.verify('bob', seal(memberOf('alice'), { hostname: 'bob' }));
    first.dispose();
    second.dispose();
    for (const hostname of ['alice', 'bob'])
      assert.equal(
        trustOf(pinsFile).verify(hostname, seal(memberOf('mallory'), { hostname })),
        undefined,
      );
    assert.deepEqual(warned, ['alice', 'bob']);
    clock.advance(91 * DAY_MS);
    assert.notEqual(trustOf(pinsFile).verify('alice', seal(memberOf('mallory'))), undefined);
  });

  it('the same also under names that objects have of themselves', () => {
    const pinsFile = join(temporaryFolder(cleanup), 'pins.json');
    const names = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty'];
    const first = trustOf(pinsFile);
    for (const hostname of names) first.verify(hostname, seal(memberOf('alice'), { hostname }));
    first.dispose();
    const second = trustOf(pinsFile);
    for (const hostname of names)
      assert.equal(second.verify(hostname, seal(memberOf('mallory'), { hostname })), undefined);
    assert.deepEqual(warned, names);
  });

  it('also when the file of those seen before is damaged', () => {
    const pinsFile = join(temporaryFolder(cleanup), 'pins.json');
    writeFileSync(pinsFile, '{"alice":');
    assert.notEqual(trustOf(pinsFile).verify('alice', seal(memberOf('alice'))), undefined);
  });

  it('not another under the hostname of one seen for days, however many hostnames there are', () => {
    const pinsFile = join(temporaryFolder(cleanup), 'pins.json');
    const crowd = Array.from({ length: 19_999 }, (_, index) => {
      const fingerprint = index.toString(16).padStart(64, '0');
      return [`ghost ${index}`, { fingerprint, seenMs: clock.now() + 2 * DAY_MS }] as const;
    });
    const first = trustOf(pinsFile);
    first.verify('alice', seal(memberOf('alice')));
    clock.advance(DAY_MS + 1);
    first.verify('alice', seal(memberOf('alice')));
    first.dispose();
    const stored = JSON.parse(readFileSync(pinsFile, 'utf8')) as object;
    writeFileSync(pinsFile, JSON.stringify({ ...stored, ...Object.fromEntries(crowd) }));
    clock.advance(DAY_MS);
    const flooded = trustOf(pinsFile);
    for (const hostname of ['mallory 1', 'mallory 2'])
      assert.notEqual(flooded.verify(hostname, seal(memberOf('mallory'), { hostname })), undefined);
    assert.equal(flooded.verify('alice', seal(memberOf('mallory'))), undefined);
    flooded.dispose();
    const kept = JSON.parse(readFileSync(pinsFile, 'utf8')) as object;
    assert.ok(Object.keys(kept).length <= 20_000);
    assert.equal(trustOf(pinsFile).verify('alice', seal(memberOf('mallory'))), undefined);
    assert.deepEqual(warned, ['alice', 'alice']);
  });
});
