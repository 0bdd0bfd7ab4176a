import { strict as assert } from 'node:assert';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { HostPort } from '../../src/protocol/address';
import { type Invite, type KeyPair, signInvite } from '../../src/protocol/invite';
import { identityOf } from '../../src/protocol/p256';
import {
  openStatement,
  signStatement,
  type Statement,
  type VerifiedStatement,
} from '../../src/protocol/statement';
import { createTeamKey, type TeamEpoch } from '../../src/protocol/teamKeys';

/** A new team in its first epoch, whose root key is thrown away. */
export function newTeam(): TeamEpoch {
  return {
    id: identityOf(newKeyPair().publicKey),
    charterNumber: 0,
    epoch: 1,
    key: createTeamKey(),
  };
}

export function newKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** An invite to a new team that has no tracker. */
export function newInvite({
  owner = newKeyPair(),
  sessionName = 'Team',
  addresses = [{ host: '127.0.0.1', port: 1 }],
  fingerprint = randomBytes(32).toString('hex'),
  ...more
}: {
  readonly owner?: KeyPair;
  readonly sessionName?: string;
  readonly addresses?: readonly HostPort[];
  readonly fingerprint?: string;
  readonly team?: Omit<TeamEpoch, 'id'>;
  readonly expiresMs?: number | undefined;
} = {}): Invite {
  const team = more.team ?? { charterNumber: 0, epoch: 1, key: createTeamKey() };
  const { publicKey: root } = owner;
  return signInvite(
    { sessionName, addresses, fingerprint, root, team, expiresMs: more.expiresMs },
    owner,
  );
}

/** A statement of the team whose root key is that of the owner. */
export function newStatement(owner: KeyPair, part: Partial<Statement> = {}): VerifiedStatement {
  const statement = signStatement(
    {
      ...{ teamId: identityOf(owner.publicKey), charterNumber: 0, sequence: 1, epoch: 1 },
      ...{ commitment: 'ab'.repeat(32), tokenHash: 'cd'.repeat(32), trackers: ['ef'.repeat(32)] },
      ...{ removed: [], readmitted: [], admission: 'invite', members: [] },
      ...{ issuedMs: 1_000_000, validUntilMs: 1_000_000 + 14 * 24 * 3_600_000 },
      ownerId: identityOf(owner.publicKey),
      ...part,
    },
    owner.privateKey,
  );
  const opened = openStatement({ statement }, owner.publicKey);
  assert.ok(opened);
  return opened;
}
