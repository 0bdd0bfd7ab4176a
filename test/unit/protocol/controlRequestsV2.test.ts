import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { parseControlRequest } from '../../../src/protocol/controlRequests';
import {
  type ControlVersion,
  leadingId,
  parseControlLine,
} from '../../../src/protocol/controlRequestsV2';
import { MAX_PUBLISH_ENTRIES } from '../../../src/protocol/limits';

const ROOT = 'ab'.repeat(32);
const EMPTY_ROOT = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const ENTRY = { name: 'a', size: 5, modified: 1_500 };
const HOST = { hostname: 'alice', port: 0, instance: 'w-1_A', counter: 7 };

function line(action: string, data?: unknown, more: object = {}): string {
  return JSON.stringify({ ...more, action, data });
}

function reasonOf(action: string, data: unknown): string {
  const parsed = parseControlLine(line(action, data), 2);
  if (parsed.kind === 'refused') return parsed.reason;
  assert.equal(parsed.kind, 'requestV2');
  const [first] = 'request' in parsed && 'refused' in parsed.request ? parsed.request.refused : [];
  return first === undefined ? 'taken' : `${first.name}: ${first.reason}`;
}

describe('parseControlLine', () => {
  it('reads without HELLO what version 1 reads, whatever the line', () => {
    const lines = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          action: fc.constantFrom('REGISTER', 'PUBLISH', 'UNPUBLISH', 'REQUEST', 'LOCATE', 'PING'),
          data: fc.oneof(
            fc.jsonValue(),
            fc.record({ hostname: fc.string(), fname: fc.string(), port: fc.integer() }),
          ),
        })
        .map((message) => JSON.stringify(message)),
    );
    fc.assert(
      fc.property(lines, (text) => {
        const { id: _, ...parsed } = { id: undefined, ...parseControlLine(text, 1) };
        assert.deepEqual(parsed, parseControlRequest(text));
      }),
    );
  });

  it('gives back any id, in both versions and with every kind of answer', () => {
    for (const version of [1, 2] as const)
      for (const id of [0, 7, 2 ** 53 - 1, '', 'x', 'é'.repeat(64)])
        for (const text of [
          line('REQUEST', { fname: 'a' }, { id }),
          JSON.stringify({ action: 'REQUEST', data: { fname: 'a' }, id }),
          line('PING', {}, { id }),
          line('NOTHING', {}, { id }),
          line('REQUEST', 5, { id }),
          line('HELLO', { versions: [2] }, { id }),
          JSON.stringify({ id }),
        ]) {
          const parsed = parseControlLine(text, version);
          assert.ok(parsed.kind !== 'malformed' && parsed.id === id, text);
        }
  });

  it('refuses what cannot be an id in version 2, and passes over it in version 1', () => {
    for (const id of [-1, 1.5, 2 ** 53, true, [], {}, 'x'.repeat(65)]) {
      const text = line('REQUEST', { fname: 'a' }, { id });
      const parse = (version: ControlVersion) => parseControlLine(text, version);
      assert.equal(parse(2).kind, 'refused', text);
      const request = { action: 'REQUEST', name: 'a' };
      assert.deepEqual(parse(1), { kind: 'request', request, id: undefined });
    }
    assert.equal(parseControlLine(line('LIST', {}, { id: null }), 2).kind, 'requestV2');
  });

  it('reads REQUEST the same in the fast way and in general', () => {
    for (const fname of ['a', 'Tiếng Việt 😀.md', 'a\tb', 'x'.repeat(1_025)]) {
      const fast = line('REQUEST', { fname }, { id: 12 });
      const general = fast.replace('{', '{ ');
      assert.deepEqual(parseControlLine(fast, 2), parseControlLine(general, 2));
    }
    assert.equal(
      parseControlLine('{"id":01,"action":"REQUEST","data":{"fname":"a"}}', 2).kind,
      'malformed',
    );
  });

  it('finds the highest common version', () => {
    const hello = (data: unknown) => {
      const parsed = parseControlLine(line('HELLO', data), 1);
      if (parsed.kind === 'hello') return parsed.version;
      return parsed.kind === 'refused' ? parsed.reason : parsed.kind;
    };
    assert.equal(hello({ versions: [1, 2], agent: 'x' }), 2);
    assert.equal(hello({ versions: [99, 2] }), 2);
    assert.equal(hello({ versions: [1] }), 1);
    assert.equal(hello({ versions: [] }), 'no common version');
    assert.equal(hello({ versions: [3, -1] }), 'no common version');
    assert.equal(hello({ versions: ['2'] }), 'versions must hold numbers');
    assert.equal(hello({}), 'versions is missing');
    assert.equal(hello([]), 'data must be an object');
  });

  it('reads an entry into seconds, with its revision', () => {
    const full = { ...ENTRY, published_at: 2_500, root: ROOT, version: 3, seq: 9 };
    const parsed = parseControlLine(line('PUBLISH', { hostname: 'a', files: [full, ENTRY] }), 2);
    assert.deepEqual(parsed, {
      kind: 'requestV2',
      id: undefined,
      request: {
        action: 'PUBLISH',
        hostname: 'a',
        refused: [],
        files: [
          {
            name: 'a',
            file: {
              size: 5,
              modified: 1.5,
              publishedAt: 2.5,
              isPublished: true,
              revision: { contentId: { root: ROOT, sizeBytes: 5 }, version: 3, sequence: 9 },
            },
          },
          {
            name: 'a',
            file: {
              size: 5,
              modified: 1.5,
              publishedAt: undefined,
              isPublished: true,
              revision: { contentId: undefined, version: 1, sequence: 0 },
            },
          },
        ],
      },
    });
  });

  it('refuses one entry that is not valid, and takes the others', () => {
    const bad: [object, string][] = [
      [{ size: undefined }, 'a: size is missing'],
      [{ size: -1 }, 'a: size must be'],
      [{ modified: 1.5 }, 'a: modified must be a whole number'],
      [{ modified: 9e15 }, 'a: modified must be a whole number'],
      [{ published_at: '1' }, 'a: published_at must be'],
      [{ root: 5 }, 'a: root must be a string'],
      [{ root: ROOT.toUpperCase() }, 'a: root and size are no content id'],
      [{ root: ROOT, size: 0 }, 'a: root and size are no content id'],
      [{ root: EMPTY_ROOT }, 'a: root and size are no content id'],
      [{ version: 0 }, 'a: version must be a whole number from 1'],
      [{ seq: -1 }, 'a: seq must be a whole number from 0'],
    ];
    for (const [change, reason] of bad) {
      const files = [
        { ...ENTRY, name: 'ok' },
        { ...ENTRY, ...change },
      ];
      const publish = reasonOf('PUBLISH', { hostname: 'a', files });
      assert.ok(publish.startsWith(reason), `${publish} ${reason}`);
      assert.equal(reasonOf('REGISTER', { ...HOST, files }), publish);
    }
    const empty = { ...ENTRY, size: 0, root: EMPTY_ROOT };
    assert.equal(reasonOf('PUBLISH', { hostname: 'a', files: [empty] }), 'taken');
  });

  it('refuses the whole of a request whose entries cannot even be named', () => {
    for (const files of [5, {}, undefined, [5], [null], [[]], [{ ...ENTRY, name: 5 }]])
      assert.match(
        reasonOf('PUBLISH', { hostname: 'a', files }),
        /^(?:files|name) (?:must|is missing)/u,
      );
    assert.equal(
      reasonOf('PUBLISH', { hostname: 'a', files: [{ ...ENTRY, name: 'a\n' }] }),
      'name has a control character',
    );
    assert.match(reasonOf('UNPUBLISH', { hostname: 'a', names: ['a', 5] }), /^name must/u);
    assert.match(reasonOf('UNPUBLISH', { hostname: 'a' }), /^names is missing/u);
  });

  it('checks who registers', () => {
    const cases: [object, string][] = [
      [{}, 'taken'],
      [{ hostname: '' }, 'bad register'],
      [{ port: undefined }, 'port is missing'],
      [{ port: 65_536 }, 'port must be a whole number from 0 to 65535'],
      [{ ip: 'localhost' }, 'ip must be an address, not a name'],
      [{ instance: undefined }, 'instance is missing'],
      [{ instance: '' }, 'instance must be 1 to 64 letters, digits, - or _'],
      [{ instance: 'x'.repeat(65) }, 'instance must be 1 to 64 letters, digits, - or _'],
      [{ instance: 'a b' }, 'instance must be 1 to 64 letters, digits, - or _'],
      [{ counter: -1 }, `counter must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`],
      [{ counter: '1' }, `counter must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`],
      [{ files: 5 }, 'files must be a list'],
    ];
    for (const [change, reason] of cases)
      assert.equal(reasonOf('REGISTER', { ...HOST, ...change }), reason);
  });

  it('takes as many as the limit says, and not one more', () => {
    const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n}`);
    const requests = (names: string[]): [string, object][] => [
      ['PUBLISH', { hostname: 'a', files: names.map((name) => ({ ...ENTRY, name })) }],
      ['UNPUBLISH', { hostname: 'a', names }],
      ['LOCATE', { ids: names }],
    ];
    for (const [action, data] of requests(many(MAX_PUBLISH_ENTRIES)))
      assert.equal(reasonOf(action, data), 'taken', action);
    for (const [action, data] of requests(many(MAX_PUBLISH_ENTRIES + 1)))
      assert.equal(reasonOf(action, data), 'too many entries', action);
  });

  it('never throws in version 2 either', () => {
    const action = fc.constantFrom('HELLO', 'REGISTER', 'PUBLISH', 'UNPUBLISH', 'LOCATE', 'LIST');
    const data = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          hostname: fc.string(),
          files: fc.jsonValue(),
          names: fc.jsonValue(),
          ids: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(action, data, fc.jsonValue(), (name, content, id) => {
        parseControlLine(JSON.stringify({ id, action: name, data: content }), 2);
      }),
    );
  });
});

describe('leadingId', () => {
  it('finds the id where clients put it', () => {
    assert.equal(leadingId('{"id":7,"action":"LIST"}'), 7);
    assert.equal(leadingId('{"id": "a-1", "action":"LIST"}'), 'a-1');
    for (const text of ['{"action":"LIST","id":7}', '{"id":-7,', '{"id":"a\\"', '', '{"id":7}'])
      assert.equal(leadingId(text), undefined, text);
  });
});
