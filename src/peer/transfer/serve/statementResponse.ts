import type { SharedBudget } from '../../../common/sharedBudget';
import { MAX_OUTSIDER_BODY_BYTES, MAX_STATEMENT_BODY_BYTES } from '../../../protocol/limits';
import { bundleMembers, readBundleText } from '../../../protocol/statement';
import type { StatementExchange } from '../transferSecurity';
import { type Exchange, sendJson } from './exchange';
import type { Problem } from './problems';
import { type BodyContext, readBody } from './requestBody';

interface StatementContext extends BodyContext {
  /** Whether the client is a member of this epoch, or was of one before. */
  readonly isProven: boolean;
  /** Of long statements of others: what they fill keeps no member out. */
  readonly outsiders: SharedBudget;
}

/**
 * `POST` of the statement that the client knows, answered by the one that this peer knows. Everybody may
 * bring one, as the owner's signature is all that counts; only who has proven to be a member of this
 * epoch, or of one before, is told anything.
 */
export async function respondWithStatement(
  exchange: Exchange,
  statements: StatementExchange,
  { clock, input, isProven, outsiders }: StatementContext,
): Promise<Problem | undefined> {
  const { headers } = exchange.request;
  const length = Number(headers['content-length'] ?? Infinity);
  if (length > MAX_STATEMENT_BODY_BYTES && !isProven) return { code: 'too_large', closes: true };
  const isLong = length > MAX_OUTSIDER_BODY_BYTES && !isProven;
  const context = { clock, input: isLong ? outsiders : input };
  const body = await readBody(exchange, context, MAX_STATEMENT_BODY_BYTES);
  if (body === 'too_large') return { code: 'too_large', closes: true };
  const brought = readBundleText(body.toString());
  // Known before the bundle is taken: that may end the connections of this epoch.
  const known = statements.current();
  if (isProven && known !== undefined)
    sendJson(exchange.response, JSON.stringify(bundleMembers(known)));
  if (brought !== undefined) statements.take(brought);
  return isProven && known !== undefined ? undefined : { code: 'not_a_member', closes: true };
}
