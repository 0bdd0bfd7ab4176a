import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { FileMetadata } from '../../../src/protocol/controlRequests';
import { TAKEOVER_SILENCE_MS } from '../../../src/tracker/limits';
import { MemoryRegistry } from '../../../src/tracker/memoryRegistry';
import type { Owner, Registration } from '../../../src/tracker/registry';
import { FakeClock } from '../../support/fakeClock';

const ALICE: Owner = { id: 'c1', address: '10.0.0.1' };
const BOB: Owner = { id: 'c2', address: '10.0.0.2' };
const ALICE_AGAIN: Owner = { id: 'c3', address: '10.0.0.1' };

const EXPIRY_MS = 1_200_000;

function file(size: number, more: Partial<FileMetadata> = {}): FileMetadata {
  return { size, modified: 5.5, publishedAt: 7.25, isPublished: true, ...more };
}

function registration(
  hostname: string,
  files: Readonly<Record<string, FileMetadata>> = {},
  more: Partial<Registration> = {},
): Registration {
  const entries = new Map(Object.entries(files));
  return {
    hostname,
    displayName: hostname.toUpperCase(),
    ip: '10.9.9.9',
    port: 6000,
    files: entries,
    ...more,
  };
}

describe('MemoryRegistry', () => {
  let clock: FakeClock;
  let registry: MemoryRegistry;

  beforeEach(() => {
    clock = new FakeClock();
    registry = new MemoryRegistry(clock, { maxFilesPerHost: 3, expirySeconds: EXPIRY_MS / 1_000 });
  });

  const json = (text: string | undefined): unknown => JSON.parse(text ?? 'null');
  const sources = (name: string): string[] =>
    (json(registry.request(name)) as { hosts: { hostname: string }[] }).hosts.map(
      (host) => host.hostname,
    );

  it('is empty at first', () => {
    assert.deepEqual(json(registry.request('a')), { status: 'NOTFOUND', hosts: [] });
    assert.deepEqual(json(registry.list()), { status: 'OK', registry: {} });
    assert.equal(registry.discover('alice'), undefined);
    assert.equal(registry.has('alice'), false);
  });

  it('tells everything about a registered host', () => {
    registry.register(
      ALICE,
      registration('alice', { a: file(1), hidden: file(2, { isPublished: false }) }),
    );
    clock.advance(4_000);
    const published = { a: { size: 1, modified: 5.5, published_at: 7.25, is_published: true } };
    assert.deepEqual(json(registry.request('a')), {
      status: 'FOUND',
      hosts: [
        {
          hostname: 'alice',
          display_name: 'ALICE',
          ip: '10.9.9.9',
          port: 6000,
          size: 1,
          modified: 5.5,
          is_published: true,
        },
      ],
    });
    assert.deepEqual(json(registry.discover('alice')), {
      status: 'OK',
      files: published,
      addr: ['10.9.9.9', 6000],
    });
    assert.deepEqual(json(registry.list()), {
      status: 'OK',
      registry: {
        alice: {
          addr: ['10.9.9.9', 6000],
          display_name: 'ALICE',
          files: published,
          last_seen: 1_700_000_000,
          connected_at: 1_700_000_000,
        },
      },
    });
    assert.deepEqual(json(registry.request('hidden')), { status: 'NOTFOUND', hosts: [] });
  });

  it('stamps files that do not say when they were published', () => {
    registry.register(ALICE, registration('alice', { a: file(1, { publishedAt: undefined }) }));
    clock.advance(1_500);
    registry.publish(ALICE, 'alice', 'b', file(1, { publishedAt: undefined }));
    const { files } = json(registry.discover('alice')) as {
      files: Record<string, { published_at: number }>;
    };
    assert.equal(files['a']?.published_at, 1_700_000_000);
    assert.equal(files['b']?.published_at, 1_700_000_001.5);
  });

  describe('publishing', () => {
    beforeEach(() => registry.register(ALICE, registration('alice')));

    it('shows a file and hides it again', () => {
      assert.equal(registry.publish(ALICE, 'alice', 'a', file(1)), 'done');
      assert.deepEqual(sources('a'), ['alice']);
      assert.equal(registry.unpublish(ALICE, 'alice', 'a'), 'done');
      assert.deepEqual(sources('a'), []);
      assert.deepEqual((json(registry.discover('alice')) as { files: object }).files, {});
    });

    it('keeps what is hidden, so that hiding it again is no failure', () => {
      registry.publish(ALICE, 'alice', 'a', file(1));
      registry.unpublish(ALICE, 'alice', 'a');
      assert.equal(registry.unpublish(ALICE, 'alice', 'a'), 'done');
      assert.equal(registry.unpublish(ALICE, 'alice', 'b'), 'file not found');
      assert.equal(registry.publish(ALICE, 'alice', 'a', file(2)), 'done');
      assert.deepEqual(sources('a'), ['alice']);
    });

    it('replaces what was published under the name, in a reply given before too', () => {
      registry.publish(ALICE, 'alice', 'a', file(1));
      assert.match(registry.request('a'), /"size":1,/u);
      registry.publish(ALICE, 'alice', 'a', file(2));
      assert.match(registry.request('a'), /"size":2,/u);
      assert.match(registry.list(), /"size":2,/u);
    });

    it('is for the own host only', () => {
      for (const action of [
        (hostname: string) => registry.publish(BOB, hostname, 'a', file(1)),
        (hostname: string) => registry.unpublish(BOB, hostname, 'a'),
      ]) {
        assert.equal(action('alice'), 'not your host');
        assert.equal(action('nobody'), 'unknown host');
      }
      assert.deepEqual(sources('a'), []);
    });

    it('stops at the limit of files, hidden ones included', () => {
      for (const name of ['a', 'b', 'c'])
        assert.equal(registry.publish(ALICE, 'alice', name, file(1)), 'done');
      registry.unpublish(ALICE, 'alice', 'b');
      assert.equal(registry.publish(ALICE, 'alice', 'd', file(1)), 'too many files');
      assert.equal(registry.publish(ALICE, 'alice', 'b', file(1)), 'done');
      assert.deepEqual(sources('d'), []);
    });
  });

  describe('registering', () => {
    it('again replaces the files', () => {
      registry.register(ALICE, registration('alice', { a: file(1), b: file(1) }));
      registry.register(ALICE, registration('alice', { b: file(2), c: file(3) }, { port: 7 }));
      assert.deepEqual(['a', 'b', 'c'].map(sources), [[], ['alice'], ['alice']]);
      assert.match(registry.request('b'), /"port":7,"size":2/u);
    });

    it('under another name removes the old one', () => {
      registry.register(ALICE, registration('alice', { a: file(1) }));
      registry.register(ALICE, registration('alicia', { b: file(1) }));
      assert.equal(registry.has('alice'), false);
      assert.deepEqual(['a', 'b'].map(sources), [[], ['alicia']]);
    });

    it('that is refused changes nothing', () => {
      registry.register(ALICE, registration('alice', { a: file(1) }));
      registry.register(BOB, registration('bob', { b: file(1) }));
      const before = registry.list();
      assert.equal(registry.register(BOB, registration('alice')), 'hostname in use');
      const many = { a: file(1), b: file(1), c: file(1), d: file(1) };
      assert.equal(registry.register(BOB, registration('bob', many)), 'too many files');
      assert.equal(registry.list(), before);
    });

    it('keeps the order in which hosts came first', () => {
      registry.register(ALICE, registration('alice'));
      registry.register(BOB, registration('bob', { a: file(1) }));
      registry.publish(ALICE, 'alice', 'a', file(1));
      assert.deepEqual(sources('a'), ['alice', 'bob']);
      registry.register(ALICE, registration('alice', { a: file(1) }));
      assert.deepEqual(sources('a'), ['alice', 'bob']);
    });
  });

  describe('a hostname that another connection holds', () => {
    beforeEach(() => registry.register(ALICE, registration('alice', { a: file(1) })));
    const takeOver = (owner: Owner): string =>
      registry.register(owner, registration('alice', { b: file(1) }));

    it('is in use while that connection is alive', () => {
      clock.advance(TAKEOVER_SILENCE_MS - 1);
      assert.equal(takeOver(ALICE_AGAIN), 'hostname in use');
      registry.touch(ALICE);
      clock.advance(TAKEOVER_SILENCE_MS - 1);
      assert.equal(takeOver(ALICE_AGAIN), 'hostname in use');
    });

    it('is taken over from the same address when that connection is closed', () => {
      registry.release(ALICE);
      assert.equal(takeOver(BOB), 'hostname in use');
      assert.equal(takeOver(ALICE_AGAIN), 'done');
      assert.deepEqual(['a', 'b'].map(sources), [[], ['alice']]);
    });

    it('is taken over from the same address when that connection is silent', () => {
      clock.advance(TAKEOVER_SILENCE_MS);
      assert.equal(takeOver(BOB), 'hostname in use');
      assert.equal(takeOver(ALICE_AGAIN), 'done');
    });

    it('belongs to the new connection alone', () => {
      clock.advance(TAKEOVER_SILENCE_MS);
      takeOver(ALICE_AGAIN);
      assert.equal(registry.publish(ALICE, 'alice', 'x', file(1)), 'not your host');
      assert.equal(registry.unregister(ALICE, 'alice'), 'not your host');
      assert.equal(registry.holds(ALICE), false);
      registry.release(ALICE);
      assert.equal(registry.publish(ALICE_AGAIN, 'alice', 'x', file(1)), 'done');
    });
  });

  describe('goodbye', () => {
    it('removes the host and all its files at once', () => {
      registry.register(ALICE, registration('alice', { a: file(1) }));
      assert.equal(registry.unregister(ALICE, 'alice'), 'done');
      assert.equal(registry.hostCount, 0);
      assert.deepEqual(sources('a'), []);
      assert.equal(registry.holds(ALICE), false);
    });

    it('is fine when the host is gone already, and only for the own host', () => {
      registry.register(ALICE, registration('alice'));
      assert.equal(registry.unregister(BOB, 'nobody'), 'done');
      assert.equal(registry.unregister(BOB, 'alice'), 'not your host');
      registry.release(ALICE);
      assert.equal(registry.unregister(BOB, 'alice'), 'not your host');
      assert.equal(registry.has('alice'), true);
    });
  });

  describe('expiry', () => {
    beforeEach(() => registry.register(ALICE, registration('alice', { a: file(1) })));

    it('comes after silence, whether the connection is open or not', () => {
      registry.register(BOB, registration('bob', { a: file(1) }));
      registry.release(BOB);
      clock.advance(EXPIRY_MS - 1);
      assert.equal(registry.expire(), 0);
      clock.advance(1);
      assert.equal(registry.expire(), 2);
      assert.deepEqual(sources('a'), []);
      assert.equal(registry.hostCount, 0);
    });

    it('is put off by every sign of life', () => {
      clock.advance(EXPIRY_MS - 1);
      registry.touch(ALICE);
      clock.advance(EXPIRY_MS - 1);
      assert.equal(registry.expire(), 0);
      assert.match(registry.list(), /"last_seen":1700001199.999,"connected_at":1700000000[}]/u);
    });

    it('leaves the connection able to register again', () => {
      clock.advance(EXPIRY_MS);
      registry.expire();
      assert.equal(registry.publish(ALICE, 'alice', 'b', file(1)), 'unknown host');
      assert.equal(registry.register(ALICE, registration('alice')), 'done');
      assert.equal(registry.publish(ALICE, 'alice', 'b', file(1)), 'done');
    });
  });

  it('takes names of object members for ordinary names', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      registry.register(ALICE, registration(name, {}, { files: new Map([[name, file(1)]]) }));
      assert.deepEqual(sources(name), [name]);
      assert.ok(registry.list().startsWith(`{"status":"OK","registry":{"${name}":{"addr"`));
      assert.ok(registry.discover(name)?.startsWith(`{"status":"OK","files":{"${name}":{"size":1`));
      assert.equal(registry.has('hasOwnProperty'), false);
    }
  });

  it('agrees with a plain model after any sequence of changes', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const who = fc.constantFrom(ALICE, BOB);
    const change = fc.oneof(
      fc.record({ kind: fc.constant('register' as const), who, names: fc.uniqueArray(name) }),
      fc.record({ kind: fc.constant('publish' as const), who, name }),
      fc.record({ kind: fc.constant('unpublish' as const), who, name }),
      fc.record({ kind: fc.constant('unregister' as const), who }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const tested = new MemoryRegistry(clock, { maxFilesPerHost: 10, expirySeconds: 1_200 });
        const model = new Map<string, Set<string>>();
        for (const step of changes) {
          const { id } = step.who;
          if (step.kind === 'register') {
            const files = Object.fromEntries(step.names.map((each) => [each, file(1)]));
            tested.register(step.who, registration(id, files));
            model.set(id, new Set(step.names));
          } else if (step.kind === 'publish') {
            tested.publish(step.who, id, step.name, file(1));
            model.get(id)?.add(step.name);
          } else if (step.kind === 'unpublish') {
            tested.unpublish(step.who, id, step.name);
            model.get(id)?.delete(step.name);
          } else {
            tested.unregister(step.who, id);
            model.delete(id);
          }
          for (const each of ['a', 'b', 'c']) {
            const { hosts } = JSON.parse(tested.request(each)) as { hosts: { hostname: string }[] };
            const expected = [...model]
              .filter(([, names]) => names.has(each))
              .map(([host]) => host);
            assert.deepEqual(hosts.map(({ hostname }) => hostname).sort(), expected.sort());
          }
        }
      }),
    );
  });
});
