import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { createLogger } from '../../../src/common/logger';
import { DialBack } from '../../../src/tracker/dialBack';
import { HostnameBindings } from '../../../src/tracker/hostnameBindings';
import { DEFAULT_TRACKER_LIMITS } from '../../../src/tracker/limits';
import { Membership } from '../../../src/tracker/membership';
import { MemoryRegistry } from '../../../src/tracker/memoryRegistry';
import { ControlSession } from '../../../src/tracker/session';
import { FakeClock } from '../../support/fakeClock';
import type { FuzzTarget } from '../fuzzTarget';
import { LineSocket } from '../memorySocket';
import { inPieces, pieceLengths } from '../mutation';
import { controlLine } from './controlLines';

const TOKEN = Buffer.alloc(32, 5);
const TOKEN_HASH = createHash('sha256').update(TOKEN).digest('hex');
const HELLO = (token: Buffer): string =>
  JSON.stringify({
    action: 'HELLO',
    data: { versions: [1, 2], token: token.toString('base64url') },
  });
const NOT_A_MEMBER = /^\{"status":"ERROR","reason":"[^"]*"\}\n$/u;
const LIMITS = { ...DEFAULT_TRACKER_LIMITS, maxLineBytes: 20_000, maxFilesPerHost: 10 };

interface Talk {
  /** What the tracker said. */
  readonly replies: string;
  /** That of its own failures; there must be none. */
  readonly errors: string[];
}

/** Everything that a tracker says to these bytes, delivered in these pieces. */
function talk(pieces: readonly Buffer[], isTeam: boolean): Talk {
  const clock = new FakeClock();
  const errors: string[] = [];
  const logger = createLogger((level, _tag, text) => {
    if (level === 'error') errors.push(text);
  });
  const socket = new LineSocket();
  const bindings = new HostnameBindings({
    ...{ clock, logger, file: undefined },
    isRegistered: () => false,
  });
  const membership = new Membership({
    socket: socket as unknown as TLSSocket,
    ...{ tokenHash: () => TOKEN_HASH, bindings, onAdmitted: () => undefined },
  });
  const registry = new MemoryRegistry(clock, LIMITS);
  const dialBack = new DialBack(clock, () => new Socket()); // Sockets that never connect.
  new ControlSession(
    socket as unknown as Socket,
    { id: 'c', address: '127.0.0.1' },
    {
      ...{ clock, logger, registry, dialBack, limits: LIMITS },
      membership: isTeam ? membership : undefined,
    },
  );
  for (const piece of pieces) socket.emit('data', piece);
  socket.emit('end');
  socket.destroy();
  dialBack.dispose();
  return { replies: socket.written, errors };
}

/** A whole conversation with a tracker, of either kind of session, in any pieces. */
export const trackerSession: FuzzTarget = {
  name: 'tracker-session',
  share: 15,
  property: () => {
    const hello = fc.constantFrom(HELLO(TOKEN), HELLO(Buffer.alloc(32)), '');
    const lines = fc.tuple(hello, fc.array(controlLine(), { maxLength: 8 }));
    return fc.property(lines, pieceLengths(), fc.boolean(), ([first, rest], lengths, isTeam) => {
      const all = first === '' ? rest : [first, ...rest];
      const bytes = Buffer.from(all.map((line) => `${line}\n`).join(''));
      const { replies, errors } = talk(inPieces(bytes, lengths), isTeam);
      assert.deepEqual(errors, []);
      assert.equal(replies, talk([bytes], isTeam).replies, 'the pieces make no difference');
      assert.match(replies, /^(?:[\x20-\x7e]*\n)*$/u);
      const answers = replies.split('\n').slice(0, -1);
      for (const answer of answers) assert.ok('status' in (JSON.parse(answer) as object), answer);
      const asked = bytes.toString('latin1').split('\n').length;
      assert.ok(answers.length <= asked);
      if (isTeam && first !== HELLO(TOKEN) && all.every((line) => !isHelloWithToken(line)))
        assert.ok(replies === '' || NOT_A_MEMBER.test(replies), replies);
    });
  },
};

function isHelloWithToken(line: string): boolean {
  return line.includes(TOKEN.toString('base64url'));
}
