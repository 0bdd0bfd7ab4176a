import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from '../../scripts/host/cleanup';
import {
  assertWhole,
  download,
  type DownloadSetup,
  serveAll,
  setUpDownload,
} from '../support/contentDownloads';
import { FakeClock, passTime, watch } from '../support/fakeClock';
import { hashBytes } from '../support/hashFiles';
import { hurriedClock } from '../support/hurriedClock';
import {
  type ObjectServer,
  type ObjectServerOptions,
  startObjectServer,
} from '../support/objectServer';
import { rejectsWith } from '../support/rejectsWith';

const MIB = 1024 * 1024;
const HURRY = 10;
/** Rests and reliefs come soon, a stall as late as always. */
const hurried = { clock: hurriedClock(HURRY), stallMs: HURRY * 10_000 };

describe('content download', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  const setup = (): DownloadSetup => setUpDownload(cleanup);
  const serve = (bytes: Buffer, ...options: ObjectServerOptions[]): Promise<ObjectServer[]> =>
    serveAll(cleanup, bytes, options);

  for (const size of [1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB, 40 * MIB + 12_345])
    it(`fetches ${size} bytes from one source, each once`, async () => {
      const at = setup();
      const bytes = randomBytes(size);
      const [server] = await serve(bytes, {});
      assert.ok(server);
      const result = await download(at, bytes, [server.source]);
      assertWhole(at, bytes);
      assert.equal(server.sentBytes(), size);
      assert.deepEqual(result.sources, [server.source]);
    });

  it('divides the work among all sources', async () => {
    const at = setup();
    const bytes = randomBytes(64 * MIB);
    const servers = await serve(bytes, {}, {}, {});
    await download(
      at,
      bytes,
      servers.map(({ source }) => source),
    );
    assertWhole(at, bytes);
    for (const server of servers) assert.ok(server.sentBytes() > 0);
    const all = servers.reduce((sum, server) => sum + server.sentBytes(), 0);
    assert.equal(all, bytes.length, 'nothing is fetched twice');
  });

  it('drops a source that sends one wrong piece, names it, and finishes with the others', async () => {
    const at = setup();
    const bytes = randomBytes(24 * MIB + 5);
    const tamper = (data: Buffer, start: number): Buffer => {
      if (start === 0) return data;
      const wrong = Buffer.from(data);
      wrong[wrong.length - 1] = (wrong[wrong.length - 1] ?? 0) ^ 1;
      return wrong;
    };
    const [bad, good] = await serve(bytes, { tamper }, {});
    assert.ok(bad && good);
    await download(at, bytes, [bad.source, good.source]);
    assertWhole(at, bytes);
    assert.ok(at.log.some((line) => line.includes('source-0 sent wrong data')));
  });

  it('fails with what is wrong when the only source sends wrong bytes, and keeps what was right', async () => {
    const at = setup();
    const bytes = randomBytes(6 * MIB);
    const tamper = (data: Buffer, start: number): Buffer =>
      start + data.length > 3 * MIB ? Buffer.alloc(data.length) : data;
    const [bad] = await serve(bytes, { tamper });
    assert.ok(bad);
    const error = await rejectsWith('CONTENT_MISMATCH', download(at, bytes, [bad.source]));
    assert.equal(error.details['hostname'], 'source-0');
    const [good] = await serve(bytes, {});
    assert.ok(good);
    await download(at, bytes, [good.source]);
    assertWhole(at, bytes);
    assert.ok(good.sentBytes() < bytes.length, 'the verified pieces are kept');
  });

  it('takes over what a source does not deliver', async () => {
    const at = setup();
    const bytes = randomBytes(16 * MIB);
    const [silent, good] = await serve(bytes, { behave: () => true }, {});
    assert.ok(silent && good);
    // Long enough that only being relieved ends it.
    await download(at, bytes, [silent.source, good.source], hurried);
    assertWhole(at, bytes);
  });

  it('goes on with a source that closes after every reply', async () => {
    const at = setup();
    const bytes = randomBytes(9 * MIB);
    const [server] = await serve(bytes, {
      behave: (_request, response) => {
        response.shouldKeepAlive = false;
        return false;
      },
    });
    assert.ok(server);
    await download(at, bytes, [server.source]);
    assertWhole(at, bytes);
  });

  it('lets sources join that are found later', async () => {
    const at = setup();
    const bytes = randomBytes(2 * MIB);
    const [silent, good] = await serve(bytes, { behave: () => true }, {});
    assert.ok(silent && good);
    await download(at, bytes, [silent.source], {
      ...hurried,
      findSources: () => Promise.resolve([good.source]),
    });
    assertWhole(at, bytes);
  });

  it('looks at a bounded number of sources, however many are named', async () => {
    const at = setup();
    const bytes = randomBytes(1000);
    const nobody = { hostname: 'x', displayName: 'x', host: '127.0.0.1' };
    const sources = Array.from({ length: 1_000_000 }, (_, port) => ({
      ...nobody,
      port: (port % 60_000) + 1,
    })).filter(({ port }) => port < 1_000);
    await rejectsWith('PEER_UNREACHABLE', download(at, bytes, sources, hurried));
  });

  it('transfers only what is missing after an attempt that was broken off', async () => {
    const at = setup();
    const bytes = randomBytes(32 * MIB);
    const interrupted = await startObjectServer(cleanup, bytes);
    const controller = new AbortController();
    const first = download(at, bytes, [interrupted.source], {
      signal: controller.signal,
      onVerified: (verified) => {
        if (verified >= 10 * MIB) controller.abort();
      },
    });
    await rejectsWith('CANCELLED', first);
    await interrupted.stop();
    const [second] = await serve(bytes, {});
    assert.ok(second);
    await download(at, bytes, [second.source]);
    assertWhole(at, bytes);
    assert.ok(second.sentBytes() <= 22 * MIB, `${second.sentBytes()} bytes were sent`);
  });

  it('does not believe the journal', async () => {
    const at = setup();
    const bytes = randomBytes(5 * MIB);
    writeFileSync(join(at.folder, 'part'), Buffer.alloc(5 * MIB, 1));
    writeFileSync(join(at.folder, 'journal'), '0\n1\n2\nx\n-1\n99999\n4');
    const [server] = await serve(bytes, {});
    assert.ok(server);
    await download(at, bytes, [server.source]);
    assertWhole(at, bytes);
    // Whole now: nothing is asked for any more, nor when the journal has grown a tail of nonsense.
    appendFileSync(join(at.folder, 'journal'), '12');
    assert.equal((await download(at, bytes, [])).receivedBytes, 0);
    // What the file has lost since is fetched again.
    truncateSync(join(at.folder, 'part'), 4 * MIB);
    await download(at, bytes, [server.source]);
    assertWhole(at, bytes);
  });

  it('makes do with memory for two blocks and four sources, and gives all of it back', async () => {
    const at = setUpDownload(cleanup, 2);
    const bytes = randomBytes(48 * MIB);
    const servers = await serve(bytes, {}, {}, {}, {});
    await download(
      at,
      bytes,
      servers.map(({ source }) => source),
    );
    assertWhole(at, bytes);
    assert.deepEqual([at.blocks.madeBlocks, at.blocks.usedBlocks], [2, 0]);
  });

  describe('from a source that does not keep to the protocol', () => {
    const bytes = randomBytes(3 * MIB);
    const { contentId } = hashBytes(bytes);
    const etag = `"${contentId.root}-${contentId.sizeBytes}"`;
    const range = (request: { headers: { range?: string | undefined } }): [number, number] => {
      const [, start = '0', last = '0'] = /(\d+)-(\d+)/u.exec(request.headers.range ?? '') ?? [];
      return [Number(start), Number(last) + 1];
    };
    const honest = ([start, end]: [number, number]): Record<string, string> => ({
      'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
      'content-length': String(end - start),
      etag,
    });
    const cases: Record<string, { code: string; options: ObjectServerOptions }> = {
      'another range': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (request, response) => {
            const [start, end] = range(request);
            const fields = { ...honest([start, end]), 'content-range': `bytes 1-${end}/3145728` };
            response.writeHead(206, fields).end(bytes.subarray(start, end));
            return true;
          },
        },
      },
      'a longer body than announced': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (request, response) => {
            const [start, end] = range(request);
            const lines = Object.entries(honest([start, end])).map(([k, v]) => `${k}: ${v}`);
            response.socket?.write(`HTTP/1.1 206 Partial\r\n${lines.join('\r\n')}\r\n\r\n`);
            const endless = (): void => {
              if (response.socket?.destroyed === false)
                response.socket.write(bytes, () => setImmediate(endless));
            };
            endless();
            return true;
          },
        },
      },
      'a body that ends too soon': {
        code: 'CONNECTION_LOST',
        options: {
          behave: (request, response) => {
            const [start, end] = range(request);
            response.writeHead(206, honest([start, end]));
            response.write(bytes.subarray(start, end - 100), () => response.socket?.destroy());
            return true;
          },
        },
      },
      'another object': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (request, response) => {
            const [start, end] = range(request);
            const fields = { ...honest([start, end]), etag: `"${'0'.repeat(64)}-5"` };
            response.writeHead(206, fields).end(bytes.subarray(start, end));
            return true;
          },
        },
      },
      'the whole object instead of a range': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (_request, response) => {
            response.writeHead(200, { 'content-length': bytes.length, etag }).end(bytes);
            return true;
          },
        },
      },
      'a compressed body': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (request, response) => {
            const [start, end] = range(request);
            const fields = { ...honest([start, end]), 'content-encoding': 'gzip' };
            response.writeHead(206, fields).end(bytes.subarray(start, end));
            return true;
          },
        },
      },
      'a chunked body': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (request, response) => {
            const [start, end] = range(request);
            const { 'content-length': _, ...fields } = honest([start, end]);
            response.writeHead(206, fields);
            response.write(bytes.subarray(start, end));
            response.end();
            return true;
          },
        },
      },
      'an endless head': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (_request, response) => {
            response.socket?.write(`HTTP/1.1 206 OK\r\n${'x: y\r\n'.repeat(100_000)}`);
            return true;
          },
        },
      },
      'no HTTP at all': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (_request, response) => {
            response.socket?.write('LENGTH 5\nhello\r\n\r\n');
            return true;
          },
        },
      },
      'nothing at all': { code: 'STALLED', options: { behave: () => true } },
    };
    for (const [what, { code, options }] of Object.entries(cases))
      it(`refuses ${what}`, async () => {
        const at = setup();
        const [bad, good] = await serve(bytes, options, {});
        assert.ok(bad && good);
        const clock = new FakeClock();
        const alone = download(at, bytes, [bad.source], code === 'STALLED' ? { clock } : hurried);
        const failing = watch(rejectsWith(code as never, alone));
        if (code === 'STALLED') await passTime(clock, 'it is given up', failing.isSettled);
        await failing.promise;
        await download(at, bytes, [bad.source, good.source], hurried);
        assertWhole(at, bytes);
      });

    it('never follows a redirect', async () => {
      const at = setup();
      const [good] = await serve(bytes, {});
      const [bad] = await serve(bytes, {
        behave: (request, response) => {
          const { host, port } = good?.source ?? { host: '', port: 0 };
          response.writeHead(302, { location: `http://${host}:${port}${request.url ?? ''}` }).end();
          return true;
        },
      });
      assert.ok(bad && good);
      await rejectsWith('INVALID_MESSAGE', download(at, bytes, [bad.source]));
      assert.equal(good.sentBytes(), 0);
    });

    it('moves on with what one byte a second does not hold up', async () => {
      const at = setup();
      const [slow, good] = await serve(
        bytes,
        {
          behave: (request, response) => {
            response.writeHead(206, honest(range(request)));
            const drip = setInterval(() => response.write('x'), 100);
            // A reply that waits behind another one never closes.
            request.socket.on('close', () => clearInterval(drip));
            return true;
          },
        },
        {},
      );
      assert.ok(slow && good);
      await download(at, bytes, [slow.source, good.source], hurried);
      assertWhole(at, bytes);
    });
  });
});
