import { strict as assert } from 'node:assert';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { RawClient, request } from '../support/rawClient';
import { startTracker } from '../support/startTracker';
import { startV1Tracker } from '../support/v1Program';

const VIETNAMESE = 'Tiếng Việt/Đồ án 😀.md';
const FILE = { size: 3, modified: 1.5, published_at: 2.5, is_published: true };
const HIDDEN = { size: 4, modified: 1, published_at: 2, is_published: false };

type Reply = Record<string, unknown>;

/** What a client says on one connection, and what it hears: both trackers must agree. */
type Transcript = readonly (readonly [action: string, data: object | undefined, reply: Reply])[];

const ALICE = { hostname: 'alice', port: 6000, ip: '10.0.0.1', display_name: 'Alice' };
const SOURCE = {
  hostname: 'alice',
  display_name: 'Alice',
  ip: '10.0.0.1',
  port: 6000,
  size: 3,
  modified: 1.5,
  is_published: true,
};
const NOT_FOUND = { status: 'NOTFOUND', hosts: [] };

const NORMAL_CASES: Readonly<Record<string, Transcript>> = {
  'REGISTER, REQUEST and DISCOVER': [
    ['REGISTER', { ...ALICE, files_metadata: { [VIETNAMESE]: FILE } }, { status: 'OK' }],
    ['REQUEST', { fname: VIETNAMESE }, { status: 'FOUND', hosts: [SOURCE] }],
    ['REQUEST', { fname: VIETNAMESE.normalize('NFD') }, NOT_FOUND],
    [
      'DISCOVER',
      { hostname: 'alice' },
      { status: 'OK', files: { [VIETNAMESE]: FILE }, addr: ['10.0.0.1', 6000] },
    ],
    ['DISCOVER', { hostname: 'bob' }, { status: 'ERROR', reason: 'unknown host' }],
  ],
  'an address taken from the connection': [
    ['REGISTER', { hostname: 'a', port: 6001 }, { status: 'OK' }],
    ['DISCOVER', { hostname: 'a' }, { status: 'OK', files: {}, addr: ['127.0.0.1', 6001] }],
    ['REGISTER', { hostname: 'a', port: 6001, ip: '' }, { status: 'OK' }],
    ['DISCOVER', { hostname: 'a' }, { status: 'OK', files: {}, addr: ['127.0.0.1', 6001] }],
    ['REGISTER', { hostname: 'a', port: 6001, ip: null }, { status: 'OK' }],
    ['DISCOVER', { hostname: 'a' }, { status: 'OK', files: {}, addr: ['127.0.0.1', 6001] }],
  ],
  'a REGISTER that says too little': [
    ['REGISTER', { port: 1 }, { status: 'ERROR', reason: 'bad register' }],
    ['REGISTER', { hostname: 'a' }, { status: 'ERROR', reason: 'bad register' }],
    ['REGISTER', { hostname: '', port: 1 }, { status: 'ERROR', reason: 'bad register' }],
    ['REGISTER', undefined, { status: 'ERROR', reason: 'bad register' }],
  ],
  'PUBLISH and UNPUBLISH': [
    ['REGISTER', ALICE, { status: 'OK' }],
    ['PUBLISH', { hostname: 'alice', fname: 'f', size: 3, modified: 1.5 }, { status: 'ACK' }],
    ['REQUEST', { fname: 'f' }, { status: 'FOUND', hosts: [SOURCE] }],
    ['UNPUBLISH', { hostname: 'alice', fname: 'f' }, { status: 'ACK' }],
    ['REQUEST', { fname: 'f' }, NOT_FOUND],
    ['UNPUBLISH', { hostname: 'alice', fname: 'f' }, { status: 'ACK' }],
    ['UNPUBLISH', { hostname: 'alice', fname: 'g' }, { status: 'ERROR', reason: 'file not found' }],
    ['PUBLISH', { hostname: 'alice', fname: 'f', size: 3, modified: 1.5 }, { status: 'ACK' }],
    ['REQUEST', { fname: 'f' }, { status: 'FOUND', hosts: [SOURCE] }],
    ['PUBLISH', { hostname: 'alice', fname: 'least' }, { status: 'ACK' }],
    [
      'REQUEST',
      { fname: 'least' },
      { status: 'FOUND', hosts: [{ ...SOURCE, size: 0, modified: 0 }] },
    ],
  ],
  'a hidden entry': [
    ['REGISTER', { ...ALICE, files_metadata: { f: FILE, h: HIDDEN } }, { status: 'OK' }],
    ['REQUEST', { fname: 'h' }, NOT_FOUND],
    [
      'DISCOVER',
      { hostname: 'alice' },
      { status: 'OK', files: { f: FILE }, addr: ['10.0.0.1', 6000] },
    ],
    ['UNPUBLISH', { hostname: 'alice', fname: 'h' }, { status: 'ACK' }],
    ['PUBLISH', { hostname: 'alice', fname: 'h', size: 3, modified: 1.5 }, { status: 'ACK' }],
    ['REQUEST', { fname: 'h' }, { status: 'FOUND', hosts: [SOURCE] }],
  ],
  'a second REGISTER of the same hostname': [
    ['REGISTER', { ...ALICE, files_metadata: { f: FILE } }, { status: 'OK' }],
    ['REGISTER', { ...ALICE, files_metadata: { g: FILE } }, { status: 'OK' }],
    ['REQUEST', { fname: 'f' }, NOT_FOUND],
    ['REQUEST', { fname: 'g' }, { status: 'FOUND', hosts: [SOURCE] }],
  ],
  'PING and UNREGISTER': [
    ['PING', { hostname: 'alice' }, { status: 'DEAD' }],
    ['PING', {}, { status: 'DEAD' }],
    ['REGISTER', ALICE, { status: 'OK' }],
    ['PING', { hostname: 'alice', state: 'busy' }, { status: 'ALIVE' }],
    ['PING', { hostname: 'bob' }, { status: 'DEAD' }],
    ['UNREGISTER', { hostname: 'alice' }, { status: 'OK' }],
    ['UNREGISTER', { hostname: 'alice' }, { status: 'OK' }],
    ['PING', { hostname: 'alice' }, { status: 'DEAD' }],
    ['DISCOVER', { hostname: 'alice' }, { status: 'ERROR', reason: 'unknown host' }],
  ],
  'an unknown action': [
    ['HI', { versions: [2] }, { status: 'ERROR', reason: 'unknown action HI' }],
    ['list', undefined, { status: 'ERROR', reason: 'unknown action list' }],
    ['PING', { hostname: 'x' }, { status: 'DEAD' }],
  ],
  'names with spaces, signs and emoji': [
    ['REGISTER', ALICE, { status: 'OK' }],
    ...['a b', '#1 100%.md', '😀.png', '../up', 'con', '"quoted"', '\u2028'].flatMap(
      (fname): Transcript => [
        ['PUBLISH', { hostname: 'alice', fname, size: 3, modified: 1.5 }, { status: 'ACK' }],
        ['REQUEST', { fname }, { status: 'FOUND', hosts: [SOURCE] }],
      ],
    ),
  ],
};

