import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { PeershelfError } from '../../../src/common/errors';
import {
  checkRangeReply,
  encodeRangeRequest,
  endOfHead,
  parseReplyHead,
} from '../../../src/protocol/httpReply';

const ID = { root: 'ab'.repeat(32), sizeBytes: 1_000 };
const RANGE = { start: 100, end: 300 };

const head = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
const isInvalid = (error: unknown): boolean => PeershelfError.is(error, 'INVALID_MESSAGE');

const HONEST = [
  'HTTP/1.1 206 Partial Content',
  'Content-Range: bytes 100-299/1000',
  'Content-Length: 200',
  `ETag: "${ID.root}-1000"`,
];

describe('replies of HTTP', () => {
  it('are asked for with the last byte named, as ranges of HTTP are', () => {
    const text = encodeRangeRequest({ host: '::1', port: 6000 }, ID, RANGE);
    assert.equal(
      text,
      `GET /v2/objects/${ID.root}-1000 HTTP/1.1\r\nHost: [::1]:6000\r\nRange: bytes=100-299\r\n\r\n`,
    );
  });

  it('are read by name, whatever its case, and taken when they are what was asked for', () => {
    const reply = parseReplyHead(head(...HONEST, 'X-Other:   value  '));
    assert.equal(reply.status, 206);
    assert.equal(reply.fields.get('x-other'), 'value');
    checkRangeReply(reply, ID, RANGE);
  });

  it('end at the first empty line', () => {
    assert.equal(endOfHead(Buffer.from('HTTP/1.1 206 OK\r\n')), undefined);
    assert.equal(endOfHead(Buffer.from('HTTP/1.1 206 OK\r\n\r\nbody')), 19);
  });

  const replaced = (index: number, line: string): string[] =>
    HONEST.map((old, at) => (at === index ? line : old));
  for (const [what, lines] of Object.entries({
    'another start': replaced(1, 'Content-Range: bytes 0-299/1000'),
    'another end': replaced(1, 'Content-Range: bytes 100-300/1000'),
    'another size': replaced(1, 'Content-Range: bytes 100-299/1001'),
    'another length': replaced(2, 'Content-Length: 201'),
    'no length': replaced(2, 'X-Length: 200'),
    'another object': replaced(3, `ETag: "${'cd'.repeat(32)}-1000"`),
    'a weak tag': replaced(3, `ETag: W/"${ID.root}-1000"`),
    'a compressed body': [...HONEST, 'Content-Encoding: gzip'],
    'a chunked body': [...HONEST, 'Transfer-Encoding: chunked'],
  }))
    it(`are refused with ${what}`, () => {
      assert.throws(() => checkRangeReply(parseReplyHead(head(...lines)), ID, RANGE), isInvalid);
    });

  for (const lines of [
    ['HTTP/1.0 206 OK'],
    ['HTTP/2 206'],
    ['LENGTH 5'],
    ['HTTP/1.1 20 OK'],
    ['HTTP/1.1 206 OK', 'no colon'],
    ['HTTP/1.1 206 OK', ' folded: line'],
    ['HTTP/1.1 206 OK', 'Content-Length: 1', 'content-length: 2'],
    ['HTTP/1.1 206 OK', 'a\0: b'],
  ])
    it(`cannot be ${JSON.stringify(lines)}`, () => {
      assert.throws(() => parseReplyHead(head(...lines)), isInvalid);
    });

  it('never fail in another way than with a code, whatever arrives', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
        try {
          parseReplyHead(Buffer.from(`HTTP/1.1 206 OK\r\n${text}\r\n\r\n`));
        } catch (error) {
          assert.ok(isInvalid(error));
        }
      }),
    );
  });
});
