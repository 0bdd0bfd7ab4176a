import type { Clock } from '../../common/clock';
import { PeershelfError } from '../../common/errors';
import { STATEMENT_PATH } from '../../protocol/httpReply';
import { MAX_STATEMENT_BODY_BYTES } from '../../protocol/limits';
import { bundleMembers, readBundleText } from '../../protocol/statement';
import { askPeer } from '../transfer/pieces/peerHttp';
import type { SourceAddress, SourceDialer } from '../transfer/sourceDialer';
import type { StatementExchange } from '../transfer/transferSecurity';

const DEADLINE_MS = 10_000;

/**
 * Tells another peer the statement that this one knows, and hears its own: whoever is behind learns of a
 * removal from anybody, whatever the tracker says.
 * @throws as `askPeer`; NOT_A_MEMBER when the other one does not tell its own.
 */
export async function exchangeStatements(
  statements: StatementExchange,
  {
    dialer,
    source,
    clock,
  }: { readonly dialer: SourceDialer; readonly source: SourceAddress; readonly clock: Clock },
): Promise<void> {
  const own = statements.current();
  if (own === undefined) return;
  const ended = new AbortController();
  const deadline = clock.after(DEADLINE_MS, () => ended.abort());
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    await askPeer({
      ...{ dialer, source, clock, signal: ended.signal, stallMs: DEADLINE_MS },
      ...{ path: STATEMENT_PATH, method: 'POST', body: JSON.stringify(bundleMembers(own)) },
      onData: (chunk) => {
        bytes += chunk.length;
        if (bytes > MAX_STATEMENT_BODY_BYTES)
          throw new PeershelfError('INVALID_MESSAGE', 'the statement is too long');
        chunks.push(chunk);
      },
    });
  } finally {
    deadline.dispose();
  }
  const bundle = readBundleText(Buffer.concat(chunks).toString());
  if (bundle !== undefined) statements.take(bundle);
}
