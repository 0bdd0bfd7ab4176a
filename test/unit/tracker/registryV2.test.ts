import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { formatContentId } from '../../../src/protocol/contentId';
import type { FileMetadata } from '../../../src/protocol/controlRequests';
import { TAKEOVER_SILENCE_MS } from '../../../src/tracker/limits';
import { COST_STEP_BYTES, RESERVED_SHARE } from '../../../src/tracker/limits';
import { MemoryRegistry } from '../../../src/tracker/memoryRegistry';
import { costOfFile, costOfHost, RegistryBudget } from '../../../src/tracker/registryBudget';
import type { Owner, Registration } from '../../../src/tracker/registry';
import { withPrefix } from '../../../src/tracker/repliesV2';
import type { SignedText } from '../../../src/protocol/signedText';
import { FakeClock } from '../../support/fakeClock';

const ROOT = 'ab'.repeat(32);
const CONTENT = { root: ROOT, sizeBytes: 5 };
const ID = formatContentId(CONTENT);
const HOUR_MS = 3_600_000;

function file(sequence = 0, content = true): FileMetadata {
  return {
    size: 5,
    modified: 5.5,
    publishedAt: 7.25,
    isPublished: true,
    revision: { contentId: content ? CONTENT : undefined, version: 2, sequence },
  };
}

