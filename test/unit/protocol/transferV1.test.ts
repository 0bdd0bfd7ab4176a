import { strict as assert } from 'node:assert';
import { PeershelfError, type ErrorCode } from '../../../src/common/errors';
import {
  encodeGet,
  encodeLength,
  encodeTransferError,
  parseGet,
  parseTransferReply,
  TRANSFER_ERRORS,
} from '../../../src/protocol/transferV1';

function get(line: string): string | undefined {
  return parseGet(Buffer.from(line));
}

function reply(line: string): number {
  return parseTransferReply(Buffer.from(line));
}

describe('transfer, version 1', () => {
  it('asks for everything after the first space', () => {
    for (const name of ['a', 'a b  c ', ' lead', '😀/Đồ án.md', '%20#?'])
      assert.equal(get(encodeGet(name).slice(0, -1)), name);
  });

  for (const line of [
    '',
    'GET',
    'GET ',
    'get a',
    'HEAD a',
    'GET\ta',
    'GET a\u0000b',
    `GET ${'a'.repeat(1025)}`,
  ])
    it(`takes ${JSON.stringify(line.slice(0, 12))} for no request`, () =>
      assert.equal(get(line), undefined));

  it('announces a length', () => {
    for (const length of [0, 1, 5 * 2 ** 30, Number.MAX_SAFE_INTEGER])
      assert.equal(reply(encodeLength(length).slice(0, -1)), length);
  });

  it('tells its errors apart by code', () => {
    const codes: ErrorCode[] = ['NOT_PUBLISHED', 'FILE_GONE', 'FILE_UNREADABLE', 'PEER_BUSY'];
    TRANSFER_ERRORS.forEach((error, index) => {
      assert.throws(
        () => reply(encodeTransferError(error).slice(0, -1)),
        (thrown) => PeershelfError.is(thrown, codes[index]),
      );
    });
  });

  for (const line of [
    '',
    'LENGTH',
    'LENGTH ',
    'LENGTH -1',
    'LENGTH 1.5',
    'LENGTH 1e3',
    'LENGTH 0x10',
    'LENGTH 9007199254740993',
    'LENGTH 99999999999999999999',
    'ERROR',
    'ERROR other',
    'HTTP/1.1 200 OK',
    ' LENGTH 1',
    'LENGTH 1 ',
  ])
    it(`refuses the reply ${JSON.stringify(line)}`, () => {
      assert.throws(
        () => reply(line),
        (error) => PeershelfError.is(error, 'INVALID_MESSAGE'),
      );
    });
});
