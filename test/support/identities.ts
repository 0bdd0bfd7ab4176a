import { type OwnIdentity, readOwnIdentity } from '../../src/protocol/certificate';
import identities from '../fixtures/identities.json';

/** One of the stored identities: making one takes a library and some time. */
export function storedIdentity(who: 'alice' | 'mallory'): OwnIdentity {
  const { certificate, privateKey } = identities[who];
  return readOwnIdentity(certificate, privateKey);
}
