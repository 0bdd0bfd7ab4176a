import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { useCleanup } from '../support/cleanup';
import { type Answer, ask, keepAliveAgent, RawHttp } from '../support/httpClient';
import { startServer, type StartServerOptions, type TestServer } from '../support/startServer';
import { eventually } from '../support/waitFor';

/** More than the socket buffers of both ends hold. */
const LARGE_BYTES = 32 * 1024 * 1024;
const UNKNOWN = `${'ab'.repeat(32)}-5`;

describe('connections and uploads of version 2', () => {
  const cleanup = useCleanup();
  let alice: TestServer;

  const start = async (options?: StartServerOptions): Promise<void> => {
    alice = await startServer(cleanup, options);
  };
  const object = (id: string): Promise<Answer> => ask(alice.port, `/v2/objects/${id}`);
  const requestFor = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

  beforeEach(() => start());

  describe('connections', () => {
    it('stay open from request to request, also after an error', async () => {
      const id = alice.publish('a', 'x');
      const raw = await RawHttp.open(cleanup, alice.port);
      raw.send(requestFor(`/v2/objects/${id}`));
      await raw.readUntil('\r\n\r\nx');
      raw.send(requestFor(`/v2/objects/${UNKNOWN}`));
      await raw.readUntil('{"code":"not_published"}');
      raw.send(`POST /v2/batch HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 1\r\n\r\n\n`);
      await raw.readUntil('{"code":"bad_request"}');
      raw.send(requestFor('/v2/entries/a'));
      await raw.readUntil('"state":"published"}');
    });

    it('answer pipelined requests in order', async () => {
      const contents = Array.from({ length: 50 }, (_, index) => `<content ${index}>`);
      const ids = contents.map((text, index) => alice.publish(`${index}`, text));
      const raw = await RawHttp.open(cleanup, alice.port);
      raw.send(ids.map((id) => requestFor(`/v2/objects/${id}`)).join(''));
      const text = await raw.readUntil('<content 49>');
      assert.deepEqual(text.match(/<content \d+>/gu), contents);
    });

    it('go by both versions at the same time on one port', async () => {
      const bytes = randomBytes(4 * 1024 * 1024);
      const id = alice.publish('a file HTTP/1.1', bytes);
      const old = await RawHttp.open(cleanup, alice.port);
      const other = await RawHttp.open(cleanup, alice.port);
      old.send('GET a file HTTP/1.1\n');
      const [answer, text] = await Promise.all([object(id), old.readAll()]);
      assert.ok(answer.body.equals(bytes));
      assert.equal(text, `LENGTH ${bytes.length}\n${bytes.toString('latin1')}`);
      alice.publish('b HTTP/1.1', 'x');
      other.send('GET b HTTP/1.1\r\n');
      assert.equal(await other.readAll(), 'LENGTH 1\nx');
    });

    it('take a request byte by byte', async () => {
      const id = alice.publish('a', 'hello');
      const raw = await RawHttp.open(cleanup, alice.port);
      for (const byte of requestFor(`/v2/objects/${id}`)) raw.send(byte);
      await raw.readUntil('\r\n\r\nhello');
    });

    it('are all closed by stop', async () => {
      const id = alice.publish('large', Buffer.alloc(LARGE_BYTES));
      const silent = await RawHttp.open(cleanup, alice.port);
      const half = await RawHttp.open(cleanup, alice.port);
      half.send('GET /v2/obj');
      const idle = await RawHttp.open(cleanup, alice.port);
      idle.send(requestFor('/v2/entries/large'));
      await idle.readUntil('published');
      const busy = await RawHttp.open(cleanup, alice.port);
      busy.send(requestFor(`/v2/objects/${id}`));
      await busy.readBytes(1);
      busy.socket.pause();
      await alice.server.stop();
      await alice.server.stop();
      busy.socket.resume();
      for (const raw of [silent, half, idle, busy]) await raw.readAll();
      assert.ok(busy.receivedBytes < LARGE_BYTES);
      assert.equal(alice.transfers.running, 0);
    });

    it('can be had again after a stop', async () => {
      const id = alice.publish('a', 'x');
      await alice.server.stop();
      const port = await alice.server.ensureListening('127.0.0.1', { first: 0, last: 0 });
      assert.equal((await ask(port, `/v2/objects/${id}`)).status, 200);
    });
  });

  describe('uploads', () => {
    const running = (): string[] =>
      alice.transfers
        .all()
        .map(({ name, state, bytes, totalBytes }) => `${name} ${state} ${bytes}/${totalBytes}`);

    it('are one for all parts of a file on one connection', async () => {
      const id = alice.publish('a', Buffer.alloc(100));
      const agent = keepAliveAgent(cleanup);
      for (const Range of ['bytes=0-9', 'bytes=10-19', 'bytes=50-'])
        await ask(alice.port, `/v2/objects/${id}`, { agent, headers: { Range } });
      assert.deepEqual(running(), ['a running 70/100']);
      assert.equal(alice.server.uploadsOf('a'), 1);
      agent.destroy();
      await eventually(() => alice.server.uploadsOf('a') === 0 || undefined, 'the upload ends');
      assert.deepEqual(running(), ['a done 70/100']);
    });

    it('of a batch are one', async () => {
      const ids = [alice.publish('a', 'aa'), alice.publish('b', 'bbb')];
      await ask(alice.port, '/v2/batch', { method: 'POST', body: ids.join('\n') });
      await eventually(() => alice.transfers.running === 0 || undefined, 'the upload ends');
      const [only, ...others] = alice.transfers.all();
      assert.equal(others.length, 0);
      assert.equal(only?.name, 'a (+1)');
      assert.equal(only.state, 'done');
    });

    it('end at once when their name is unpublished', async () => {
      const id = alice.publish('large', Buffer.alloc(LARGE_BYTES));
      const raw = await RawHttp.open(cleanup, alice.port);
      raw.send(requestFor(`/v2/objects/${id}`));
      await raw.readBytes(1);
      raw.socket.pause();
      alice.unpublish('large');
      raw.socket.resume();
      await raw.readAll();
      assert.ok(raw.receivedBytes < LARGE_BYTES);
      assert.equal((await object(id)).status, 404);
    });

    it('wait for their turn, and addresses take turns', async () => {
      await start({ options: { maxUploads: 1 } });
      const large = alice.publish('large', Buffer.alloc(LARGE_BYTES));
      const small = alice.publish('small', 'x');
      const first = await RawHttp.open(cleanup, alice.port);
      first.send(requestFor(`/v2/objects/${large}`));
      await first.readBytes(1);
      first.socket.pause();
      const order: string[] = [];
      const wait = async (name: string, localAddress: string): Promise<void> => {
        const raw = await RawHttp.open(cleanup, alice.port, localAddress);
        // The answer to the first request shows that the second one has come.
        raw.send(requestFor('/v2/entries/small') + requestFor(`/v2/objects/${small}`));
        await raw.readUntil('published"}');
        void raw.readUntil('\r\n\r\nx').then(() => order.push(name));
      };
      for (const name of ['a1', 'a2', 'a3', 'a4']) await wait(name, '127.0.0.1');
      await wait('b1', '127.0.0.2');
      const old = await RawHttp.open(cleanup, alice.port);
      old.send('GET small\n');
      assert.equal(await old.readAll(), 'ERROR interrupted\n');
      assert.equal(order.length, 0);
      first.socket.destroy();
      await eventually(() => order.length === 5 || undefined, 'all are served');
      assert.ok(order.indexOf('b1') <= 2, order.join());
    });

    it('of one address are four at once', async () => {
      const large = alice.publish('large', Buffer.alloc(LARGE_BYTES));
      const small = alice.publish('small', 'x');
      for (let turn = 0; turn < 4; turn += 1) {
        const raw = await RawHttp.open(cleanup, alice.port);
        raw.send(requestFor(`/v2/objects/${large}`));
        await raw.readBytes(1);
        raw.socket.pause();
      }
      const fifth = await RawHttp.open(cleanup, alice.port);
      fifth.send(requestFor('/v2/entries/small') + requestFor(`/v2/objects/${small}`));
      await fifth.readUntil('published"}');
      const other = await ask(alice.port, `/v2/objects/${small}`, { localAddress: '127.0.0.2' });
      assert.equal(other.status, 200);
      assert.ok(!fifth.text.endsWith('\r\n\r\nx'));
      alice.unpublish('large');
      await fifth.readUntil('\r\n\r\nx');
    });

    it('keep to a rate, which may change while they run, by both versions', async () => {
      await start({ options: { maxUploadBytesPerSecond: 1_000_000 } });
      const bytes = randomBytes(300_000);
      const id = alice.publish('a', bytes);
      const startMs = performance.now();
      const old = await RawHttp.open(cleanup, alice.port);
      old.send('GET a\n');
      const [answer] = await Promise.all([object(id), old.readAll()]);
      assert.ok(answer.body.equals(bytes));
      assert.ok(performance.now() - startMs > 250);
      alice.server.options.maxUploadBytesPerSecond = 1_000;
      const slow = object(id);
      await eventually(() => alice.server.uploadsOf('a') > 0 || undefined, 'the upload runs');
      alice.server.options.maxUploadBytesPerSecond = 0;
      assert.ok((await slow).body.equals(bytes));
      alice.server.options.maxUploadBytesPerSecond = 10_000_000;
      const batch = await ask(alice.port, '/v2/batch', { method: 'POST', body: id });
      assert.ok(batch.body.equals(Buffer.concat([Buffer.from(`200 ${id}\n`), bytes])));
    });
  });
});
