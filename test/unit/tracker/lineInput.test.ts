import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { PeershelfError } from '../../../src/common/errors';
import { LineInput } from '../../../src/tracker/lineInput';

interface Options {
  maxLineBytes?: number;
  mostLineBytes?: number;
  readAheadBytes?: number;
}

describe('LineInput', () => {
  const create = ({ maxLineBytes = 8, mostLineBytes = 8, readAheadBytes = 16 }: Options = {}) =>
    new LineInput({ maxLineBytes: () => maxLineBytes, mostLineBytes, readAheadBytes });

  /** A chunk with memory of its own, as a socket gives it. */
  const chunkOf = (text: string): Buffer => {
    const bytes = new Uint8Array(text.length);
    bytes.set(Buffer.from(text, 'latin1'));
    return Buffer.from(bytes.buffer);
  };

  const linesOf = (input: LineInput, most = Infinity): string[] => {
    const lines: string[] = [];
    while (lines.length < most) {
      const line = input.next();
      if (line === undefined) break;
      lines.push(line.toString('latin1'));
    }
    return lines;
  };

  const read = (chunks: readonly string[], options?: Options): string[] => {
    const input = create(options);
    return chunks.flatMap((chunk) => {
      input.push(chunkOf(chunk));
      return linesOf(input);
    });
  };

  it('has no line before the line feed', () => {
    assert.deepEqual(read(['abc']), []);
  });

  it('joins a line that came in parts, and separates lines that came together', () => {
    assert.deepEqual(read(['ab', 'c\nd\n\ne', 'f', '\ng']), ['abc', 'd', '', 'ef']);
    assert.deepEqual(read(Array.from('ab\r\n\ncd\n')), ['ab', '', 'cd']);
  });

  it('drops exactly one carriage return before the line feed', () => {
    assert.deepEqual(read(['a\r\r\n', '\r', '\n', 'b\rc\n']), ['a\r', '', 'b\rc']);
  });

  it('takes a line of exactly the limit', () => {
    assert.deepEqual(read(['12345678\n12345678\r\n', '1234', '5678\n']), Array(3).fill('12345678'));
  });

  it('refuses a longer line, ended or not, in one piece or several', () => {
    for (const chunks of [['123456789\n'], ['1234', '56789\n'], ['1234567890'], ['12345', '67890']])
      assert.throws(() => read(chunks), hasCode('LINE_TOO_LONG'));
  });

  it('asks for the limit of each line anew', () => {
    let maxLineBytes = 4;
    const input = new LineInput({
      maxLineBytes: () => maxLineBytes,
      mostLineBytes: 8,
      readAheadBytes: 16,
    });
    input.push(chunkOf('1234\n12345678\n'));
    assert.deepEqual(linesOf(input, 1), ['1234']);
    maxLineBytes = 8;
    assert.deepEqual(linesOf(input), ['12345678']);
  });

  it('holds what nobody takes, up to a limit', () => {
    const input = create();
    input.push(chunkOf('a\nb\nc\n'));
    assert.equal(input.bufferedBytes, 6);
    assert.deepEqual(linesOf(input, 1), ['a']);
    assert.equal(input.bufferedBytes, 4);
    input.push(chunkOf('d\n'.repeat(10)));
    assert.equal(input.bufferedBytes, 24);
    assert.throws(() => input.push(chunkOf('e')), hasCode('LIMIT_EXCEEDED'));
    assert.deepEqual(linesOf(input), ['b', 'c', ...Array<string>(10).fill('d')]);
    assert.equal(input.bufferedBytes, 0);
  });

  it('holds nothing when it is cleared', () => {
    const input = create();
    input.push(chunkOf('ab\ncd'));
    input.clear();
    assert.equal(input.bufferedBytes, 0);
    input.push(chunkOf('e\n'));
    assert.deepEqual(linesOf(input), ['e']);
  });

  it('gives back the memory of a large chunk, of which it keeps a part', () => {
    const input = create({ maxLineBytes: 70_000, mostLineBytes: 70_000 });
    const chunk = chunkOf('x'.repeat(64 * 1024));
    input.push(chunk);
    assert.deepEqual(linesOf(input), []);
    assert.equal(chunk.length, 0);
    input.push(chunkOf('\n'));
    assert.deepEqual(linesOf(input), ['x'.repeat(64 * 1024)]);
  });

  it('finds the same lines however they are split and whenever they are taken', () => {
    const texts = fc.array(
      fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r'), maxLength: 6 }),
    );
    fc.assert(
      fc.property(texts, fc.infiniteStream(fc.nat({ max: 3 })), (chunks, counts) => {
        const input = create({ maxLineBytes: 1_000, mostLineBytes: 1_000 });
        const found = chunks.flatMap((chunk) => {
          input.push(chunkOf(chunk));
          return linesOf(input, Number(counts.next().value));
        });
        found.push(...linesOf(input));
        const parts = chunks.join('').split('\n');
        assert.deepEqual(
          found,
          parts.slice(0, -1).map((line) => line.replace(/\r$/u, '')),
        );
        assert.equal(input.bufferedBytes, parts.at(-1)?.length);
      }),
    );
  });
});

function hasCode(code: 'LINE_TOO_LONG' | 'LIMIT_EXCEEDED'): (error: unknown) => boolean {
  return (error) => PeershelfError.is(error, code);
}
