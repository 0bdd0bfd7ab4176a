import type { Clock } from '../../common/clock';
import { formatInvite } from '../../protocol/invite';
import { createIdentity, openIdentity } from '../identity/identity';
import type { TeamKeyApi } from '../peerApi';
import { bringStatement } from './bringStatement';
import {
  createSessionRecord,
  formatSessionRecord,
  inviteOf,
  parseSessionRecord,
  verifierOf,
  withNewKey,
  withoutMembers,
  withRenewedLease,
} from './sessionRecord';
import { synchronise } from './synchronise';

/** The calls of {@link TeamKeyApi}; they keep nothing. */
export function createTeamKeyCalls(clock: Clock): TeamKeyApi {
  const now = (): Date => new Date(clock.now());
  return {
    createIdentity: () => createIdentity(now()),
    createSession: async ({ name }) => formatSessionRecord(await createSessionRecord(name, now())),
    renewSession: ({ record }) =>
      settle(() => formatSessionRecord(withNewKey(parseSessionRecord(record), now()))),
    removeMembers: ({ record, removed, members }) =>
      settle(() => {
        const recipients = members.flatMap(({ identity, sealingPoint }) =>
          sealingPoint === undefined ? [] : [{ identity, sealingPoint }],
        );
        const session = parseSessionRecord(record);
        return formatSessionRecord(withoutMembers(session, { removed, recipients, now: now() }));
      }),
    renewLease: ({ record }) =>
      settle(() => formatSessionRecord(withRenewedLease(parseSessionRecord(record), now()))),
    synchroniseSession: async ({ record, addresses, identity }, { signal } = {}) => {
      const where = { addresses, clock, signal, identity: openIdentity(identity) };
      return formatSessionRecord(await synchronise(parseSessionRecord(record), where));
    },
    bringStatement: async ({ record, addresses }, { signal } = {}) => {
      await bringStatement(parseSessionRecord(record), { addresses, clock, signal });
    },
    describeSession: ({ record }) =>
      settle(() => {
        const session = parseSessionRecord(record);
        const verifier = verifierOf(session);
        return {
          team: session.team.id,
          name: session.name,
          renewedMs: session.statement.statement.issuedMs,
          vouched: session.vouched,
          goingOn: session.envelopes.map(({ to }) => to),
          verifier: JSON.stringify(verifier),
        };
      }),
    makeInvite: ({ record, addresses, expiresMs }) =>
      settle(() => formatInvite(inviteOf(parseSessionRecord(record), addresses, expiresMs))),
  };
}

/** What is thrown rejects, as every call of the engine does. */
function settle<T>(compute: () => T): Promise<T> {
  return new Promise((resolve) => resolve(compute()));
}