describe('version 1 transcripts', () => {
  const cleanup = useCleanup();

  const trackers: Record<string, () => Promise<HostPort>> = {
    'our tracker': async () => (await startTracker(cleanup)).address,
    'the original tracker': () => startV1Tracker(cleanup),
  };
  for (const [name, start] of Object.entries(trackers))
    it(`say the same to ${name}`, async () => {
      for (const [title, transcript] of Object.entries(NORMAL_CASES)) {
        const client = await RawClient.connect(cleanup, await start());
        for (const [action, data, reply] of transcript)
          assert.deepEqual(await client.ask(action, data), reply, `${title}: ${action}`);
      }
    });

  it('list the same registry, apart from times', async () => {
    for (const start of Object.values(trackers)) {
      const beforeSeconds = Date.now() / 1_000;
      const address = await start();
      const alice = await RawClient.connect(cleanup, address);
      await alice.ask('REGISTER', { ...ALICE, files_metadata: { f: FILE, h: HIDDEN } });
      const bob = await RawClient.connect(cleanup, address);
      await bob.ask('REGISTER', { hostname: 'bob', port: 7 });
      const { status, registry } = (await bob.ask('LIST')) as {
        status: string;
        registry: Record<string, { last_seen: number; connected_at: number }>;
      };
      assert.equal(status, 'OK');
      for (const { last_seen: seen, connected_at: connected } of Object.values(registry))
        for (const seconds of [seen, connected])
          assert.ok(seconds > beforeSeconds - 1 && seconds < beforeSeconds + 30, `${seconds}`);
      const withoutTimes = JSON.stringify(registry, (key, value: unknown) =>
        key === 'last_seen' || key === 'connected_at' ? undefined : value,
      );
      assert.deepEqual(JSON.parse(withoutTimes), {
        alice: { addr: ['10.0.0.1', 6000], display_name: 'Alice', files: { f: FILE } },
        bob: { addr: ['127.0.0.1', 7], display_name: 'bob', files: {} },
      });
    }
  });
});

