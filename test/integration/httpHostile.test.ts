import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { useCleanup } from '../support/cleanup';
import { ask, codeOf, RawHttp } from '../support/httpClient';
import { startServer, type StartServerOptions, type TestServer } from '../support/startServer';
import { eventually } from '../support/waitFor';

/** More than the socket buffers of both ends hold. */
const LARGE_BYTES = 32 * 1024 * 1024;
const UNKNOWN = `${'ab'.repeat(32)}-5`;
const RANDOM_RUNS = 300;

describe('version 2 against hostile clients', () => {
  const cleanup = useCleanup();
  let alice: TestServer;
  let id: string;

  const start = async (options?: StartServerOptions): Promise<void> => {
    alice = await startServer(cleanup, options);
    id = alice.publish('a', 'content');
  };
  const open = (localAddress?: string): Promise<RawHttp> =>
    RawHttp.open(cleanup, alice.port, localAddress);
  /** Everything that is answered to these bytes until the connection is closed. */
  const tell = async (bytes: string | Uint8Array): Promise<string> => {
    const raw = await open();
    raw.send(bytes);
    const text = await raw.readAll();
    assert.ok(!text.includes(alice.folder), 'no path on disk');
    return text;
  };
  const head = (firstLine: string, ...lines: string[]): string =>
    [firstLine, ...lines, '', ''].join('\r\n');
  const get = (path: string, ...lines: string[]): string =>
    head(`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...lines);
  const isServing = async (localAddress?: string): Promise<void> => {
    const options = localAddress === undefined ? {} : { localAddress };
    const { status, body } = await ask(alice.port, `/v2/objects/${id}`, options);
    assert.equal(status, 200);
    assert.equal(body.toString(), 'content');
  };
  const refused = (text: string, status: number, code: string): void => {
    assert.ok(text.startsWith(`HTTP/1.1 ${status} `), text);
    assert.ok(text.endsWith(`\r\n\r\n{"code":"${code}"}`), text);
    assert.equal(text.split('HTTP/1.1').length, 2, 'one answer');
  };

  beforeEach(() => start());

  describe('web pages', () => {
    const target = (): string => `GET /v2/objects/${id} HTTP/1.1`;

    it('are refused by what browsers add to their requests', async () => {
      for (const line of [
        'Origin: null',
        'origin: http://a',
        'Sec-Fetch-Site: same-origin',
        'SEC-FETCH-X: 1',
        'User-Agent: Mozilla/5.0 (X11; Linux x86_64)',
        'Accept-Language: vi',
      ])
        refused(await tell(head(target(), 'Host: 127.0.0.1', line)), 403, 'forbidden');
    });

    it('are refused by the name under which they ask', async () => {
      for (const host of [
        'evil.example',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        '127.0.0.1:80:80',
        'a@127.0.0.1',
        '0x7f.1',
        '2130706433',
        '[::1',
        '',
        'localhost:0',
        'localhost:99999',
        '127.0.0.1/x',
      ])
        refused(await tell(head(target(), `Host: ${host}`)), 403, 'forbidden');
      refused(await tell(head(target())), 403, 'forbidden');
      refused(await tell(head(target(), 'Host: 127.0.0.1', 'Host: a')), 403, 'forbidden');
    });

    it('are told from peers, which ask by address', async () => {
      for (const host of [
        '127.0.0.1',
        '127.0.0.1:6000',
        'localhost',
        'LocalHost:1',
        '[::1]:6000',
        '10.1.2.3',
      ])
        assert.match(
          await tell(head(target(), `Host: ${host}`, 'Connection: close')),
          /^HTTP\/1\.1 200 .*content$/su,
          host,
        );
    });
  });

  describe('targets and methods', () => {
    it('that do not exist are said so', async () => {
      for (const path of [
        '/',
        '/v2',
        '/v2/',
        '/v2/objects',
        '/v2/objects/',
        '/v2/objects/x',
        `/v2/objects/${id}/`,
        `/v2/objects/${id}?x=1`,
        `/v2/objects/${id.toUpperCase()}`,
        `/v2/objects/../objects/${id}`,
        `/v2/objects/%2e%2e%2f${id}`,
        '/v2/objects/../../etc/passwd',
        '/v2/layers/a',
        '/v2/batch/',
        '/v3/batch',
        '/etc/passwd',
        '//etc/passwd',
        '/v2/entries/',
        `/V2/objects/${id}`,
      ]) {
        const answer = await ask(alice.port, path);
        assert.equal(answer.status, 404, path);
        assert.equal(codeOf(answer), 'not_found', path);
      }
      refused(
        await tell(
          head(`POST http://127.0.0.1/v2/batch HTTP/1.1`, 'Host: localhost', 'Connection: close'),
        ),
        404,
        'not_found',
      );
    });

    it('of other kinds are not allowed', async () => {
      for (const [method, path, allow] of [
        ['POST', `/v2/objects/${id}`, 'GET, HEAD'],
        ['DELETE', `/v2/objects/${id}`, 'GET, HEAD'],
        ['PUT', '/v2/entries/a', 'GET'],
        ['HEAD', `/v2/layers/${id}`, 'GET'],
        ['TRACE', '/v2/entries/a', 'GET'],
        ['OPTIONS', '/v2/entries/a', 'GET'],
        ['GET', '/v2/batch', 'POST'],
      ] as const) {
        const { status, headers } = await ask(alice.port, path, { method });
        assert.equal(status, 405, `${method} ${path}`);
        assert.equal(headers.allow, allow);
      }
    });

    it('of other protocols are refused', async () => {
      assert.equal(await tell(head('GET /v2/entries/a HTTP/1.0', 'Host: 127.0.0.1')), '');
      assert.equal(await tell('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), '');
      assert.equal(await tell(head('CONNECT 127.0.0.1:80 HTTP/1.1', 'Host: 127.0.0.1')), '');
      const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'];
      refused(await tell(get('/v2/entries/a', ...upgrade)), 400, 'bad_request');
      const post = head(
        'POST /v2/batch HTTP/1.1',
        'Host: 127.0.0.1',
        'Content-Length: 1',
        'Expect: 100-continue',
      );
      refused(await tell(post), 417, 'expectation_failed');
      refused(await tell(get('/v2/entries/a', 'Expect: x')), 417, 'expectation_failed');
      await isServing();
    });
  });

  describe('requests that are no good', () => {
    const post = (...lines: string[]): string =>
      head('POST /v2/batch HTTP/1.1', 'Host: 127.0.0.1', ...lines);

    it('have too large a head', async () => {
      refused(await tell(get('/v2/entries/a', `X: ${'x'.repeat(9_000)}`)), 431, 'head_too_large');
      assert.equal(await tell(`GET /${'x'.repeat(100_000)}`), '');
      assert.equal(await tell(get(`/v2/entries/${'x'.repeat(5_000)}`)), '');
      const raw = await open();
      raw.send(get('/v2/entries/a'));
      await raw.readUntil('published');
      raw.send(get(`/v2/entries/${'x'.repeat(9_000)}`));
      assert.ok((await raw.readAll()).endsWith('{"code":"head_too_large"}'));
      await isServing();
    });

    it('have a body where there is none', async () => {
      refused(await tell(get('/v2/entries/a', 'Content-Length: 5') + 'hello'), 400, 'bad_request');
      refused(
        await tell(get('/v2/entries/a', 'Transfer-Encoding: chunked') + '0\r\n\r\n'),
        400,
        'bad_request',
      );
      assert.equal(
        (await ask(alice.port, '/v2/entries/a', { headers: { 'Content-Length': '0' } })).status,
        200,
      );
    });

    it('have too large a body', async () => {
      refused(await tell(post('Content-Length: 131073')), 413, 'too_large');
      refused(
        await tell(post('Content-Length: 99999999') + 'x'.repeat(1_000_000)),
        413,
        'too_large',
      );
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      refused(await tell(post('Transfer-Encoding: chunked') + chunk.repeat(20)), 413, 'too_large');
    });

    it('could be understood in two ways', async () => {
      const smuggled = get(`/v2/objects/${id}`);
      for (const lines of [
        ['Content-Length: 6', 'Transfer-Encoding: chunked'],
        ['Transfer-Encoding: chunked', 'Content-Length: 6'],
        ['Content-Length: 6', 'Content-Length: 5'],
        ['Content-Length: 6, 6'],
        ['Content-Length: +6'],
        ['Content-Length: 0x6'],
        ['Content-Length : 6'],
        ['Transfer-Encoding: xchunked'],
        ['Transfer-Encoding: chunked, identity'],
        ['Transfer-Encoding:\u000bchunked'],
        ['X: y\rTransfer-Encoding: chunked'],
        ['X: y\u0000z'],
        [' Folded: x'],
      ])
        refused(await tell(`${post(...lines)}0\r\n\r\n${smuggled}`), 400, 'bad_request');
      const ranges = ['Range: bytes=0-1', 'Range: bytes=2-3'];
      refused(await tell(get(`/v2/objects/${id}`, ...ranges)), 400, 'bad_request');
      refused(
        await tell(`GET /v2/entries/a HTTP/1.1\nHost: 127.0.0.1\n\n${smuggled}`),
        400,
        'bad_request',
      );
    });

    it('have a body in bad chunks', async () => {
      for (const body of [
        'zz\r\n',
        '-1\r\n',
        '5\r\nhelloXX',
        'ffffffffffffffffff\r\n',
        '5;\u0000\r\nhello\r\n',
      ])
        refused(await tell(post('Transfer-Encoding: chunked') + body), 400, 'bad_request');
      await isServing();
    });

    it('end before they are complete', async () => {
      const half = async (bytes: string): Promise<string> => {
        const raw = await open();
        raw.socket.end(bytes);
        return raw.readAll();
      };
      assert.equal(await half(''), '');
      assert.equal(await half('GET'), '');
      refused(await half('GET /v2/entries/a HTTP/1.1\r\nHo'), 400, 'bad_request');
      refused(await half(post('Content-Length: 70') + id), 400, 'bad_request');
      await isServing();
    });

    it('are too many for one connection', async () => {
      const raw = await open();
      raw.send(get(`/v2/objects/${alice.publish('large', Buffer.alloc(LARGE_BYTES))}`));
      await raw.readBytes(1);
      raw.socket.pause();
      raw.send(get('/v2/entries/a').repeat(1_000));
      await eventually(
        () => alice.transfers.running === 0 || undefined,
        'the connection is given up',
      );
      raw.socket.resume();
      await raw.readAll();
      assert.ok(raw.receivedBytes < LARGE_BYTES);
    });
  });

  it('goes on after whatever bytes', async () => {
    const valid = [
      get(`/v2/objects/${id}`, 'Range: bytes=0-3'),
      get(`/v2/layers/${id}`),
      get('/v2/entries/a', `If-None-Match: "${id}"`),
      head('POST /v2/batch HTTP/1.1', 'Host: 127.0.0.1', 'Content-Length: 66') + id,
      `${head('POST /v2/batch HTTP/1.1', 'Host: [::1]', 'Transfer-Encoding: chunked')}42\r\n${id}\r\n0\r\n\r\n`,
      'GET a\n',
      get(`/v2/objects/${UNKNOWN}`),
    ];
    const piece = fc.oneof(
      fc.constantFrom('\r\n', ' ', '\0', ':', '%', '/', '-', '0', '\n'),
      fc.string(),
    );
    const mutated = fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.nat(20), piece)
      .map(([text, at, length, put]) => {
        const start = at % text.length;
        return Buffer.from(text.slice(0, start) + put + text.slice(start + length), 'latin1');
      });
    const garbage = fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes));
    const parts = fc.array(
      fc.oneof(
        mutated,
        garbage,
        fc.constantFrom(...valid).map((text) => Buffer.from(text)),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    await fc.assert(
      fc.asyncProperty(parts, async (buffers) => {
        const raw = await open();
        for (const bytes of buffers) raw.send(bytes);
        raw.socket.end();
        assert.ok(!(await raw.readAll()).includes(alice.folder));
        await isServing();
      }),
      { numRuns: RANDOM_RUNS },
    );
    await eventually(() => alice.transfers.running === 0 || undefined, 'no upload is left');
  });
});
