import { strict as assert } from 'node:assert';
import { useCleanup } from '../support/cleanup';
import { FakeClock, passTime } from '../support/fakeClock';
import { ask, RawHttp } from '../support/httpClient';
import { startServer, type StartServerOptions, type TestServer } from '../support/startServer';
import { eventually } from '../support/waitFor';

/** More than the socket buffers of both ends hold. */
const LARGE_BYTES = 32 * 1024 * 1024;

describe('limits of version 2', () => {
  const cleanup = useCleanup();
  let alice: TestServer;
  let id: string;

  const start = async (options?: StartServerOptions): Promise<void> => {
    alice = await startServer(cleanup, options);
    id = alice.publish('a', 'content');
  };
  const open = (localAddress?: string): Promise<RawHttp> =>
    RawHttp.open(cleanup, alice.port, localAddress);
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

  beforeEach(() => start());

  describe('time', () => {
    let clock: FakeClock;
    const startFake = async (options: StartServerOptions = {}): Promise<void> => {
      clock = new FakeClock();
      await start({ clock, ...options });
    };
    const served = async (): Promise<RawHttp> => {
      const raw = await open();
      raw.send(get('/v2/entries/a'));
      await raw.readUntil('published"}');
      return raw;
    };
    const closesAfter = async (raw: RawHttp, ms: number): Promise<void> => {
      const until = clock.monotonic() + ms;
      // Timers start when the server has seen what was sent: later than now, but never much later.
      await passTime(clock, 'the connection is closed', () => raw.isEnded, 500);
      assert.ok(clock.monotonic() >= until - 500, `${clock.monotonic()} < ${until}`);
    };
    const waits = (count: number): Promise<true> =>
      eventually(() => clock.pending >= count || undefined, 'the server waits');

    it('for a first line is short', async () => {
      await startFake();
      const raw = await open();
      raw.send('GET /v2/ob');
      await waits(1);
      await closesAfter(raw, 10_000);
      assert.equal(raw.text, '');
    });

    it('for a head is short, however many bytes come', async () => {
      await startFake();
      const raw = await open();
      raw.send('GET /v2/entries/a HTTP/1.1\r\nHost: 127.0.0.1\r\n');
      await waits(1);
      for (let ms = 0; ms < 9_000; ms += 1_000) {
        raw.send('X: y\r\n');
        clock.advance(1_000);
      }
      assert.equal(raw.isEnded, false);
      clock.advance(1_000);
      await raw.readAll();
      assert.equal(raw.text, '');
    });

    it('between requests is limited', async () => {
      await startFake();
      const raw = await served();
      await eventually(() => clock.pending === 1 || undefined, 'the connection is idle');
      clock.advance(29_999);
      raw.send(get('/v2/entries/a'));
      await raw.readUntil('published"}', 2);
      await closesAfter(raw, 30_000);
    });

    it('for a later head counts from its first byte', async () => {
      await startFake();
      const raw = await served();
      raw.send('GET /v2/entries/a HTTP/1.1\r\n');
      const startMs = clock.monotonic();
      await passTime(clock, 'the connection is closed', () => raw.isEnded, 500);
      assert.ok(clock.monotonic() - startMs < 29_000, 'not the time between requests');
    });

    it('for a body is short', async () => {
      await startFake();
      const raw = await open();
      raw.send(head('POST /v2/batch HTTP/1.1', 'Host: localhost', 'Content-Length: 70') + id);
      await waits(1);
      await closesAfter(raw, 10_000);
      assert.equal(raw.text, '');
    });

    it('in the queue is limited: then the publisher is busy', async () => {
      await startFake({ options: { maxUploads: 1, slowReaderMs: 1_000_000_000 } });
      const large = alice.publish('large', Buffer.alloc(LARGE_BYTES));
      const first = await open();
      first.send(get(`/v2/objects/${large}`));
      await first.readBytes(1);
      first.socket.pause();
      const waiting = clock.pending;
      const second = await open();
      second.send(get(`/v2/objects/${id}`));
      await waits(waiting + 1);
      await passTime(clock, 'the answer', () => second.text.includes('busy'), 1_000);
      assert.match(second.text, /^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n.*\{"code":"busy"\}$/su);
      assert.equal(first.isEnded, false);
    });

    it('for taking an answer is limited', async () => {
      await startFake();
      const large = alice.publish('large', Buffer.alloc(LARGE_BYTES));
      const piece = alice.publish('piece', Buffer.alloc(1024 * 1024));
      const body = `${piece}\n`.repeat(100);
      const batch = head(
        'POST /v2/batch HTTP/1.1',
        'Host: localhost',
        `Content-Length: ${body.length}`,
      );
      for (const bytes of [get(`/v2/objects/${large}`), batch + body]) {
        const raw = await open();
        raw.send(bytes);
        await raw.readBytes(1);
        raw.socket.pause();
        await passTime(clock, 'the upload ends', () => alice.transfers.running === 0);
        raw.socket.resume();
        await raw.readAll();
        assert.ok(raw.receivedBytes < LARGE_BYTES);
      }
      const codes = alice.transfers.all().map(({ error }) => error?.code);
      assert.deepEqual(codes, ['STALLED', 'STALLED']);
    });
  });

  describe('many connections', () => {
    it('that say nothing keep nobody out', async () => {
      const silent = await Promise.all(Array.from({ length: 1_000 }, () => open()));
      await isServing();
      await isServing('127.0.0.2');
      const old = await open();
      old.send('GET a\n');
      assert.equal(await old.readAll(), 'LENGTH 7\ncontent');
      await eventually(
        () => silent.filter(({ isEnded }) => !isEnded).length <= 64 || undefined,
        'no more than allowed stay open',
      );
    });

    it('that are served are bounded, by address and in all', async () => {
      await start({ options: { connectionLimits: { total: 3, perAddress: 2 } } });
      const large = alice.publish('large', Buffer.alloc(LARGE_BYTES));
      const busy = async (localAddress: string): Promise<boolean> => {
        const raw = await open(localAddress);
        raw.send(get(`/v2/objects/${large}`));
        await eventually(() => raw.receivedBytes > 0 || raw.isEnded || undefined, 'an answer');
        raw.socket.pause();
        return raw.receivedBytes > 0;
      };
      assert.equal(await busy('127.0.0.1'), true);
      assert.equal(await busy('127.0.0.1'), true);
      assert.equal(await busy('127.0.0.1'), false);
      assert.equal(await busy('127.0.0.2'), true);
      assert.equal(await busy('127.0.0.3'), false);
      alice.unpublish('large');
      await eventually(() => alice.transfers.running === 0 || undefined, 'places are free');
      await isServing('127.0.0.3');
    });
  });
});