describe('the tracker', () => {
  const cleanup = useCleanup();
  let client: RawClient;

  beforeEach(async () => {
    const { address } = await startTracker(cleanup);
    client = await RawClient.connect(cleanup, address);
  });

  const refused = (reason: string): Reply => ({ status: 'ERROR', reason });

  it('answers lines that come in parts, together, and with carriage returns', async () => {
    const alive = request('PING', { hostname: 'x' });
    for (const byte of Buffer.from(alive)) await client.flush(Buffer.from([byte]));
    assert.deepEqual(await client.readReply(), { status: 'DEAD' });
    client.send(alive + alive.replace('\n', '\r\n') + alive.slice(0, 10));
    client.send(alive.slice(10));
    assert.deepEqual(await client.readReplies(3), Array(3).fill({ status: 'DEAD' }));
  });

  it('answers pipelined requests in their order', async () => {
    const count = 1_000;
    client.send(request('REGISTER', { hostname: 'alice', port: 1 }));
    const names = Array.from({ length: count }, (_, index) => `file ${index}`);
    client.send(names.map((fname) => request('PUBLISH', { hostname: 'alice', fname })).join(''));
    client.send(names.map((_, index) => request(`X${index}`)).join(''));
    client.send(names.map((fname) => request('REQUEST', { fname })).join(''));
    assert.deepEqual(await client.readReply(), { status: 'OK' });
    for (const reply of await client.readReplies(count)) assert.deepEqual(reply, { status: 'ACK' });
    for (const name of names.keys())
      assert.deepEqual(await client.readReply(), refused(`unknown action X${name}`));
    for (const { status } of await client.readReplies(count)) assert.equal(status, 'FOUND');
  });

  const keptOpen: [string, string, string][] = [
    ['PUBLISH without hostname', request('PUBLISH', { fname: 'f' }), 'missing hostname'],
    ['PUBLISH without name', request('PUBLISH', { hostname: 'a' }), 'missing fname'],
    [
      'UNPUBLISH without name',
      request('UNPUBLISH', { hostname: 'a' }),
      'missing hostname or fname',
    ],
    [
      'UNPUBLISH without hostname',
      request('UNPUBLISH', { fname: 'f' }),
      'missing hostname or fname',
    ],
    ['REQUEST without name', request('REQUEST', {}), 'bad request'],
    ['DISCOVER without hostname', request('DISCOVER', {}), 'unknown host'],
    ['UNREGISTER without hostname', request('UNREGISTER'), 'bad unregister'],
    ['PUBLISH before REGISTER', request('PUBLISH', { hostname: 'a', fname: 'f' }), 'unknown host'],
    [
      'UNPUBLISH before REGISTER',
      request('UNPUBLISH', { hostname: 'a', fname: 'f' }),
      'unknown host',
    ],
    ['no action', '{}\n', 'missing action'],
    ['an action that is no string', '{"action":["LIST"]}\n', 'missing action'],
    ['data that is no object', '{"action":"REQUEST","data":[1]}\n', 'data must be an object'],
    [
      'a port that is a string',
      request('REGISTER', { hostname: 'a', port: '6000' }),
      'port must be a whole number from 1 to 65535',
    ],
    [
      'an ip that is a name',
      request('REGISTER', { hostname: 'a', port: 1, ip: 'localhost' }),
      'ip must be an address, not a name',
    ],
    [
      'a size that is not finite',
      '{"action":"PUBLISH","data":{"hostname":"a","fname":"f","size":1e999}}\n',
      'size must be a number that is finite and not negative',
    ],
    [
      'a lone surrogate',
      '{"action":"REQUEST","data":{"fname":"\\ud800"}}\n',
      'fname is not valid Unicode',
    ],
    [
      'a long name',
      request('REQUEST', { fname: 'x'.repeat(1_025) }),
      'fname is longer than 1024 bytes',
    ],
    [
      'a control character',
      request('REQUEST', { fname: 'a\u0000' }),
      'fname has a control character',
    ],
  ];
  for (const [title, line, reason] of keptOpen)
    it(`refuses ${title} and goes on`, async () => {
      client.send(line);
      assert.deepEqual(await client.readReply(), refused(reason));
      assert.deepEqual(await client.ask('LIST'), { status: 'OK', registry: {} });
    });

  const closed: [string, string | Buffer, string][] = [
    ['text', 'hello\n', 'bad JSON'],
    ['an empty line', '\n', 'bad JSON'],
    ['a request of a web page', 'POST / HTTP/1.1\r\nHost: x\r\n\r\n', 'bad JSON'],
    ['cut JSON', '{"action":"LIST"\n', 'bad JSON'],
    ['NaN', '{"action":"PUBLISH","data":{"hostname":"a","size":NaN}}\n', 'bad JSON'],
    ['Infinity', '{"action":"PUBLISH","data":{"size":-Infinity}}\n', 'bad JSON'],
    ['a list', '[{"action":"LIST"}]\n', 'not a JSON object'],
    ['null', 'null\n', 'not a JSON object'],
    [
      'bytes that are no UTF-8',
      Buffer.from('{"action":"REQUEST","data":{"fname":"\xff"}}\n', 'latin1'),
      'bad JSON',
    ],
    ['UTF-16', Buffer.from('{"action":"LIST"}\n', 'utf16le'), 'bad JSON'],
  ];
  for (const [title, bytes, reason] of closed)
    it(`closes after ${title}, and parses nothing after it`, async () => {
      const evil = request('REGISTER', { hostname: 'evil', port: 1 });
      client.send(Buffer.concat([Buffer.from(bytes), Buffer.from(evil)]));
      client.send(evil);
      assert.equal(await client.readToEnd(), `${JSON.stringify(refused(reason))}\n`);
    });

  it('answers what came before a line that ends the connection', async () => {
    client.send(`${request('PING', { hostname: 'a' })}nonsense\n${request('LIST')}`);
    const replies = (await client.readToEnd()).trim().split('\n');
    assert.deepEqual(
      replies.map((reply) => JSON.parse(reply) as unknown),
      [{ status: 'DEAD' }, refused('bad JSON')],
    );
  });

  it('gives all replies to a client that closes its side after the last request', async () => {
    client.send(request('PING', { hostname: 'a' }).repeat(100));
    client.socket.end();
    assert.equal((await client.readToEnd()).trim().split('\n').length, 100);
  });

  it('drops an unfinished line at the end', async () => {
    client.send(request('PING', { hostname: 'a' }) + '{"action":"LIST"}');
    client.socket.end();
    assert.equal(await client.readToEnd(), '{"status":"DEAD"}\n');
  });

  it('takes names of object members for ordinary names', async () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'hasOwnProperty']) {
      client.send(
        `{"action":"REGISTER","data":{"hostname":"${name}","port":1,"files_metadata":{"${name}":{"size":5}}}}\n`,
      );
      assert.deepEqual(await client.readReply(), { status: 'OK' });
      const { status, hosts } = (await client.ask('REQUEST', { fname: name })) as {
        status: string;
        hosts: { hostname: string; size: number }[];
      };
      assert.deepEqual([status, hosts[0]?.hostname, hosts[0]?.size], ['FOUND', name, 5]);
      client.send(request('LIST'));
      assert.match(await client.readLine(), new RegExp(`"registry":\\{"${name}":\\{"addr"`, 'u'));
      client.send(request('DISCOVER', { hostname: name }));
      assert.match(await client.readLine(), new RegExp(`"files":\\{"${name}":\\{"size":5,`, 'u'));
      assert.deepEqual(await client.ask('UNREGISTER', { hostname: name }), { status: 'OK' });
      assert.deepEqual(await client.ask('PING', { hostname: name }), { status: 'DEAD' });
    }
  });
});
