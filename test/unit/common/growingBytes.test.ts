import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { freeChunk, GrowingBytes } from '../../../src/common/growingBytes';

describe('GrowingBytes', () => {
  it('holds what has arrived, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50_000 }), { maxLength: 8 }), (chunks) => {
        const bytes = new GrowingBytes(400_000);
        for (const chunk of chunks) bytes.append(chunk);
        assert.ok(bytes.view().equals(Buffer.concat(chunks)));
        assert.equal(bytes.length, bytes.view().length);
      }),
      { numRuns: 50 },
    );
  });

  it('takes exactly as much as it may, and no byte more', () => {
    const bytes = new GrowingBytes(70_000);
    bytes.append(Buffer.alloc(69_999, 'a'));
    bytes.append(Buffer.from('b'));
    assert.equal(bytes.length, 70_000);
    assert.throws(() => bytes.append(Buffer.from('c')), RangeError);
    assert.equal(bytes.view().at(-1), 'b'.charCodeAt(0));
  });

  it('drops the first bytes, and goes on behind the others', () => {
    const bytes = new GrowingBytes(100);
    bytes.append(Buffer.from('abcdef'));
    bytes.discard(4);
    bytes.append(Buffer.from('gh'));
    assert.equal(bytes.view().toString(), 'efgh');
    bytes.discard(4);
    assert.equal(bytes.length, 0);
  });

  it('is empty at first, and again when it was cleared', () => {
    const bytes = new GrowingBytes(100);
    assert.equal(bytes.view().length, 0);
    bytes.append(Buffer.from('abc'));
    bytes.clear();
    assert.equal(bytes.length, 0);
    assert.equal(bytes.view().length, 0);
    bytes.append(Buffer.from('d'));
    assert.equal(bytes.view().toString(), 'd');
  });
});

describe('freeChunk', () => {
  it('frees a large chunk that has its memory for itself', () => {
    const chunk = Buffer.alloc(64 * 1024);
    freeChunk(chunk);
    assert.equal(chunk.length, 0);
  });

  it('leaves small chunks and parts of others alone', () => {
    const whole = Buffer.alloc(64 * 1024, 'a');
    freeChunk(whole.subarray(1));
    assert.equal(whole.length, 64 * 1024);
    const small = Buffer.from(new ArrayBuffer(16));
    freeChunk(small);
    assert.equal(small.length, 16);
  });
});
