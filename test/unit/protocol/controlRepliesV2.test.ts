import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { PeershelfError } from '../../../src/common/errors';
import { formatContentId } from '../../../src/protocol/contentId';
import { readFiles, readRegistry, readSources } from '../../../src/protocol/controlReplies';
import {
  readEvent,
  readHeartbeatIntervals,
  readHello,
  readLocated,
  readReachable,
  readRefusals,
} from '../../../src/protocol/controlRepliesV2';
import { readChanges } from '../../../src/protocol/networkChanges';
import { MAX_PUBLISH_ENTRIES, MAX_SOURCES } from '../../../src/protocol/limits';

const CONTENT = { root: 'ab'.repeat(32), sizeBytes: 5 };
const ID = formatContentId(CONTENT);
const FILE = { size: 5, modified: 1_500, root: CONTENT.root, version: 2, seq: 3 };
const SOURCE = { hostname: 'a', display_name: 'A', ip: '10.0.0.1', port: 1, ...FILE, age: 7 };

describe('replies of a tracker of version 2', () => {
  it('have sources with their revision; those that are not valid are left out', () => {
    const { root: _root, version: _version, seq: _seq, ...plain } = SOURCE;
    const bad = [
      { size: 1.5 },
      { modified: 'x' },
      { modified: undefined },
      { root: 'AB'.repeat(32) },
      { root: 5 },
      { size: 0 },
      { version: 0 },
      { seq: -1 },
      { port: 0 },
      { ip: 'localhost' },
      { hostname: '' },
    ].map((change) => ({ ...SOURCE, ...change }));
    const hosts = [SOURCE, null, ...bad, plain];
    const read = { hostname: 'a', displayName: 'A', ip: '10.0.0.1', port: 1, size: 5 };
    assert.deepEqual(readSources({ status: 'FOUND', hosts }, 2), [
      { ...read, modified: 1.5, contentId: CONTENT, version: 2, sequence: 3 },
      { ...read, modified: 1.5, contentId: undefined, version: undefined, sequence: undefined },
    ]);
    const many = { status: 'FOUND', hosts: Array(MAX_SOURCES + 1).fill(SOURCE) };
    assert.equal(readSources(many, 2).length, MAX_SOURCES);
  });

  it('have files and hosts, those that serve nothing included', () => {
    const files = { f: { ...FILE, published_at: 2_500 }, g: { ...FILE, root: 'x' }, h: 7 };
    const read = new Map([['f', { size: 5, modified: 1.5, publishedAt: 2.5, contentId: CONTENT }]]);
    assert.deepEqual(readFiles({ status: 'OK', files }, 2), read);
    const host = { addr: ['10.0.0.1', 0], files, age: 4_000, connected_at: 6_000 };
    const registry = { a: host, b: { ...host, age: -1 }, c: { ...host, addr: ['10.0.0.1', 1.5] } };
    const hosts = readRegistry({ status: 'OK', now: 10_000, registry }, 2);
    assert.deepEqual(
      [...hosts],
      [
        [
          'a',
          {
            ...{ displayName: 'a', ip: '10.0.0.1', port: 0, files: read },
            ...{ ageMs: 4_000, awayMs: undefined, lastSeen: 6, connectedAt: 6, isBusy: false },
          },
        ],
      ],
    );
  });

  it('have no time that is none: JSON can write infinity', () => {
    const host = { addr: ['10.0.0.1', 1], age: 4_000 };
    for (const now of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 'x']) {
      const [listed] = readRegistry({ status: 'OK', now, registry: { a: host } }, 2).values();
      assert.equal(listed?.lastSeen, 0);
      const [change] = readChanges({ now, changes: [{ hostname: 'a', ...host }] });
      assert.equal(change?.host?.lastSeen, 0);
    }
  });

  it('greet with a version, and with no larger a limit than ours', () => {
    const hello = (more: object) => readHello({ status: 'OK', ...more });
    assert.deepEqual(hello({ version: 2, max_publish: 7 }), { version: 2, maxPublish: 7 });
    for (const limit of [undefined, 0, 1.5, 'x', 1e9])
      assert.equal(hello({ version: 1, max_publish: limit }).maxPublish, MAX_PUBLISH_ENTRIES);
    for (const version of [0, 3, '2', undefined, null])
      assert.throws(
        () => hello({ version }),
        (error) => PeershelfError.is(error, 'INVALID_MESSAGE'),
      );
  });

  it('have intervals that are taken when all of them make sense', () => {
    const intervals = { idle: 3_600_000, active: 2_000, busy: 1_000 };
    const read = (heartbeat: unknown) => readHeartbeatIntervals({ heartbeat_ms: heartbeat });
    assert.deepEqual(read(intervals), intervals);
    for (const busy of [999, 3_600_001, 0, -1, Number.NaN, '1000', undefined])
      assert.equal(read({ ...intervals, busy }), undefined);
    for (const value of [undefined, null, 5, []]) assert.equal(read(value), undefined);
  });

  it('refuse only what was asked', () => {
    const refused = [{ name: 'a', reason: 'r' }, { name: 'x', reason: 'r' }, { name: 'b' }, 5];
    assert.deepEqual(readRefusals({ refused }, ['a', 'b', 'c', 'd']), [{ name: 'a', reason: 'r' }]);
    assert.deepEqual(readRefusals({ refused: Array(9).fill(refused[0]) }, ['a']).length, 1);
    assert.deepEqual(readRefusals({}, ['a']), []);
  });

  it('locate only what was asked', () => {
    const host = { hostname: 'a', ip: '10.0.0.1', port: 1, name: 'f' };
    const other = { ...CONTENT, sizeBytes: 6 };
    const hosts = { [ID]: [host, { ...host, port: 0 }, 5], x: [host], [formatContentId(other)]: 5 };
    const located = readLocated({ status: 'FOUND', hosts }, [CONTENT, other]);
    assert.deepEqual([...located], [[ID, [{ ...host, displayName: 'a' }]]]);
    assert.throws(
      () => readLocated({ status: 'FOUND', hosts: [] }, [CONTENT]),
      (error) => PeershelfError.is(error, 'INVALID_MESSAGE'),
    );
  });

  it('are told from events', () => {
    assert.equal(readEvent({ event: 'replaced' })?.name, 'replaced');
    assert.equal(readEvent({ event: {} })?.name, '');
    assert.equal(readEvent({ status: 'OK', event: 'replaced' }), undefined);
    assert.equal(readEvent({}), undefined);
  });

  it('say whether a port is reached, when they say both', () => {
    const read = (members: Record<string, unknown>): unknown =>
      readReachable({ name: 'reachable', members });
    assert.deepEqual(read({ port: 6000, reachable: false }), { port: 6000, reachable: false });
    for (const wrong of [{ port: 0, reachable: true }, { port: 6000 }, { port: 1, reachable: 1 }])
      assert.equal(read(wrong), undefined);
    const members = { port: 6000, reachable: true };
    assert.equal(readReachable({ name: 'other', members }), undefined);
  });

  it('throw nothing but coded errors', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('OK', 'FOUND'), (value, status) => {
        const reply = {
          ...{ status, hosts: value, files: value, registry: value, refused: value },
          ...{ heartbeat_ms: value, version: value, max_publish: value, now: value },
        };
        for (const read of [
          () => readSources(reply, 2),
          () => readFiles(reply, 2),
          () => readRegistry(reply, 2),
          () => readHello(reply),
          () => readHeartbeatIntervals(reply),
          () => readRefusals(reply, ['a']),
          () => readLocated(reply, [CONTENT]),
        ])
          try {
            read();
          } catch (error) {
            assert.ok(PeershelfError.is(error, 'INVALID_MESSAGE'), String(error));
          }
      }),
    );
  });
});
