import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { systemClock } from '../../src/common/clock';
import type { FetchResult } from '../../src/peer/peerApi';
import { SourceDialer } from '../../src/peer/transfer/sourceDialer';
import type { TransferSecurity } from '../../src/peer/transfer/transferSecurity';
import { tlsOptionsOf } from '../../src/protocol/certificate';
import type { SourceInfo } from '../../src/protocol/controlReplies';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { rejectsWith } from '../support/rejectsWith';
import { listen, startRelay, startSilence } from '../support/relay';
import { startServer, type TestServer } from '../support/startServer';
import {
  listedHost,
  newMember,
  newProofKey,
  sourceOf,
  startFetching,
  startTeamServer,
  type TestFetching,
} from '../support/team';
import { eventually } from '../support/waitFor';

const MIB = 1024 * 1024;

describe('fetching from the members of a team', () => {
  const cleanup = useCleanup();
  const proofKey = newProofKey();
  let alice: TransferSecurity;
  let bob: TransferSecurity;
  let carol: TransferSecurity;
  let server: TestServer;
  let at: TestFetching;

  before(async () => {
    alice = await newMember(proofKey);
    bob = await newMember(proofKey);
    carol = await newMember(proofKey);
  });
  beforeEach(async () => {
    server = await startTeamServer(cleanup, alice);
    at = startFetching(cleanup, bob);
  });

  const fetch = (sources: readonly SourceInfo[], fetching = at): Promise<FetchResult> =>
    fetching.fetcher.fetch(
      { name: 'a', destination: fetching.path('a'), ifExists: 'fail' },
      sources,
      {},
    );
  const fromAlice = (change: Partial<SourceInfo> = {}): SourceInfo => ({
    ...sourceOf(server, 'a', alice.identity.fingerprint),
    ...change,
  });
  const assertSame = (path: string, bytes: Buffer): void =>
    assert.ok(readFileSync(path).equals(bytes));

  it('takes small and large files, and nothing that a relay hears shows them', async () => {
    for (const bytes of [Buffer.from('a secret of ours'), randomBytes(40 * MIB + 5)]) {
      server.publish('a', bytes);
      const relay = await startRelay(cleanup, server.port);
      const fetching = startFetching(cleanup, bob);
      const { path } = await fetch([fromAlice({ port: relay.port })], fetching);
      assertSame(path, bytes);
      const heard = relay.recorded();
      assert.ok(heard.length > bytes.length);
      assert.equal(heard.indexOf(bytes.subarray(0, 16)), -1);
      // Shorter words, such as HTTP, stand in 40 MiB of random bytes by chance: once in a hundred runs.
      for (const word of ['HTTP/1.1', 'Peershelf', '/v2/objects/'])
        assert.equal(heard.indexOf(word), -1, word);
    }
  });

  it('takes a file from several sources at once', async () => {
    const bytes = randomBytes(32 * MIB);
    server.publish('a', bytes);
    const other = await startTeamServer(cleanup, carol);
    other.publish('a', bytes);
    const second = sourceOf(other, 'a', carol.identity.fingerprint);
    const modified = second.modified;
    const { path, sources } = await fetch([fromAlice({ modified }), second]);
    assertSame(path, bytes);
    assert.equal(sources.length, 2);
  });

  it('takes several files from several sources at once, with memory for few blocks', async () => {
    const other = await startTeamServer(cleanup, carol);
    const files = Array.from({ length: 4 }, () => randomBytes(24 * MIB));
    const paths = await Promise.all(
      files.map(async (bytes, index) => {
        const name = `file ${index}`;
        for (const one of [server, other]) one.publish(name, bytes);
        const sources = [
          sourceOf(server, name, alice.identity.fingerprint),
          sourceOf(other, name, carol.identity.fingerprint),
        ];
        const request = { name, destination: at.path(name), ifExists: 'fail' } as const;
        return (await at.fetcher.fetch(request, sources, {})).path;
      }),
    );
    paths.forEach((path, index) => assertSame(path, files[index]!));
  });

  it('keeps to the rate limit, whatever has been decrypted already', async () => {
    const bytes = randomBytes(6 * MIB);
    server.publish('a', bytes);
    const slow = startFetching(cleanup, bob, { maxBytesPerSecond: 4 * MIB });
    const { path, durationMs } = await fetch([fromAlice()], slow);
    assertSame(path, bytes);
    assert.ok(durationMs > 1_000, `${durationMs} ms`);
  });

  it('takes a folder of many small files and a large one', async () => {
    for (let index = 0; index < 1_200; index += 1)
      server.publish(`docs/${index % 7}/${index}`, `file ${index}`);
    const large = randomBytes(3 * MIB);
    server.publish('docs/large', large);
    const result = await at.folders.fetch(
      { prefix: 'docs/', destination: at.path('got'), ifExists: 'fail' },
      new Map([['alice', listedHost(server, alice.identity.fingerprint)]]),
      {},
    );
    assert.equal(result.failedCount, 0, JSON.stringify(result.failed[0]));
    assert.equal(result.fetched, 1_201);
    assert.equal(readFileSync(at.path('got/3/3')).toString(), 'file 3');
    assertSame(at.path('got/large'), large);
  });

  it('reads straight into the memory that it is given', async () => {
    const id = server.publish('a', randomBytes(MIB));
    const memory = Buffer.alloc(256 * 1024);
    let readBytes = 0;
    let isOther = false;
    const { socket, authorization } = await new SourceDialer(systemClock, () => bob).dial({
      source: { host: '127.0.0.1', port: server.port, fingerprint: alice.identity.fingerprint },
      onread: {
        buffer: () => memory,
        callback: (count, bytes) => {
          isOther ||= bytes.buffer !== memory.buffer;
          readBytes += count;
          return true;
        },
      },
      deadlineMs: 5_000,
    });
    cleanup.add(() => socket.destroy());
    let isData = false;
    socket.on('data', () => (isData = true));
    const head = ['Host: 127.0.0.1', `Authorization: ${authorization}`, '', ''].join('\r\n');
    socket.write(`GET /v2/objects/${id} HTTP/1.1\r\n${head}`);
    await eventually(() => readBytes > MIB || undefined, 'the object');
    assert.equal(isOther, false);
    assert.equal(isData, false);
    assert.equal(socket.readableLength, 0);
  });

  describe('when somebody else is there', () => {
    beforeEach(() => {
      server.publish('a', randomBytes(2 * MIB));
    });

    /** Speaks TLS as somebody, and passes on to the publisher whatever it is told. */
    async function startInTheMiddle(who: TransferSecurity): Promise<{
      port: number;
      connections: () => number;
      heardBytes: () => number;
    }> {
      let connections = 0;
      let heardBytes = 0;
      const middle = createServer(
        { ...tlsOptionsOf(who.identity), requestCert: true, rejectUnauthorized: false },
        (socket) => {
          const target: TLSSocket = connect({
            ...tlsOptionsOf(who.identity),
            ...{ host: '127.0.0.1', port: server.port, rejectUnauthorized: false },
          });
          for (const end of [socket, target]) {
            end.on('error', () => undefined);
            cleanup.add(() => end.destroy());
          }
          socket.on('data', (bytes: Buffer) => (heardBytes += bytes.length));
          socket.pipe(target).pipe(socket);
        },
      );
      middle.on('connection', (socket: Socket) => {
        connections += 1;
        cleanup.add(() => socket.destroy());
      });
      middle.on('tlsClientError', () => undefined);
      cleanup.add(() => middle.close());
      const port = await listen(middle);
      return { port, connections: () => connections, heardBytes: () => heardBytes };
    }

    it('says nothing to it, and does not come back a third time within a minute', async () => {
      const clock = new FakeClock();
      const dialer = new SourceDialer(clock, () => bob);
      const middle = await startInTheMiddle(carol);
      const { fingerprint } = alice.identity;
      const source = { host: '127.0.0.1', port: middle.port, fingerprint };
      const dial = (): Promise<unknown> =>
        rejectsWith('PEER_IDENTITY_MISMATCH', dialer.dial({ source, deadlineMs: 5_000 }));
      for (let count = 0; count < 5; count += 1) await dial();
      assert.equal(middle.connections(), 2);
      clock.advance(60_000);
      await dial();
      assert.equal(middle.connections(), 3);
      const fetching = fetch([fromAlice({ port: middle.port })]);
      const error = await rejectsWith('PEER_IDENTITY_MISMATCH', fetching);
      assert.equal(error.details['displayName'], `host-${server.port}`);
      assert.equal(error.details['address'], `127.0.0.1:${middle.port}`);
      assert.equal(middle.heardBytes(), 0);
      assert.deepEqual(readdirSync(at.path('.')), []);
    });

    it('takes the file from others', async () => {
      const middle = await startInTheMiddle(carol);
      const { sources } = await fetch([fromAlice({ port: middle.port }), fromAlice()]);
      assert.equal(sources.length, 1);
      assert.equal(middle.heardBytes(), 0);
    });

    it('takes a proof to nobody but whom it was made for', async () => {
      // A member in the middle is believed to be itself; what it passes on is worth nothing.
      const middle = await startInTheMiddle(carol);
      const { fingerprint } = carol.identity;
      await rejectsWith('NOT_A_MEMBER', fetch([fromAlice({ port: middle.port, fingerprint })]));
      assert.deepEqual(server.transfers.all(), []);
    });

    it('takes no file from a source without a fingerprint, or without a content id', async () => {
      const relay = await startRelay(cleanup, server.port);
      const { port } = relay;
      const unknown = [
        { port, fingerprint: undefined },
        { port, fingerprint: undefined, contentId: undefined },
        { port, contentId: undefined },
      ];
      for (const change of unknown)
        await rejectsWith('PEER_IDENTITY_MISMATCH', fetch([fromAlice(change)]));
      assert.equal(relay.connections(), 0);
    });

    it('never falls back to a plain connection, in either direction', async () => {
      const plain = await startServer(cleanup);
      plain.publish('a', readFileSync(server.path('a')));
      const { fingerprint } = alice.identity;
      await rejectsWith('PEER_IDENTITY_MISMATCH', fetch([sourceOf(plain, 'a', fingerprint)]));
      const open = startFetching(cleanup, undefined);
      const relay = await startRelay(cleanup, server.port);
      const source = fromAlice({ port: relay.port });
      await rejectsWith('PEER_IDENTITY_MISMATCH', fetch([source], open));
      const older = { ...source, contentId: undefined };
      await rejectsWith('PEER_IDENTITY_MISMATCH', fetch([older], open));
      assert.equal(relay.connections(), 0);
      assert.deepEqual(plain.transfers.all(), []);
    });

    it('says that it is no member when a publisher says so', async () => {
      const stranger = startFetching(cleanup, { ...bob, proofKey: newProofKey() });
      await rejectsWith('NOT_A_MEMBER', fetch([fromAlice()], stranger));
      const refusing = createHttpsServer(tlsOptionsOf(alice.identity), (request, response) => {
        assert.match(request.headers.authorization ?? '', /^Peershelf [\w-]{43}$/u);
        response.writeHead(401).end('{"code":"not_a_member"}');
      });
      cleanup.add(() => refusing.close().closeAllConnections());
      await rejectsWith('NOT_A_MEMBER', fetch([fromAlice({ port: await listen(refusing) })]));
    });

    it('takes no other version of TLS', async () => {
      const options = {
        ...tlsOptionsOf(alice.identity),
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.2',
        ciphers: 'DEFAULT',
      } as const;
      const old = createHttpsServer(options, () => assert.fail('it was asked'));
      cleanup.add(() => old.close().closeAllConnections());
      const source = fromAlice({ port: await listen(old) });
      await rejectsWith('PEER_IDENTITY_MISMATCH', fetch([source]));
    });
  });

  describe('while a handshake is under way', () => {
    const untilOpen = (open: ReadonlySet<unknown>, count: number): Promise<true> =>
      eventually(() => open.size === count || undefined, `${count} connections`);

    it('is cancelled at once and leaves nothing open', async () => {
      for (const size of [1, 2 * MIB]) {
        server.publish('a', randomBytes(size));
        const silence = await startSilence(cleanup);
        const done = fetch([fromAlice({ port: silence.port })]);
        const failed = rejectsWith('CANCELLED', done);
        await untilOpen(silence.open, 1);
        at.transfers.cancel(at.transfers.all().at(-1)!.id);
        await failed;
        await untilOpen(silence.open, 0);
      }
      assert.deepEqual(readdirSync(at.path('.')), []);
    });

    it('is paused at once, and goes on later', async () => {
      server.publish('a', randomBytes(2 * MIB));
      const silence = await startSilence(cleanup);
      const failed = rejectsWith('CANCELLED', fetch([fromAlice({ port: silence.port })]));
      await untilOpen(silence.open, 1);
      const { id } = at.transfers.all().at(-1)!;
      at.transfers.pause(id);
      await untilOpen(silence.open, 0);
      at.transfers.resume(id);
      await untilOpen(silence.open, 1);
      at.transfers.stopAll();
      await failed;
      await untilOpen(silence.open, 0);
    });

    it('gives up when it takes too long', async () => {
      const clock = new FakeClock();
      const silence = await startSilence(cleanup);
      const { fingerprint } = alice.identity;
      const dialing = new SourceDialer(clock, () => bob).dial({
        source: { host: '127.0.0.1', port: silence.port, fingerprint },
        deadlineMs: 5_000,
      });
      const failed = rejectsWith('PEER_UNREACHABLE', dialing);
      await untilOpen(silence.open, 1);
      clock.advance(5_000);
      await failed;
      await untilOpen(silence.open, 0);
      assert.equal(clock.pending, 0);
    });
  });
});
