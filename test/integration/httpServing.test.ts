import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { eventually } from '../support/waitFor';
import { useCleanup } from '../support/cleanup';
import { type Answer, ask, codeOf, RawHttp } from '../support/httpClient';
import { startServer, type StartServerOptions, type TestServer } from '../support/startServer';

/** More than the socket buffers of both ends hold. */
const LARGE_BYTES = 32 * 1024 * 1024;
const UNKNOWN = `${'ab'.repeat(32)}-5`;

describe('serving by version 2', () => {
  const cleanup = useCleanup();
  let alice: TestServer;

  const start = async (options?: StartServerOptions): Promise<void> => {
    alice = await startServer(cleanup, options);
  };
  const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    ask(alice.port, path, { headers });
  const object = (id: string, headers: Record<string, string> = {}): Promise<Answer> =>
    get(`/v2/objects/${id}`, headers);
  const requestFor = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

  beforeEach(() => start());

  describe('objects', () => {
    it('are sent whole, with what they are', async () => {
      const id = alice.publish('a.txt', 'hello, world');
      const { status, headers, body } = await object(id);
      assert.equal(status, 200);
      assert.equal(body.toString(), 'hello, world');
      assert.equal(headers['content-length'], '12');
      assert.equal(headers.etag, `"${id}"`);
      assert.equal(headers['accept-ranges'], 'bytes');
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['content-type'], 'application/octet-stream');
      assert.equal(headers['transfer-encoding'], undefined);
    });

    it('may be empty, and large', async () => {
      const empty = alice.publish('empty', '');
      assert.deepEqual((await object(empty)).body, Buffer.alloc(0));
      assert.equal((await object(empty, { Range: 'bytes=0-' })).status, 416);
      const bytes = randomBytes(3 * 1024 * 1024 + 17);
      assert.ok((await object(alice.publish('large', bytes))).body.equals(bytes));
    });

    it('are described without bytes to HEAD', async () => {
      const id = alice.publish('a.txt', 'hello');
      const { status, headers, body } = await ask(alice.port, `/v2/objects/${id}`, {
        method: 'HEAD',
        headers: { Range: 'bytes=1-2' },
      });
      assert.equal(status, 200);
      assert.equal(headers['content-length'], '5');
      assert.equal(headers.etag, `"${id}"`);
      assert.equal(body.length, 0);
      rmSync(alice.path('a.txt'));
      assert.equal((await ask(alice.port, `/v2/objects/${id}`, { method: 'HEAD' })).status, 410);
    });

    it('are sent in ranges', async () => {
      const bytes = randomBytes(2 * 1024 * 1024);
      const size = bytes.length;
      const id = alice.publish('a', bytes);
      for (const [range, first, end] of [
        ['0-0', 0, 1],
        [`${size - 1}-${size - 1}`, size - 1, size],
        [`0-${size - 1}`, 0, size],
        [`5-${size * 2}`, 5, size],
        ['700000-1300000', 700_000, 1_300_001],
        ['1048576-', 1_048_576, size],
        ['-1', size - 1, size],
        [`-${size * 2}`, 0, size],
      ] as const) {
        const { status, headers, body } = await object(id, { Range: `bytes=${range}` });
        assert.equal(status, 206, range);
        assert.equal(headers['content-range'], `bytes ${first}-${end - 1}/${size}`);
        assert.ok(body.equals(bytes.subarray(first, end)), range);
      }
    });

    it('have no other ranges', async () => {
      const id = alice.publish('a', '0123456789');
      for (const range of ['bytes=10-', 'bytes=5-4', 'bytes=0-1,3-4', 'bytes=-0', 'bytes=-', 'x']) {
        const answer = await object(id, { Range: range });
        assert.equal(answer.status, 416, range);
        assert.equal(answer.headers['content-range'], 'bytes */10');
        assert.equal(codeOf(answer), 'bad_range');
      }
    });

    it('are not sent to who has them, and ranges of another content are not looked at', async () => {
      const id = alice.publish('a', '0123456789');
      const known = await object(id, { 'If-None-Match': `"x", "${id}"` });
      assert.equal(known.status, 304);
      assert.equal(known.body.length, 0);
      assert.equal((await object(id, { 'If-None-Match': '"x"' })).status, 200);
      const Range = 'bytes=0-1';
      assert.equal((await object(id, { Range, 'If-Range': `"${id}"` })).status, 206);
      const other = await object(id, { Range, 'If-Range': '"x"' });
      assert.equal(other.status, 200);
      assert.equal(other.body.toString(), '0123456789');
    });

    it('are served only while they are published, under whatever name', async () => {
      assert.equal(codeOf(await object(UNKNOWN)), 'not_published');
      const id = alice.publish('a', 'same');
      alice.publish('b', 'same');
      alice.unpublish('a');
      assert.equal((await object(id)).body.toString(), 'same');
      alice.unpublish('b');
      const answer = await object(id);
      assert.equal(answer.status, 404);
      assert.equal(codeOf(answer), 'not_published');
    });
  });

  describe('files that are not any more what was published', () => {
    const codes: Record<string, [number, string]> = {
      changed: [409, 'changed'],
      gone: [410, 'gone'],
      unreadable: [500, 'unreadable'],
    };
    const cases: Record<string, [keyof typeof codes, (path: string) => void]> = {
      'other bytes': ['changed', (path) => writeFileSync(path, 'other')],
      'a longer file': ['changed', (path) => writeFileSync(path, 'longer content')],
      'another time': ['changed', (path) => utimesSync(path, 1, 1)],
      'another file, renamed': [
        'changed',
        (path) => {
          writeFileSync(`${path}.new`, 'other');
          renameSync(`${path}.new`, path);
        },
      ],
      nothing: ['gone', (path) => rmSync(path)],
      'a folder': [
        'gone',
        (path) => {
          rmSync(path);
          mkdirSync(path);
        },
      ],
      'a link to the file': [
        'gone',
        (path) => {
          renameSync(path, `${path}.moved`);
          symlinkSync(`${path}.moved`, path);
        },
      ],
    };
    for (const [what, [kind, change]] of Object.entries(cases))
      it(`are answered ${kind}: ${what}`, async () => {
        const id = alice.publish('folder/a', 'bytes');
        change(alice.path('folder/a'));
        const answer = await object(id);
        const [status, code] = codes[kind]!;
        assert.equal(answer.status, status);
        assert.deepEqual(JSON.parse(answer.body.toString()), { code });
        const { body } = await ask(alice.port, '/v2/batch', { method: 'POST', body: `${id}\n` });
        assert.equal(body.toString(), `${status} ${id}\n`);
        assert.deepEqual(alice.seen, ['folder/a', 'folder/a']);
      });

    it('are answered gone when a folder on the way became a link', async () => {
      const id = alice.publish('folder/a', 'bytes');
      renameSync(alice.path('folder'), alice.path('moved'));
      symlinkSync(alice.path('moved'), alice.path('folder'));
      assert.equal(codeOf(await object(id)), 'gone');
      const { body } = await ask(alice.port, '/v2/batch', { method: 'POST', body: id });
      assert.equal(body.toString(), `410 ${id}\n`);
    });

    it('are answered unreadable when the system refuses to read them', async () => {
      const id = alice.publish('a', 'bytes');
      // A path that is too long fails for every user, other than a file without permissions.
      const path = alice.path('x'.repeat(300));
      alice.entries.set('a', { ...alice.entries.get('a')!, path, realPath: path });
      const answer = await object(id);
      assert.equal(answer.status, 500);
      assert.equal(codeOf(answer), 'unreadable');
      assert.ok(!answer.body.includes(alice.folder));
      const { body } = await ask(alice.port, '/v2/batch', { method: 'POST', body: id });
      assert.equal(body.toString(), `500 ${id}\n`);
    });

    const during: Record<string, (path: string) => void> = {
      'written to': (path) => writeFileSync(path, Buffer.alloc(LARGE_BYTES, 'b')),
      deleted: (path) => rmSync(path),
      'replaced by a link': cases['a link to the file']![1],
    };
    for (const [what, change] of Object.entries(during))
      it(`never make a complete answer when they are ${what} meanwhile`, async () => {
        const id = alice.publish('a', Buffer.alloc(LARGE_BYTES, 'a'));
        const raw = await RawHttp.open(cleanup, alice.port);
        raw.send(requestFor(`/v2/objects/${id}`));
        await raw.readBytes(1);
        raw.socket.pause();
        change(alice.path('a'));
        raw.socket.resume();
        const text = await raw.readAll();
        assert.ok(text.length < LARGE_BYTES);
        await eventually(
          () => alice.transfers.all().find(({ state }) => state === 'failed'),
          'the failure is shown',
        );
      });
  });

  describe('entries', () => {
    it('say what is offered under a name now', async () => {
      const id = alice.publish('docs/Größe 100%.txt', 'hello');
      for (const name of [
        encodeURIComponent('docs/Größe 100%.txt'),
        'docs/Gr%C3%B6%C3%9Fe%20100%25.txt',
      ]) {
        const { status, headers, body } = await get(`/v2/entries/${name}`);
        assert.equal(status, 200);
        assert.equal(headers['content-type'], 'application/json');
        const { modifiedMs } = alice.entries.get('docs/Größe 100%.txt')!;
        assert.deepEqual(JSON.parse(body.toString()), {
          name: 'docs/Größe 100%.txt',
          root: id.split('-')[0],
          size: 5,
          modified: Math.floor(modifiedMs),
          version: 3,
          seq: 7,
          state: 'published',
        });
      }
    });

    it('may have the longest of names', async () => {
      const name = ['x'.repeat(250), '大'.repeat(80), '大'.repeat(80), '大'.repeat(80)].join('/');
      alice.publish(name, 'x');
      assert.equal((await get(`/v2/entries/${encodeURIComponent(name)}`)).status, 200);
    });

    it('are of published names only, whatever the path', async () => {
      alice.publish('a', 'x');
      for (const path of [
        'b',
        '../a',
        '..%2fa',
        '%2e%2e/a',
        '/etc/passwd',
        '%2fetc%2fpasswd',
        encodeURIComponent(alice.path('a')),
        'A',
        '__proto__',
      ])
        assert.equal(codeOf(await get(`/v2/entries/${path}`)), 'not_published', path);
      for (const path of ['%', '%zz', '%ff', 'a%00', '%0a'])
        assert.equal(codeOf(await get(`/v2/entries/${path}`)), 'bad_request', path);
      alice.entries.set('plain', { ...alice.entries.get('a')!, contentId: undefined });
      assert.equal((await get('/v2/entries/plain')).status, 404);
    });
  });

  describe('layers', () => {
    it('are the hashes of the pieces of larger files', async () => {
      const id = alice.publish('large', randomBytes(2.5 * 1024 * 1024));
      const { status, headers, body } = await get(`/v2/layers/${id}`);
      assert.equal(status, 200);
      assert.equal(body.length, 3 * 32);
      assert.equal(headers['content-length'], '96');
      assert.equal(codeOf(await get(`/v2/layers/${alice.publish('small', 'x')}`)), 'no_layer');
      assert.equal(codeOf(await get(`/v2/layers/${UNKNOWN}`)), 'not_published');
    });

    it('are not shown as an upload of their file, and end when it is unpublished', async () => {
      const options = { maxUploadBytesPerSecond: 10_000 };
      await start({ options, offer: { layerOf: () => Buffer.alloc(500_000) } });
      const id = alice.publish('a', 'x');
      const raw = await RawHttp.open(cleanup, alice.port);
      raw.send(requestFor(`/v2/layers/${id}`));
      await raw.readBytes(1);
      assert.equal(alice.server.uploadsOf('a'), 0);
      alice.unpublish('a');
      await raw.readAll();
      assert.ok(raw.receivedBytes < 500_000);
    });

    it('that cannot be had are an error', async () => {
      await start({ offer: { layerOf: () => Promise.reject(new TypeError('defect')) } });
      const id = alice.publish('a', 'x');
      assert.equal(codeOf(await get(`/v2/layers/${id}`)), 'unreadable');
      await start({
        offer: {
          layerOf: () => {
            throw new TypeError('defect');
          },
        },
      });
      assert.equal((await get(`/v2/layers/${alice.publish('a', 'x')}`)).status, 500);
    });
  });

  describe('batches', () => {
    const batch = (ids: readonly string[]): Promise<Answer> =>
      ask(alice.port, '/v2/batch', { method: 'POST', body: ids.map((id) => `${id}\n`).join('') });

    it('have the bytes of each object, in order, and what is wrong with others', async () => {
      const one = alice.publish('one', 'first bytes');
      const two = alice.publish('two', '');
      const gone = alice.publish('gone', 'gone bytes');
      rmSync(alice.path('gone'));
      const large = alice.publish('large', Buffer.alloc(1024 * 1024 + 1));
      const { status, headers, body } = await batch([one, UNKNOWN, two, gone, large, one]);
      assert.equal(status, 200);
      assert.equal(headers['transfer-encoding'], 'chunked');
      assert.equal(
        body.toString(),
        `200 ${one}\nfirst bytes404 ${UNKNOWN}\n200 ${two}\n410 ${gone}\n413 ${large}\n200 ${one}\nfirst bytes`,
      );
    });

    it('may have a thousand objects of any size up to 1 MiB', async () => {
      const sizes = [1024 * 1024, 1, 300_000, 255 * 1024, 256 * 1024, 1024 * 1024 - 1];
      const contents = sizes.map((size) => randomBytes(size));
      const ids = contents.map((bytes, index) => alice.publish(`f/${index}`, bytes));
      const asked = Array.from({ length: 60 }, (_, index) => index % ids.length);
      const { body } = await batch(asked.map((index) => ids[index]!));
      const expected = asked.flatMap((index) => [
        Buffer.from(`200 ${ids[index]}\n`),
        contents[index]!,
      ]);
      assert.ok(body.equals(Buffer.concat(expected)));
      const small = alice.publish('small', 'x');
      const many = await batch(Array.from({ length: 1_000 }, () => small));
      assert.equal(many.body.toString(), `200 ${small}\nx`.repeat(1_000));
    });

    it('are refused when they are not understood or too long', async () => {
      const id = alice.publish('a', 'x');
      for (const body of ['', '\n', 'x', `${id}\n\n`, `${id}\r\n`, `${id} ${id}`, '../a', '\0'])
        assert.equal(
          codeOf(await ask(alice.port, '/v2/batch', { method: 'POST', body })),
          'bad_request',
          JSON.stringify(body),
        );
      const tooMany = await batch(Array.from({ length: 1_001 }, () => id));
      assert.equal(tooMany.status, 413);
      assert.equal(codeOf(tooMany), 'too_large');
    });

    it('end when a name of theirs is unpublished', async () => {
      const id = alice.publish('a', Buffer.alloc(1024 * 1024));
      const raw = await RawHttp.open(cleanup, alice.port);
      const body = `${id}\n`.repeat(100);
      raw.send(
        `POST /v2/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await raw.readBytes(1);
      raw.socket.pause();
      alice.unpublish('a');
      raw.socket.resume();
      assert.ok((await raw.readAll()).length < 100 * 1024 * 1024);
    });
  });
});
