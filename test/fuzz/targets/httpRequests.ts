import { strict as assert } from 'node:assert';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { nullLogger } from '../../../src/common/logger';
import { SharedBudget } from '../../../src/common/sharedBudget';
import { FairQueue } from '../../../src/peer/transfer/serve/fairQueue';
import { conversationOf, readFirstLine } from '../../../src/peer/transfer/serve/firstLine';
import { HttpService } from '../../../src/peer/transfer/serve/httpService';
import { Uploads } from '../../../src/peer/transfer/serve/uploads';
import { RateLimiter } from '../../../src/peer/transfer/rateLimiter';
import { TransferList } from '../../../src/peer/transfer/transferList';
import { UploadBlocks } from '../../../src/peer/transfer/uploadBlocks';
import { PeershelfError } from '../../../src/common/errors';
import { MAX_UNFINISHED_INPUT_BYTES } from '../../../src/protocol/limits';
import { parseGet } from '../../../src/protocol/transferV1';
import { FakeClock } from '../../support/fakeClock';
import type { FuzzTarget } from '../fuzzTarget';
import { StreamSocket } from '../memorySocket';
import { anyText, inPieces, mutated, pieceLengths } from '../mutation';

const ID = `${'ab'.repeat(32)}-5`;
const TARGETS = [
  ...[`/v2/objects/${ID}`, `/v2/layers/${ID}`, '/v2/entries/a%20b', '/v2/entries/%ff', '/v2/batch'],
  ...[
    '/',
    '*',
    '//x',
    '/v2/objects/../../etc/passwd',
    'http://a/v2/batch',
    `/v2/entries/${'a'.repeat(5_000)}`,
  ],
];
const FIELDS = [
  ...[
    'Host: 127.0.0.1',
    'Host: 127.0.0.1',
    'Host: evil.example',
    'Range: bytes=0-4',
    'Range: bytes=9-',
  ],
  ...['Range: bytes=0-1,3-4', 'Content-Length: 3', 'Content-Length: 99999999', 'Connection: close'],
  ...['Transfer-Encoding: chunked', 'Expect: 100-continue', 'Origin: null', 'Upgrade: h2c', 'X: y'],
  ...[
    'Authorization: Peershelf x',
    `Padding: ${'x'.repeat(9_000)}`,
    ' folded: x',
    'Sec-Fetch-Mode: x',
  ],
];
const STATUS = /^HTTP\/1\.1 ([2-5]\d\d) [^\r\n]*$/u;

function requests(): fc.Arbitrary<string> {
  const head = fc
    .tuple(
      fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'get', 'CONNECT'),
      fc.constantFrom(...TARGETS),
      fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ''),
      fc.array(fc.constantFrom(...FIELDS), { maxLength: 4 }),
      fc.constantFrom('', '', `${ID}\n`, 'abc', '3\r\nabc\r\n0\r\n\r\n'),
    )
    .map(([method, target, version, fields, body]) =>
      [`${method} ${target} ${version}`, ...fields, '', body].join('\r\n'),
    );
  return fc.oneof(
    { weight: 3, arbitrary: head },
    { weight: 2, arbitrary: mutated(head) },
    anyText(),
  );
}

/** A peer with nothing to offer: what it answers must be answers. */
function newService(clock: FakeClock): HttpService {
  return new HttpService({
    ...{ clock, logger: nullLogger, slowReaderMs: 1_000, blocks: new UploadBlocks() },
    input: new SharedBudget(MAX_UNFINISHED_INPUT_BYTES),
    offer: {
      find: () => undefined,
      findContent: () => undefined,
      layerOf: () => undefined,
      onSeen: () => undefined,
    },
    uploads: new Uploads(new TransferList(clock), clock, () => undefined),
    queue: new FairQueue({ limit: () => 0, limitPerKey: 4, maxWaiting: 10 }),
    limiter: new RateLimiter(clock, () => 0),
  });
}

const FIRST_LINE_CODES = [
  'TIMED_OUT',
  'CONNECTION_LOST',
  'LINE_TOO_LONG',
  'LIMIT_EXCEEDED',
] as const;

/** Serves one connection to its end, as `PeerServer` does. */
async function serve(bytes: Buffer, lengths: readonly number[]): Promise<string> {
  const clock = new FakeClock();
  const stream = new StreamSocket();
  const socket = stream as unknown as Socket;
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  const first = readFirstLine(socket, {
    ...{ clock, deadlineMs: 1_000 },
    input: new SharedBudget(MAX_UNFINISHED_INPUT_BYTES),
  });
  for (const piece of inPieces(bytes, lengths)) stream.push(piece);
  stream.push(null);
  try {
    const { line, bytes: read } = await first;
    const conversation = conversationOf(line);
    if (conversation === 'version 1') parseGet(line);
    if (conversation !== 'http') return '';
    newService(clock).adopt(socket, { bytes: read, firstHeadMs: 1_000, setQuiet: () => undefined });
    await Promise.race([closed, settled(clock)]);
    return stream.answered.toString('latin1');
  } catch (error) {
    if (FIRST_LINE_CODES.some((code) => PeershelfError.is(error, code))) return '';
    throw error;
  } finally {
    stream.destroy();
  }
}

/** Lets everything happen that needs no time, then lets all deadlines pass. */
async function settled(clock: FakeClock): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(120_000);
}

/** Bytes at the port of a peer, up to whole answers: what comes back is HTTP that names no path. */
export const httpRequests: FuzzTarget = {
  name: 'http-requests',
  share: 8,
  property: () => {
    const talk = fc.array(requests(), { minLength: 1, maxLength: 3 }).map((all) => all.join(''));
    return fc.asyncProperty(talk, pieceLengths(), async (text, lengths) => {
      const bytes = Buffer.from(text);
      checkAnswers(await serve(bytes, lengths), text.split('HTTP/1').length + 1);
    });
  },
};

function checkAnswers(text: string, maxCount: number): void {
  let rest = text;
  for (let count = 0; rest !== ''; count += 1) {
    assert.ok(count < maxCount, text);
    const end = rest.indexOf('\r\n\r\n');
    assert.ok(end > 0, text);
    const [status = '', ...fields] = rest.slice(0, end).split('\r\n');
    const code = Number(STATUS.exec(status)?.[1]);
    assert.ok(code >= 400 || code === 200, text); // 200 is the answer to a batch.
    const length = fields.find((field) => /^content-length:/iu.test(field))?.split(':')[1];
    if (length === undefined) return; // Until the end of the connection, or in chunks.
    const body = rest.slice(end + 4);
    // The answer to HEAD has a length and no body.
    const bodyLength = body === '' || body.startsWith('HTTP/1.1') ? 0 : Number(length);
    rest = body.slice(bodyLength);
    assert.ok(bodyLength <= body.length && bodyLength < 200, text);
  }
}
