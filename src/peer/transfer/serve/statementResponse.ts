import { MAX_OUTSIDER_BODY_BYTES } from '../../../protocol/limits';
import { bundleMembers, readBundleText } from '../../../protocol/statement';
import type { StatementExchange } from '../transferSecurity';
import { type Exchange, sendJson } from './exchange';
import type { Problem } from './problems';
import { type BodyContext, readBody } from './requestBody';

/**
 * `POST` of the statement that the client knows, answered by the one that this peer knows. Everybody may
 * bring one, as the owner's signature is all that counts; only who has proven to be a member of this
 * epoch, or of one before, is told anything.
 */
export async function respondWithStatement(
  exchange: Exchange,
  statements: StatementExchange,
  { clock, input, isProven }: BodyContext & { readonly isProven: boolean },
): Promise<Problem | undefined> {
  const { headers } = exchange.request;
  const isTooLong = Number(headers['content-length'] ?? Infinity) > MAX_OUTSIDER_BODY_BYTES;
  if (isTooLong && !isProven) return { code: 'too_large', closes: true };
  const body = await readBody(exchange, { clock, input });
  if (body === 'too_large') return { code: 'too_large', closes: true };
  const brought = readBundleText(body.toString());
  // Known before the bundle is taken: that may end the connections of this epoch.
  const known = statements.current();
  if (isProven && known !== undefined)
    sendJson(exchange.response, JSON.stringify(bundleMembers(known)));
  if (brought !== undefined) statements.take(brought);
  return isProven && known !== undefined ? undefined : { code: 'not_a_member', closes: true };
}
