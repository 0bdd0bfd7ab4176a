import { SharedBudget } from '../../../src/common/sharedBudget';
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { toDisposable } from '../../../src/common/disposable';
import { createLogger } from '../../../src/common/logger';
import { EXPORTER_BYTES } from '../../../src/protocol/channelProof';
import { signConnection } from '../../../src/protocol/statementMessages';
import type { DialBack } from '../../../src/tracker/dialBack';
import { HostnameBindings } from '../../../src/tracker/hostnameBindings';
import { DEFAULT_TRACKER_LIMITS } from '../../../src/tracker/limits';
import { Membership } from '../../../src/tracker/membership';
import { MemoryRegistry } from '../../../src/tracker/memoryRegistry';
import { ControlSession } from '../../../src/tracker/session';
import { TeamState } from '../../../src/tracker/teamState';
import { FakeClock } from '../../support/fakeClock';
import { storedIdentity } from '../../support/identities';
import { newKeyPair, newStatement } from '../../support/teams';
import type { FuzzTarget } from '../fuzzTarget';
import { LineSocket } from '../memorySocket';
import { inPieces, pieceLengths } from '../mutation';
import { controlLine } from './controlLines';

const MAX_BYTES = 100_000_000;
const TOKEN = Buffer.alloc(32, 5);
const TOKEN_HASH = createHash('sha256').update(TOKEN).digest('hex');
const OWNER = newKeyPair();
const STATEMENT = newStatement(OWNER, { tokenHash: TOKEN_HASH });
/** Keying material of every connection in memory. */
const EXPORTER = Buffer.alloc(EXPORTER_BYTES, 1);
const { certificate, privateKey } = storedIdentity('alice');
const SHOW_IDENTITY = JSON.stringify({
  action: 'STATEMENT',
  data: { certificate, proof: signConnection('connection', EXPORTER, privateKey) },
});
const HELLO = (token: Buffer): string =>
  JSON.stringify({
    action: 'HELLO',
    data: { versions: [1, 2], token: token.toString('base64url') },
  });
const ONE_ERROR = /^\{"status":"ERROR","reason":"[^"]*"\}\n$/u;
const LIMITS = { ...DEFAULT_TRACKER_LIMITS, maxLineBytes: 20_000, maxFilesPerHost: 10 };

/** Each of these may hold line feeds of its own. */
const MAX_LINES = 8;

interface Talk {
  /** What the tracker said. */
  readonly replies: string;
  /** That of its own failures; there must be none. */
  readonly errors: string[];
}

/** Nobody is dialed, and nobody hears of it. */
const DIAL_BACK: Pick<DialBack, 'dial'> = { dial: () => toDisposable(() => undefined) };
/** Until what is collected for subscribers has been told. */
const CHANGES_MS = 10_000;

/** Everything that a tracker says to these bytes, delivered in these pieces. */
async function talk(pieces: readonly Buffer[], isTeam: boolean): Promise<Talk> {
  const clock = new FakeClock();
  const errors: string[] = [];
  const logger = createLogger((level, text) => {
    if (level === 'error') errors.push(text);
  });
  const socket = new LineSocket();
  const bindings = new HostnameBindings({ clock, logger, file: undefined });
  const membership = new Membership({
    socket: socket as unknown as TLSSocket,
    ...{ bindings, onAdmitted: () => undefined, onStatement: () => undefined },
    state: new TeamState({ logger, root: OWNER.publicKey, initial: STATEMENT, file: undefined }),
  });
  const registry = new MemoryRegistry(clock, LIMITS);
  new ControlSession(
    socket as unknown as Socket,
    { id: 'c', address: '127.0.0.1' },
    {
      ...{ clock, logger, registry, limits: LIMITS, dialBack: DIAL_BACK as DialBack },
      budgets: { input: new SharedBudget(MAX_BYTES), output: new SharedBudget(MAX_BYTES) },
      membership: isTeam ? membership : undefined,
    },
  );
  for (const piece of pieces) socket.emit('data', piece);
  socket.emit('end');
  for (let turn = 0; turn < MAX_LINES && !socket.ended; turn += 1) {
    clock.advance(CHANGES_MS); // SYNC waits for what is collected.
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(socket.ended, 'all is answered');
  socket.destroy();
  return { replies: socket.written, errors };
}

/** A whole conversation with a tracker, of either kind of session, in any pieces. */
export const trackerSession: FuzzTarget = {
  name: 'tracker-session',
  share: 15,
  property: () => {
    const hello = fc.constantFrom(
      `${SHOW_IDENTITY}\n${HELLO(TOKEN)}`,
      `${SHOW_IDENTITY}\n${HELLO(Buffer.alloc(32))}`,
      HELLO(TOKEN),
      '',
    );
    const lines = fc.tuple(hello, fc.array(controlLine(), { maxLength: MAX_LINES }));
    return fc.asyncProperty(lines, pieceLengths(), fc.boolean(), async (said, lengths, isTeam) => {
      const [first, rest] = said;
      const all = first === '' ? rest : [first, ...rest];
      const bytes = Buffer.from(all.map((line) => `${line}\n`).join(''));
      const { replies, errors } = await talk(inPieces(bytes, lengths), isTeam);
      assert.deepEqual(errors, []);
      const whole = await talk([bytes], isTeam);
      assert.equal(replies, whole.replies, 'the pieces make no difference');
      checkReplies(replies, bytes.toString('latin1').split('\n').length);
      const token = TOKEN.toString('base64url');
      const isShown = first.startsWith(SHOW_IDENTITY);
      if (isTeam && !isShown && !all.some((line) => line.includes(token)))
        assert.ok(replies === '' || ONE_ERROR.test(replies), replies);
    });
  },
};

function checkReplies(replies: string, maxCount: number): void {
  assert.match(replies, /^(?:[\x20-\x7e]*\n)*$/u);
  const lines = replies.split('\n').slice(0, -1);
  const said = lines.map((line) => JSON.parse(line) as object);
  const answers = said.filter((line) => 'status' in line);
  assert.ok(answers.length <= maxCount);
  assert.ok(said.every((line) => 'status' in line || 'event' in line));
}