describe('MemoryRegistry, version 2', () => {
  let clock: FakeClock;
  let registry: MemoryRegistry;
  let replaced: string[];

  beforeEach(() => {
    clock = new FakeClock();
    registry = new MemoryRegistry(clock, { maxFilesPerHost: 3, expirySeconds: 1_200 });
    replaced = [];
  });

  const owner = (id: string, address = `10.0.0.${id.length}`): Owner => ({
    id,
    address,
    onReplaced: () => replaced.push(id),
  });
  const register = (by: Owner, more: Partial<Registration> = {}): string =>
    registry.register(by, {
      hostname: 'alice',
      displayName: 'Alice',
      ip: '10.9.9.9',
      port: 6000,
      instance: { id: 'w1', counter: 5 },
      files: new Map([['a', file()]]),
      ...more,
    });
  const claim = (counter: number, id = 'w1'): Partial<Registration> => ({
    instance: { id, counter },
  });
  const json = (text: string | undefined): Record<string, unknown> =>
    JSON.parse(text ?? 'null') as Record<string, unknown>;
  const located = (id = ID): unknown =>
    (json(registry.locate([id]))['hosts'] as object)[id as never];

  it('passes on what a host has signed character by character, to version 2 only', () => {
    const text = '{"name":"a", "é": "\\u00e9\u2028"}';
    const signature = 'A'.repeat(86);
    const signed = { text, signature };
    register(owner('x'), { files: new Map([['a', { ...file(), signed }]]) });
    const source = (): unknown => (json(registry.request('a', 2))['hosts'] as object[])[0];
    const files = (reply: string | undefined): Record<string, { signed?: unknown }> =>
      json(reply)['files'] as Record<string, { signed?: unknown }>;
    assert.deepEqual((source() as { signed: unknown }).signed, signed);
    assert.deepEqual(files(registry.discover('alice', 2))['a']?.signed, signed);
    const { alice } = json(registry.list(2))['registry'] as { alice: object };
    assert.deepEqual(files(JSON.stringify(alice))['a']?.signed, signed);
    for (const reply of [registry.request('a'), registry.discover('alice'), registry.list()])
      assert.equal(reply?.includes('signed'), false);
    const withdrawn = new Map([['a', { text: 'gone', signature }]]);
    assert.deepEqual(registry.unpublishAll(owner('x'), 'alice', ['a'], withdrawn), []);
    assert.deepEqual(files(registry.discover('alice', 2)), {});
    registry.publishAll(owner('x'), 'alice', [{ name: 'a', file: file(1) }]);
    assert.equal(files(registry.discover('alice', 2))['a']?.signed, undefined);
  });

  it('answers REQUEST, DISCOVER and LIST in both versions', () => {
    register(owner('c'));
    clock.advance(4_000);
    const v2 = { size: 5, modified: 5_500, root: ROOT, version: 2, seq: 0 };
    const source = { hostname: 'alice', display_name: 'Alice', ip: '10.9.9.9', port: 6000 };
    assert.deepEqual(json(registry.request('a', 2)), {
      status: 'FOUND',
      hosts: [{ ...source, ...v2, age: 4_000 }],
    });
    assert.deepEqual(json(registry.request('a')), {
      status: 'FOUND',
      hosts: [{ ...source, size: 5, modified: 5.5, is_published: true }],
    });
    const files = { a: { ...v2, published_at: 7_250 } };
    const addr = ['10.9.9.9', 6000];
    const connected_at = 1_700_000_000_000;
    assert.deepEqual(json(registry.discover('alice', 2)), {
      ...{ status: 'OK', addr, display_name: 'Alice', age: 4_000, connected_at, files },
    });
    assert.deepEqual(json(registry.list(2)), {
      status: 'OK',
      registry: { alice: { addr, display_name: 'Alice', files, age: 4_000, connected_at } },
    });
    registry.touch(owner('c'));
    assert.match(registry.request('a', 2), /"age":0\}/u);
    registry.publish(owner('c'), 'alice', 'a', { ...file(), revision: undefined, modified: 1e300 });
    const [plain] = json(registry.request('a', 2))['hosts'] as object[];
    assert.deepEqual(plain, { ...source, size: 5, modified: Number.MAX_SAFE_INTEGER, age: 0 });
  });

  it('finds a content while it is published, and not after', () => {
    const alice = owner('c');
    register(alice);
    const host = { hostname: 'alice', display_name: 'Alice', ip: '10.9.9.9', port: 6000 };
    assert.deepEqual(json(registry.locate([ID, 'x', ID, `${ROOT}-6`])), {
      status: 'FOUND',
      hosts: { [ID]: [{ ...host, name: 'a' }] },
    });
    registry.unpublish(alice, 'alice', 'a');
    assert.equal(located(), undefined);
    registry.publishAll(alice, 'alice', [{ name: 'b', file: file() }]);
    assert.deepEqual(located(), [{ ...host, name: 'b' }]);
    registry.publish(alice, 'alice', 'b', file(0, false));
    assert.equal(located(), undefined);
    registry.publish(alice, 'alice', 'b', file());
    clock.advance(HOUR_MS);
    registry.expire();
    assert.equal(located(), undefined);
    assert.equal(registry.contentCount, 0);
  });

  it('names a host that serves nothing as nobody’s source, but lists its files', () => {
    register(owner('c'), { port: 0 });
    registry.publish(owner('c'), 'alice', 'b', file());
    for (const version of [1, 2] as const) {
      assert.equal(json(registry.request('a', version))['status'], 'NOTFOUND');
      assert.deepEqual(Object.keys(json(registry.discover('alice', version))['files'] as object), [
        'a',
        'b',
      ]);
    }
    assert.equal(located(), undefined);
    register(owner('c'), { port: 6000 });
    assert.equal(json(registry.request('a'))['status'], 'FOUND');
    assert.notEqual(located(), undefined);
  });

  it('never goes back to an older entry', () => {
    const alice = owner('c');
    register(alice);
    const publish = (sequence: number): unknown =>
      registry.publishAll(alice, 'alice', [{ name: 'a', file: file(sequence) }]);
    assert.deepEqual(publish(4), []);
    assert.deepEqual(publish(4), []);
    assert.deepEqual(publish(3), [{ name: 'a', reason: 'old sequence' }]);
    registry.unpublishAll(alice, 'alice', ['a']);
    assert.deepEqual(publish(3), [{ name: 'a', reason: 'old sequence' }]);
    assert.deepEqual(publish(5), []);
  });

  it('takes of many files what it can, and names the others', () => {
    const alice = owner('c');
    register(alice);
    const files = ['a', 'b', 'c', 'd'].map((name) => ({ name, file: file() }));
    assert.deepEqual(registry.publishAll(alice, 'alice', files), [
      { name: 'd', reason: 'too many files' },
    ]);
    assert.deepEqual(registry.unpublishAll(alice, 'alice', ['a', 'd']), [
      { name: 'd', reason: 'file not found' },
    ]);
    assert.equal(registry.publishAll(owner('other'), 'alice', files), 'not your host');
    assert.equal(registry.unpublishAll(alice, 'bob', []), 'unknown host');
  });

  it('holds as much of one host as its account may have, and forgets what it gives up', () => {
    const limits = { maxFilesPerHost: 100, expirySeconds: 1_200 };
    const signed = (length: number): SignedText => ({
      ...{ text: 'x'.repeat(length), signature: 'A'.repeat(86) },
    });
    const long = (name: string, length: number) => ({
      ...{ name, file: { ...file(), signed: signed(length) } },
    });
    const cost = (name: string, length: number): number =>
      costOfFile(name, long(name, length).file);
    const alice = owner('x');
    // Room for a host with two files of 500 characters, to the step; an address has half of what is not reserved.
    const room = costOfHost(['alice', 'Alice', '10.0.0.1']) + cost('a', 500) + cost('b', 500);
    registry = new MemoryRegistry(
      clock,
      limits,
      new RegistryBudget(Math.ceil((2 * room) / (1 - RESERVED_SHARE))),
    );
    const empty = { displayName: 'Alice', ip: '10.0.0.1', files: new Map() };
    const files = new Map([['a', { ...file(), signed: signed(10_000) }]]);
    assert.equal(register(alice, { ...empty, files }), 'too many files');
    assert.equal(register(alice, empty), 'done');
    const publish = (name: string, length: number): unknown =>
      registry.publishAll(alice, 'alice', [long(name, length)]);
    const refused = (name: string): unknown => [{ name, reason: 'too many files' }];
    assert.deepEqual(publish('a', 500), []);
    assert.deepEqual(publish('b', 500), []);
    assert.deepEqual(publish('c', 0), refused('c'));
    // A character costs four bytes: one step more, and within the same step.
    assert.deepEqual(publish('b', 500 + COST_STEP_BYTES / 4), refused('b'));
    assert.deepEqual(publish('b', 499), []);
    // Taking back is never refused, and what is said of it counts too.
    const withdrawn = new Map([['b', signed(9_000)]]);
    assert.deepEqual(registry.unpublishAll(alice, 'alice', ['b'], withdrawn), []);
    assert.equal(register(alice, { ...claim(6), ...empty }), 'done');
    assert.deepEqual(publish('a', 500), []);
    registry.unregister(alice, 'alice');
    assert.equal(register(alice, { ...claim(7), ...empty }), 'done');
    assert.deepEqual(publish('a', 500), []);
  });

  it('gives a hostname to the higher counter of the same instance at once, from anywhere', () => {
    const [first, second] = [owner('c'), owner('c2', '10.7.7.7')];
    assert.equal(register(first), 'done');
    assert.equal(register(second, claim(5)), 'replaced');
    assert.equal(register(second, claim(4)), 'replaced');
    assert.deepEqual(replaced, []);
    assert.equal(register(second, { ...claim(6), files: new Map() }), 'done');
    assert.deepEqual(replaced, ['c']);
    assert.equal(registry.publish(first, 'alice', 'x', file()), 'not your host');
    assert.equal(located(), undefined);
    assert.equal(register(first, claim(5)), 'replaced');
  });

  it('needs a higher counter of a closed connection too, which hears nothing of it', () => {
    register(owner('c'));
    registry.release(owner('c'));
    assert.equal(register(owner('c2'), claim(5)), 'replaced');
    assert.equal(register(owner('c2'), claim(6)), 'done');
    assert.deepEqual(replaced, []);
  });

  it('lets a connection register again with the counter it has', () => {
    assert.equal(register(owner('c')), 'done');
    assert.equal(register(owner('c')), 'done');
    assert.deepEqual(replaced, []);
  });

  it('treats other instances, and none, as version 1 does', () => {
    const [first, second] = [owner('c', '10.0.0.1'), owner('c2', '10.0.0.1')];
    register(first);
    for (const instance of [undefined, { id: 'w2', counter: 99 }]) {
      assert.equal(register(second, { instance }), 'hostname in use');
      assert.equal(register(owner('c3', '10.0.0.9'), { instance }), 'hostname in use');
    }
    clock.advance(TAKEOVER_SILENCE_MS);
    assert.equal(register(owner('c3', '10.0.0.9'), { instance: undefined }), 'hostname in use');
    assert.equal(register(second, { instance: undefined }), 'done');
    assert.deepEqual(replaced, []);
    assert.equal(register(first), 'hostname in use');
  });

  it('finds by content exactly what it would find by looking at all files', () => {
    const roots = ['ab', 'cd'].map((byte) => ({ root: byte.repeat(32), sizeBytes: 5 }));
    const step = fc.record({
      who: fc.integer({ min: 0, max: 2 }),
      what: fc.constantFrom('register', 'port 0', 'publish', 'unpublish', 'unregister', 'expire'),
      name: fc.constantFrom('a', 'b'),
      content: fc.constantFrom(...roots, undefined),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const tested = new MemoryRegistry(clock, { maxFilesPerHost: 3, expirySeconds: 1_200 });
        for (const { who, what, name, content } of steps) {
          const by = { id: `c${who}`, address: '10.0.0.1' };
          const hostname = `h${who}`;
          const revision = { contentId: content, version: 1, sequence: 0 };
          const entry = { ...file(), revision };
          if (what === 'publish') tested.publish(by, hostname, name, entry);
          else if (what === 'unpublish') tested.unpublish(by, hostname, name);
          else if (what === 'unregister') tested.unregister(by, hostname);
          else if (what === 'expire') {
            clock.advance(HOUR_MS);
            tested.expire();
          } else {
            const port = what === 'port 0' ? 0 : 6000;
            const facts = { hostname, displayName: hostname, ip: '10.0.0.1', port };
            tested.register(by, { ...facts, files: new Map([[name, entry]]) });
          }
        }
        const all = json(tested.list(2))['registry'] as Record<
          string,
          { addr: [string, number]; files: Record<string, { root?: string }> }
        >;
        for (const id of roots) {
          const expected = Object.entries(all)
            .filter(([, { addr }]) => addr[1] !== 0)
            .filter(([, { files }]) => Object.values(files).some(({ root }) => root === id.root))
            .map(([hostname]) => hostname);
          const found = (json(tested.locate([formatContentId(id)]))['hosts'] ?? {}) as Record<
            string,
            { hostname: string }[]
          >;
          const hosts = (found[formatContentId(id)] ?? []).map(({ hostname }) => hostname);
          assert.deepEqual(hosts.sort(), expected.sort());
        }
      }),
    );
  });
});

describe('withPrefix', () => {
  it('puts id and time in front, and changes nothing without', () => {
    const reply = '{"status":"OK"}\n';
    assert.equal(withPrefix(reply, { id: undefined, nowMs: undefined }), reply);
    assert.equal(withPrefix(reply, { id: 7, nowMs: undefined }), '{"id":7,"status":"OK"}\n');
    assert.equal(
      withPrefix(reply, { id: 'é"', nowMs: 5 }),
      '{"id":"\\u00e9\\"","now":5,"status":"OK"}\n',
    );
  });
});
