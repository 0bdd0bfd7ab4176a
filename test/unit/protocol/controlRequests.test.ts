import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { CONTROL_REASONS } from '../../../src/protocol/controlReasons';
import {
  type ControlRequest,
  type ParsedRequest,
  parseControlRequest,
} from '../../../src/protocol/controlRequests';

function parse(action: unknown, data?: unknown): ParsedRequest {
  return parseControlRequest(JSON.stringify({ action, data }));
}

function request(action: string, data?: unknown): ControlRequest {
  const parsed = parse(action, data);
  assert.equal(parsed.kind, 'request', JSON.stringify(parsed));
  return parsed.request;
}

function refusal(action: unknown, data?: unknown): string {
  const parsed = parse(action, data);
  assert.equal(parsed.kind, 'refused', JSON.stringify(parsed));
  return parsed.reason;
}

const FILE = { size: 0, modified: 0, publishedAt: undefined, isPublished: true };

describe('a line that is no request', () => {
  for (const line of [
    '',
    'hello',
    '{',
    '{"action":"LIST"',
    'GET / HTTP/1.1',
    '{"a":NaN}',
    '{"a":Infinity}',
    "{'action':'LIST'}",
    '\ufeff{}',
    '{"action":"LIST"}{}',
  ])
    it(`${JSON.stringify(line)} is malformed`, () => {
      assert.deepEqual(parseControlRequest(line), { kind: 'malformed', reason: 'bad JSON' });
    });

  for (const line of ['null', '1', '"LIST"', '[]', '[{"action":"LIST"}]', 'true'])
    it(`${line} is no object`, () => {
      assert.deepEqual(parseControlRequest(line), {
        kind: 'malformed',
        reason: 'not a JSON object',
      });
    });

  it('has an answer whatever it is', () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((data) => JSON.stringify({ action: 'REGISTER', data })),
    );
    fc.assert(
      fc.property(line, (text) => {
        assert.ok(['request', 'refused', 'malformed'].includes(parseControlRequest(text).kind));
      }),
    );
  });

  it('may be nested deeply', () => {
    const depth = 100_000;
    const nested = `{"action":"LIST","data":{"x":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    assert.equal(parseControlRequest(nested).kind, 'request');
  });
});

describe('the envelope', () => {
  it('needs an action that is known', () => {
    assert.equal(refusal(undefined), 'missing action');
    assert.equal(refusal(7), 'missing action');
    assert.equal(refusal('HELLO'), 'unknown action HELLO');
    assert.equal(refusal('list'), 'unknown action list');
    assert.equal(refusal('__proto__'), 'unknown action __proto__');
    assert.equal(refusal('x'.repeat(1_000)), `unknown action ${'x'.repeat(64)}`);
  });

  it('needs data that is an object, or none', () => {
    for (const data of [[], 'x', 1, true])
      assert.equal(refusal('REQUEST', data), 'data must be an object');
    assert.equal(refusal('REQUEST', null), 'bad request');
    assert.deepEqual(request('LIST'), { action: 'LIST' });
    assert.deepEqual(request('LIST', null), { action: 'LIST' });
  });

  it('ignores what it does not know', () => {
    assert.deepEqual(request('PING', { hostname: 'a', state: 'idle', more: [1] }), {
      action: 'PING',
      hostname: 'a',
    });
  });
});

describe('REGISTER', () => {
  const base = { hostname: 'alice', port: 6000 };

  it('needs hostname and port', () => {
    for (const data of [
      {},
      { hostname: 'a' },
      { port: 1 },
      { hostname: '', port: 1 },
      { hostname: 'a', port: 0 },
      { hostname: 'a', port: null },
    ])
      assert.equal(refusal('REGISTER', data), 'bad register');
  });

  it('takes the least', () => {
    assert.deepEqual(request('REGISTER', base), {
      action: 'REGISTER',
      hostname: 'alice',
      port: 6000,
      ip: undefined,
      displayName: undefined,
      files: new Map(),
    });
  });

  it('takes everything', () => {
    const files = { 'a.txt': { size: 3, modified: 1.5, published_at: 2.5, is_published: false } };
    const found = request('REGISTER', {
      ...base,
      ip: '10.0.0.1',
      display_name: 'Alice',
      files_metadata: files,
    });
    assert.deepEqual(found, {
      action: 'REGISTER',
      hostname: 'alice',
      port: 6000,
      ip: '10.0.0.1',
      displayName: 'Alice',
      files: new Map([['a.txt', { size: 3, modified: 1.5, publishedAt: 2.5, isPublished: false }]]),
    });
  });

  it('fills in what a file leaves out', () => {
    const found = request('REGISTER', {
      ...base,
      files_metadata: { a: {}, b: { size: null, is_published: null } },
    });
    assert.ok(found.action === 'REGISTER');
    assert.deepEqual(
      [...found.files],
      [
        ['a', FILE],
        ['b', FILE],
      ],
    );
  });

  it('takes an empty ip or display name for none', () => {
    for (const nothing of ['', null]) {
      const found = request('REGISTER', { ...base, ip: nothing, display_name: nothing });
      assert.ok(found.action === 'REGISTER');
      assert.equal(found.ip, undefined);
      assert.equal(found.displayName, undefined);
    }
  });

  it('unmaps the ip and leaves the display name alone', () => {
    const mapped = '::ffff:10.0.0.1';
    const found = request('REGISTER', { ...base, ip: mapped, display_name: mapped });
    assert.ok(found.action === 'REGISTER');
    assert.equal(found.ip, '10.0.0.1');
    assert.equal(found.displayName, mapped);
  });

  it('takes names of object members for ordinary file names', () => {
    const line =
      '{"action":"REGISTER","data":{"hostname":"__proto__","port":1,"files_metadata":{"__proto__":{"size":1},"constructor":{}}}}';
    const parsed = parseControlRequest(line);
    assert.ok(parsed.kind === 'request' && parsed.request.action === 'REGISTER');
    assert.equal(parsed.request.hostname, '__proto__');
    assert.deepEqual([...parsed.request.files.keys()], ['__proto__', 'constructor']);
    assert.equal(parsed.request.files.get('__proto__')?.size, 1);
  });

  const wrong: [object, RegExp][] = [
    [{ hostname: 7 }, /^hostname must be a string$/u],
    [{ hostname: 'a\nb' }, /^hostname has a control character$/u],
    [{ hostname: '\ud800' }, /^hostname is not valid Unicode$/u],
    [{ hostname: 'x'.repeat(1025) }, /^hostname is longer than 1024 bytes$/u],
    [{ port: '6000' }, /^port must be a whole number from 1 to 65535$/u],
    [{ port: -1 }, /^port/u],
    [{ port: 65_536 }, /^port/u],
    [{ port: 1.5 }, /^port/u],
    [{ ip: 'localhost' }, /^ip must be an address, not a name$/u],
    [{ ip: 1 }, /^ip must be an address$/u],
    [{ display_name: 7 }, /^display_name/u],
    [{ display_name: 'a\u0000' }, /^display_name/u],
    [{ files_metadata: [] }, /^files_metadata must be an object$/u],
    [{ files_metadata: 'x' }, /^files_metadata must be an object$/u],
    [{ files_metadata: { a: 1 } }, /^files_metadata must hold an object/u],
    [{ files_metadata: { a: [] } }, /^files_metadata must hold an object/u],
    [{ files_metadata: { '': {} } }, /^fname is empty$/u],
    [{ files_metadata: { 'a\n': {} } }, /^fname has a control character$/u],
    [{ files_metadata: { a: { size: -1 } } }, /^size must be/u],
    [{ files_metadata: { a: { size: '1' } } }, /^size must be/u],
    [{ files_metadata: { a: { is_published: 1 } } }, /^is_published must be true or false$/u],
  ];
  for (const [data, reason] of wrong)
    it(`refuses ${JSON.stringify(data).slice(0, 60)}`, () => {
      assert.match(refusal('REGISTER', { ...base, ...data }), reason);
    });
});

describe('PUBLISH', () => {
  it('needs a hostname and a name', () => {
    assert.equal(refusal('PUBLISH', { fname: 'a' }), 'missing hostname');
    assert.equal(refusal('PUBLISH', { hostname: 'a' }), 'missing fname');
  });

  it('takes the least and the most', () => {
    assert.deepEqual(request('PUBLISH', { hostname: 'a', fname: 'f' }), {
      action: 'PUBLISH',
      hostname: 'a',
      name: 'f',
      file: FILE,
    });
    const all = { hostname: 'a', fname: 'f', size: 5, modified: 1, created: 'x', published_at: 2 };
    assert.deepEqual(request('PUBLISH', all), {
      action: 'PUBLISH',
      hostname: 'a',
      name: 'f',
      file: { size: 5, modified: 1, publishedAt: 2, isPublished: true },
    });
  });

  it('refuses numbers that are not finite, negative or no numbers', () => {
    for (const [field, value] of [
      ['size', -1],
      ['size', 1.5],
      ['size', 2 ** 53],
      ['modified', -0.5],
      ['modified', '1'],
      ['published_at', true],
    ] as const)
      assert.match(
        refusal('PUBLISH', { hostname: 'a', fname: 'f', [field]: value }),
        new RegExp(`^${field} must be`, 'u'),
      );
    for (const field of ['size', 'modified', 'published_at']) {
      const parsed = parseControlRequest(
        `{"action":"PUBLISH","data":{"hostname":"a","fname":"f","${field}":1e999}}`,
      );
      assert.ok(parsed.kind === 'refused' && parsed.reason.startsWith(`${field} must be`));
    }
  });

  it('refuses names that are none', () => {
    assert.equal(refusal('PUBLISH', { hostname: 'a', fname: 7 }), 'fname must be a string');
    assert.equal(
      refusal('PUBLISH', { hostname: 'a', fname: 'x\u0007' }),
      'fname has a control character',
    );
  });
});

describe('REQUEST as clients write it', () => {
  const compact = (name: string): string =>
    JSON.stringify({ action: 'REQUEST', data: { fname: name } });
  const spaced = (line: string): string => line.replaceAll('":', '": ').replace(',"', ', "');

  it('reads the same as any other JSON', () => {
    const unit = fc.oneof(
      fc.constantFrom('"', '\\', '\n', ' ', '}', '\u2028', '\ud800', 'đ', '😀', '/'),
      fc.string(),
    );
    const names = fc.array(unit, { maxLength: 8 }).map((units) => units.join(''));
    fc.assert(
      fc.property(names, (name) => {
        const line = compact(name);
        const inGeneral = parseControlRequest(` ${line}`);
        assert.deepEqual(parseControlRequest(line), inGeneral);
        assert.deepEqual(
          parseControlRequest(`{"action": "REQUEST", "data": {"fname": ${JSON.stringify(name)}}}`),
          inGeneral,
        );
      }),
    );
  });

  for (const line of [
    compact('a"b'),
    compact('a\\'),
    spaced(compact('a b')),
    compact('a').replace('"a"', '"a","fname":"b"'),
    compact('a').replace('"a"', '"\u0000"'),
    compact('a').replace('"a"', '"a\tb"'),
    `${compact('a')}x`,
    compact('x'.repeat(1_025)),
  ])
    it(`reads ${JSON.stringify(line).slice(0, 70)} as JSON.parse does`, () => {
      assert.deepEqual(parseControlRequest(line), parseControlRequest(` ${line}`));
    });
});

describe('the short actions', () => {
  it('read what they need', () => {
    assert.deepEqual(request('UNPUBLISH', { hostname: 'a', fname: 'f' }), {
      action: 'UNPUBLISH',
      hostname: 'a',
      name: 'f',
    });
    assert.deepEqual(request('REQUEST', { fname: 'f' }), { action: 'REQUEST', name: 'f' });
    assert.deepEqual(request('DISCOVER', { hostname: 'a' }), { action: 'DISCOVER', hostname: 'a' });
    assert.deepEqual(request('UNREGISTER', { hostname: 'a' }), {
      action: 'UNREGISTER',
      hostname: 'a',
    });
    assert.deepEqual(request('PING'), { action: 'PING', hostname: undefined });
  });

  it('refuse what is missing', () => {
    assert.equal(refusal('UNPUBLISH', { hostname: 'a' }), CONTROL_REASONS.missingHostnameOrName);
    assert.equal(refusal('UNPUBLISH', { fname: 'a' }), CONTROL_REASONS.missingHostnameOrName);
    assert.equal(refusal('REQUEST', {}), CONTROL_REASONS.badRequest);
    assert.equal(refusal('REQUEST', { fname: '' }), CONTROL_REASONS.badRequest);
    assert.equal(refusal('DISCOVER', {}), CONTROL_REASONS.unknownHost);
    assert.equal(refusal('UNREGISTER', {}), CONTROL_REASONS.badUnregister);
  });

  it('refuse wrong types', () => {
    assert.equal(refusal('REQUEST', { fname: ['a'] }), 'fname must be a string');
    assert.equal(refusal('REQUEST', { fname: 'a\tb' }), 'fname has a control character');
    for (const action of ['DISCOVER', 'PING', 'UNREGISTER'])
      assert.equal(refusal(action, { hostname: { x: 1 } }), 'hostname must be a string');
  });
});
