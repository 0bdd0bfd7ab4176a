import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { PeershelfError } from '../../../src/common/errors';
import { LineDecoder } from '../../../src/protocol/lineDecoder';

const SMALL = { maxLineBytes: 8, maxBufferBytes: 64 };
const LARGE = { maxLineBytes: 1_000_000, maxBufferBytes: 2_000_000 };

function linesOf(decoder: LineDecoder): string[] {
  const lines: string[] = [];
  for (let line = decoder.next(); line !== undefined; line = decoder.next())
    lines.push(line.toString('latin1'));
  return lines;
}

function decode(chunks: readonly string[], options = SMALL): string[] {
  const decoder = new LineDecoder(options);
  return chunks.flatMap((chunk) => {
    decoder.push(Buffer.from(chunk, 'latin1'));
    return linesOf(decoder);
  });
}

describe('LineDecoder', () => {
  it('has no line before the line feed', () => {
    assert.deepEqual(decode(['abc']), []);
  });

  it('joins a line that came in parts', () => {
    assert.deepEqual(decode(['ab', 'c', '\n']), ['abc']);
  });

  it('separates lines that came together', () => {
    assert.deepEqual(decode(['a\nb\n\nc\nd']), ['a', 'b', '', 'c']);
  });

  it('goes on after a line that ended inside a chunk', () => {
    assert.deepEqual(decode(['a\nb', 'c\nd', 'e', 'f\n']), ['a', 'bc', 'def']);
  });

  it('takes a stream byte by byte', () => {
    assert.deepEqual(decode(Array.from('ab\r\n\ncd\n')), ['ab', '', 'cd']);
  });

  it('drops exactly one carriage return before the line feed', () => {
    assert.deepEqual(decode(['a\r\r\n', '\r\n', 'b\rc\n']), ['a\r', '', 'b\rc']);
  });

  it('takes a line of exactly the limit, with and without a carriage return', () => {
    assert.deepEqual(decode(['12345678\n12345678\r\n']), ['12345678', '12345678']);
    assert.deepEqual(decode(['12345678', '\r', '\n']), ['12345678']);
  });

  it('refuses a line one byte longer than the limit', () => {
    assert.throws(() => decode(['123456789\n']), isTooLong);
    assert.throws(() => decode(['1234', '56789\r\n']), isTooLong);
  });

  it('refuses a long line before its end has come', () => {
    assert.throws(() => decode(['12345', '67890']), isTooLong);
  });

  it('gives the lines before a long one', () => {
    const decoder = new LineDecoder(SMALL);
    decoder.push(Buffer.from('one\ntwo\n1234567890'));
    assert.equal(decoder.next()?.toString(), 'one');
    assert.equal(decoder.next()?.toString(), 'two');
    assert.throws(() => decoder.next(), isTooLong);
  });

  it('refuses more bytes than it may hold', () => {
    const decoder = new LineDecoder(SMALL);
    decoder.push(Buffer.alloc(64));
    assert.throws(
      () => decoder.push(Buffer.alloc(1)),
      (error) => PeershelfError.is(error, 'LIMIT_EXCEEDED'),
    );
  });

  it('counts what it holds', () => {
    const decoder = new LineDecoder(SMALL);
    decoder.push(Buffer.from('ab\ncd'));
    assert.equal(decoder.bufferedBytes, 5);
    decoder.next();
    assert.equal(decoder.bufferedBytes, 2);
    decoder.push(Buffer.from('\n'));
    decoder.next();
    assert.equal(decoder.bufferedBytes, 0);
  });

  it('hands out what follows the lines', () => {
    const decoder = new LineDecoder(SMALL);
    decoder.push(Buffer.from('a\nb'));
    decoder.push(Buffer.from('cd'));
    decoder.next();
    assert.equal(decoder.rest().toString(), 'bcd');
    assert.equal(decoder.bufferedBytes, 0);
    assert.equal(decoder.rest().length, 0);
  });

  it('takes a long line byte by byte without holding a chunk per byte', () => {
    const decoder = new LineDecoder(LARGE);
    decoder.push(Buffer.from('x\nstart'));
    decoder.next();
    for (let sent = 0; sent < 100_000; sent += 1) {
      decoder.push(Buffer.from([0x61 + (sent % 26)]));
      assert.equal(decoder.next(), undefined);
    }
    const { chunks } = decoder as unknown as { readonly chunks: readonly Buffer[] };
    assert.ok(chunks.length < 200, `${chunks.length} chunks`);
    decoder.push(Buffer.from('\n'));
    const line = decoder.next()?.toString() ?? '';
    assert.equal(line.length, 100_005);
    assert.ok(line.startsWith('startabcdefghijklmnopqrstuvwxyza'));
  });

  it('gives the same lines however the stream is split', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\u00ff'), maxLength: 40 });
    const splits = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), splits, (lines, sizes) => {
        const stream = lines.map((text) => `${text}\n`).join('');
        const chunks: string[] = [];
        for (let from = 0, turn = 0; from < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          chunks.push(stream.slice(from, from + size));
          from += size;
        }
        const expected = lines.map((text) => text.replace(/\r$/u, ''));
        assert.deepEqual(decode(chunks, LARGE), expected);
      }),
    );
  });
});

function isTooLong(error: unknown): boolean {
  return PeershelfError.is(error, 'LINE_TOO_LONG') && error.details['limit'] === 8;
}
