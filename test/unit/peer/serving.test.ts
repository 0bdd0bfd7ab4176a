import { strict as assert } from 'node:assert';
import { contentRange, namesTag, parseByteRange } from '../../../src/peer/transfer/serve/byteRange';
import { ConnectionTransfer } from '../../../src/peer/transfer/serve/connectionTransfer';
import { conversationOf } from '../../../src/peer/transfer/serve/firstLine';
import { Uploads } from '../../../src/peer/transfer/serve/uploads';
import { TransferList } from '../../../src/peer/transfer/transferList';
import { FakeClock } from '../../support/fakeClock';

describe('the first line of a transfer connection', () => {
  const is = (expected: string, ...lines: string[]): void => {
    for (const line of lines) assert.equal(conversationOf(Buffer.from(line)), expected, line);
  };

  it('is HTTP when it is a request line', () =>
    is(
      'http',
      'GET /v2/objects/x HTTP/1.1',
      'GET / HTTP/1.1',
      'POST x HTTP/1.1',
      'OPTIONS * HTTP/1.1',
    ));

  it('is version 1 when it is anything else, whatever the name looks like', () =>
    is(
      'version 1',
      'GET a HTTP/1.1',
      'GET a b HTTP/1.1',
      'GET v2/objects/x HTTP/1.1',
      'GET http://a/ HTTP/1.1',
      'GET /etc/passwd',
      'GET  /x HTTP/1.1',
      'get / HTTP/1.1',
      'PUT x',
      '',
      '\u0016\u0003\u0001',
    ));

  it('is refused for other versions of HTTP and for long names', () =>
    is('refused', 'GET / HTTP/1.0', 'PRI * HTTP/2.0', 'GET / HTTP/2', `GET ${'x'.repeat(2_100)}`));
});

describe('parseByteRange', () => {
  it('reads one range', () => {
    assert.deepEqual(parseByteRange('bytes=0-0', 10), { start: 0, end: 1 });
    assert.deepEqual(parseByteRange('bytes=9-9', 10), { start: 9, end: 10 });
    assert.deepEqual(parseByteRange('bytes=0-', 10), { start: 0, end: 10 });
    assert.deepEqual(parseByteRange('bytes=3-100', 10), { start: 3, end: 10 });
    assert.deepEqual(parseByteRange('bytes=-3', 10), { start: 7, end: 10 });
    assert.deepEqual(parseByteRange('bytes=-30', 10), { start: 0, end: 10 });
    assert.deepEqual(parseByteRange('bytes=0-9999999999999999', 10), { start: 0, end: 10 });
    assert.equal(contentRange({ start: 7, end: 10 }, 10), 'bytes 7-9/10');
  });

  for (const header of [
    'bytes=10-',
    'bytes=10-12',
    'bytes=5-4',
    'bytes=-0',
    'bytes=-',
    'bytes=',
    'bytes',
    '',
    'bytes=0-1,3-4',
    'bytes=0-1,',
    'items=0-1',
    'bytes= 0-1',
    'bytes=a-b',
    'bytes=0x0-1',
    'bytes=--1',
    'bytes=1.5-2',
    'bytes=00000000000000000-1',
    'Bytes=0-1',
  ])
    it(`refuses ${JSON.stringify(header)}`, () =>
      assert.equal(parseByteRange(header, 10), undefined));

  it('has no range of an empty file', () => {
    for (const header of ['bytes=0-', 'bytes=-1', 'bytes=0-0'])
      assert.equal(parseByteRange(header, 0), undefined);
  });
});

describe('namesTag', () => {
  it('finds a tag in a list, weak or not', () => {
    for (const header of ['"a"', ' "a" ', 'W/"a"', '"b", "a"', '"b",W/"a"', '*'])
      assert.ok(namesTag(header, '"a"'), header);
    for (const header of ['', 'a', '"A"', '"ab"', '"b"'])
      assert.ok(!namesTag(header, '"a"'), header);
  });
});

describe('ConnectionTransfer', () => {
  const create = () => {
    const clock = new FakeClock();
    const transfers = new TransferList(clock);
    let cancelled = 0;
    const uploads = new Uploads(transfers, clock, ({ address }) => address.toUpperCase());
    const transfer = new ConnectionTransfer(uploads, clock, () => (cancelled += 1));
    const about = (name: string) => ({ name, recipient: { address: 'p' }, totalBytes: 100 });
    const states = (): string[] =>
      transfers.all().map(({ name, state, bytes }) => `${name} ${state} ${bytes}`);
    return { clock, transfers, uploads, transfer, about, states };
  };

  it('is one upload over many requests for one object', () => {
    const { clock, transfer, uploads, about, states } = create();
    for (let turn = 0; turn < 3; turn += 1) {
      transfer.begin('a', about('a'));
      transfer.setBytes(5);
      transfer.setBytes(10);
      transfer.rest();
      clock.advance(1_900);
    }
    assert.deepEqual(states(), ['a running 30']);
    assert.equal(uploads.countOf('a'), 1);
    clock.advance(200);
    assert.deepEqual(states(), ['a done 30']);
    assert.equal(uploads.countOf('a'), 0);
    assert.equal(clock.pending, 1, 'the list tells its change');
  });

  it('is another one for another object, and ends with the connection', () => {
    const { transfer, about, states } = create();
    transfer.begin('a', about('a'));
    transfer.rest();
    transfer.begin('b', about('b'));
    transfer.setBytes(7);
    transfer.end();
    transfer.end();
    assert.deepEqual(states(), ['a done 0', 'b done 7']);
  });

  it('ends at once when it is unpublished between two requests', () => {
    const { transfer, uploads, about, states } = create();
    transfer.begin('a', about('a'));
    transfer.rest();
    uploads.cancelOf(new Set(['a']));
    assert.deepEqual(states(), ['a cancelled 0']);
    const again = transfer.begin('a', about('a'));
    assert.equal(again.signal.aborted, false);
  });
});
