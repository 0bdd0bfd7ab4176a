import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { PeershelfError } from '../../../src/common/errors';
import {
  expectStatus,
  parseReply,
  readFiles,
  readRegistry,
  readSources,
} from '../../../src/protocol/controlReplies';
import { MAX_SOURCES } from '../../../src/protocol/limits';

const SOURCE = {
  hostname: 'a',
  display_name: 'A',
  ip: '10.0.0.1',
  port: 1,
  size: 3,
  modified: 1.5,
  is_published: true,
};

function invalid(action: () => unknown): void {
  assert.throws(action, (error) => PeershelfError.is(error, 'INVALID_MESSAGE'));
}

describe('replies of a tracker', () => {
  for (const line of ['', 'x', 'null', '[]', '"OK"', '{}', '{"status":1}'])
    it(`refuses ${JSON.stringify(line)}`, () => invalid(() => parseReply(line)));

  it('turns a refusal into an error with its reason', () => {
    assert.throws(
      () => parseReply('{"status":"ERROR","reason":"unknown host"}'),
      (error) =>
        PeershelfError.is(error, 'TRACKER_REFUSED') && error.details['reason'] === 'unknown host',
    );
    for (const line of ['{"status":"ERROR"}', '{"status":"ERROR","reason":{"a":1}}'])
      assert.throws(
        () => parseReply(line),
        (error) => PeershelfError.is(error, 'TRACKER_REFUSED'),
      );
  });

  it('expects one of the statuses', () => {
    assert.equal(expectStatus({ status: 'DEAD' }, ['ALIVE', 'DEAD']), 'DEAD');
    invalid(() => expectStatus({ status: 'OK' }, ['ACK']));
  });

  it('reads sources', () => {
    assert.deepEqual(readSources({ status: 'FOUND', hosts: [SOURCE] }), [
      { hostname: 'a', displayName: 'A', ip: '10.0.0.1', port: 1, size: 3, modified: 1.5 },
    ]);
    assert.deepEqual(readSources({ status: 'NOTFOUND', hosts: [] }), []);
    invalid(() => readSources({ status: 'OK' }));
    invalid(() => readSources({ status: 'FOUND', hosts: {} }));
  });

  it('leaves out sources that nobody could use', () => {
    const wrong = [
      null,
      1,
      [],
      {},
      { ...SOURCE, ip: 'evil.example' },
      { ...SOURCE, port: 0 },
      { ...SOURCE, port: 65_536 },
      { ...SOURCE, hostname: 'a\nb' },
      { ...SOURCE, size: -1 },
      { ...SOURCE, size: 1e400 },
      { ...SOURCE, display_name: '\u001b[2J' },
    ];
    assert.deepEqual(readSources({ status: 'FOUND', hosts: wrong }), []);
    assert.equal(readSources({ status: 'FOUND', hosts: [...wrong, SOURCE] }).length, 1);
  });

  it('fills in what the original tracker leaves out', () => {
    const hosts = [{ hostname: 'a', ip: '::ffff:10.0.0.1', port: 1 }];
    assert.deepEqual(readSources({ status: 'FOUND', hosts }), [
      { hostname: 'a', displayName: 'a', ip: '10.0.0.1', port: 1, size: 0, modified: 0 },
    ]);
  });

  it('takes a bounded number of sources', () => {
    const hosts = Array.from({ length: MAX_SOURCES + 5 }, () => SOURCE);
    assert.equal(readSources({ status: 'FOUND', hosts }).length, MAX_SOURCES);
  });

  it('reads files, whatever their names', () => {
    const reply = parseReply(
      '{"status":"OK","files":{"__proto__":{"size":1,"modified":2,"published_at":3},"a\\nb":{},"constructor":{}}}',
    );
    const files = readFiles(reply);
    assert.deepEqual([...files.keys()], ['__proto__', 'constructor']);
    assert.deepEqual(files.get('__proto__'), { size: 1, modified: 2, publishedAt: 3 });
    invalid(() => readFiles({ status: 'ACK' }));
  });

  it('reads the registry and leaves out what is not valid', () => {
    const host = {
      addr: ['10.0.0.1', 1],
      display_name: 'A',
      files: { f: { size: 1 }, g: 7 },
      last_seen: 5,
      connected_at: 4,
    };
    const registry = {
      a: host,
      b: { ...host, addr: ['10.0.0.1'] },
      c: null,
      d: { addr: ['::1', 2] },
    };
    const hosts = readRegistry({ status: 'OK', registry });
    assert.deepEqual([...hosts.keys()], ['a', 'd']);
    assert.deepEqual(hosts.get('a'), {
      displayName: 'A',
      ip: '10.0.0.1',
      port: 1,
      files: new Map([['f', { size: 1, modified: 0, publishedAt: 0 }]]),
      lastSeen: 5,
      connectedAt: 4,
    });
    assert.equal(hosts.get('d')?.displayName, 'd');
    invalid(() => readRegistry({ status: 'OK', registry: [] }));
  });

  it('throws nothing but coded errors', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('OK', 'FOUND'), (json, status) => {
        const value: unknown = JSON.parse(json);
        for (const read of [readSources, readFiles, readRegistry])
          try {
            read({ status, hosts: value, files: value, registry: value });
          } catch (error) {
            assert.ok(PeershelfError.is(error, 'INVALID_MESSAGE'), String(error));
          }
      }),
    );
  });
});
