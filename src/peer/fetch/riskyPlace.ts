import { PeershelfError } from '../../common/errors';
import type { Risk } from '../../common/riskyPaths';

/** A file that is not placed unasked: what it is, and whose. */
export function riskyPlace(
  name: string,
  { family, reason }: Risk,
  owner: { readonly hostname?: string; readonly displayName?: string } = {},
): PeershelfError {
  const { hostname = '', displayName = '' } = owner;
  return new PeershelfError('RISKY_PLACE', `${name} could make programs run there: ${reason}`, {
    details: { name, family, hostname, displayName },
  });
}
