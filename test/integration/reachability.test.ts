import { strict as assert } from 'node:assert';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { reachableAddresses } from '../../src/lan/ownAddresses';
import type { HostPort } from '../../src/protocol/address';
import { DIAL_BACK_DEADLINE_MS, DIALS_BACK_PER_MINUTE } from '../../src/tracker/limits';
import { useCleanup } from '../support/cleanup';
import { startSharing } from '../support/commandLine';
import { FakeClock } from '../support/fakeClock';
import { freePort } from '../support/ports';
import { RawClient } from '../support/rawClient';
import { startRelay } from '../support/relay';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTeam } from '../support/startTeam';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually, nextEvent } from '../support/waitFor';

/** Somebody else's address on this machine. */
const OTHER = '127.0.0.3';
const UNKNOWN = { kind: 'unknown' };

/** A port that counts who comes, and keeps what they say. */
interface Listener {
  readonly port: number;
  readonly accepted: () => number;
  readonly received: () => number;
}

describe('whether others reach a peer', () => {
  const cleanup = useCleanup();

  const listenOn = async (host: string, port = 0): Promise<Listener> => {
    let [accepted, received] = [0, 0];
    const server: Server = createServer((socket: Socket) => {
      accepted += 1;
      socket.on('data', ({ length }) => (received += length)).on('error', () => undefined);
    });
    cleanup.add(() => server.close());
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return { port: address.port, accepted: () => accepted, received: () => received };
  };
  const greet = async (address: HostPort, localAddress = '127.0.0.1'): Promise<RawClient> => {
    const client = await RawClient.connect(cleanup, address, { localAddress });
    await client.ask('HELLO', { versions: [2] });
    return client;
  };
  const register = async (client: RawClient, port: number, more: object = {}): Promise<void> => {
    const data = { hostname: 'h', port, instance: 'i', counter: 1, files: [], ...more };
    assert.equal((await client.ask('REGISTER', data))['status'], 'OK');
  };
  const reached = (member: TestPeer): Promise<unknown> =>
    eventually(
      async () => (await member.peer.snapshot()).reachability.kind === 'reachable' || undefined,
      'the tracker has reached the peer',
    );

  it('is told after the first publication, in both kinds of session', async () => {
    const { address } = await startTracker(cleanup);
    const open = await startPeer(cleanup, { tracker: address });
    const team = await (await startTeam(cleanup)).join();
    for (const member of [open, team]) {
      assert.deepEqual((await member.peer.snapshot()).reachability, UNKNOWN);
      await member.publish('a.txt');
      await reached(member);
      await member.peer.disconnect();
      assert.deepEqual((await member.peer.snapshot()).reachability, UNKNOWN);
    }
  });

  it('is tried by a connection on which nothing is said', async () => {
    const { address } = await startTracker(cleanup);
    const target = await listenOn('127.0.0.1');
    const client = await greet(address);
    await register(client, target.port);
    const { now, ...event } = await client.readReply();
    assert.deepEqual(event, { event: 'reachable', port: target.port, reachable: true });
    assert.equal(typeof now, 'number');
    await eventually(() => target.accepted() === 1 || undefined, 'the connection');
    assert.equal(target.received(), 0);
  });

  it('is tried again with a sign of life while nobody reaches it', async () => {
    const { address } = await startTracker(cleanup);
    const client = await greet(address);
    const port = await freePort();
    await register(client, port);
    assert.equal((await client.readReply())['reachable'], false);
    await listenOn('127.0.0.1', port);
    assert.equal((await client.ask('PING', { hostname: 'h' }))['status'], 'ALIVE');
    assert.equal((await client.readReply())['reachable'], true);
    // Known by now: the next event is about another port.
    await client.ask('PING', { hostname: 'h' });
    const other = await listenOn('127.0.0.1');
    await register(client, other.port);
    assert.equal((await client.readReply())['port'], other.port);
  });

  it('is never tried at an address that is not that of the connection', async () => {
    const { address } = await startTracker(cleanup);
    const [victim, own] = [await listenOn(OTHER), await listenOn('127.0.0.1')];
    const samePort = await listenOn('127.0.0.1', victim.port);
    const client = await greet(address);
    await register(client, victim.port, { ip: OTHER });
    await register(client, victim.port, { ip: '::ffff:127.0.0.3' });
    // What is dialed last is told first: by then, the others would have been dialed.
    await register(client, own.port);
    assert.equal((await client.readReply())['port'], own.port);
    assert.deepEqual([victim.accepted(), samePort.accepted()], [0, 0]);
    const elsewhere = await greet(address, OTHER);
    await register(elsewhere, victim.port, { hostname: 'other', ip: null });
    assert.equal((await elsewhere.readReply())['reachable'], true);
    await eventually(() => victim.accepted() === 1 || undefined, 'its own connection');
    assert.equal(samePort.accepted(), 0);
  });

  it('is no way to look for open ports', async () => {
    const clock = new FakeClock();
    const { address } = await startTracker(cleanup, {}, { clock });
    const client = await greet(address);
    const ports: Listener[] = [];
    for (let number = 0; number < 10; number += 1) ports.push(await listenOn('127.0.0.1'));
    for (const { port } of ports.slice(0, DIALS_BACK_PER_MINUTE)) {
      await register(client, port);
      assert.equal((await client.readReply())['port'], port);
    }
    for (const { port } of ports.slice(DIALS_BACK_PER_MINUTE)) await register(client, port);
    clock.advance(60_000 / DIALS_BACK_PER_MINUTE);
    const last = await listenOn('127.0.0.1');
    await register(client, last.port);
    assert.equal((await client.readReply())['port'], last.port);
    const accepted = ports.map((one) => one.accepted());
    assert.deepEqual(accepted, [1, 1, 1, ...Array<number>(7).fill(0)]);
  });

  it('is not tried for a peer that serves nothing, and not in version 1', async () => {
    const { address } = await startTracker(cleanup);
    const target = await listenOn('127.0.0.1');
    const old = await RawClient.connect(cleanup, address);
    await old.ask('REGISTER', { hostname: 'old', port: target.port });
    const client = await greet(address);
    await register(client, 0);
    const other = await listenOn('127.0.0.1');
    await register(client, other.port);
    assert.equal((await client.readReply())['port'], other.port);
    assert.deepEqual(await old.ask('PING', { hostname: 'old' }), { status: 'ALIVE' });
    assert.equal(target.accepted(), 0);
  });

  it('is no when nobody answers in time, and open dials do not hold up the end', async () => {
    const clock = new FakeClock();
    const { tracker, address } = await startTracker(cleanup, {}, { clock });
    const silent = await listenOn('127.0.0.1');
    const client = await greet(address);
    await register(client, silent.port);
    await client.readReply();
    clock.advance(DIAL_BACK_DEADLINE_MS);
    await tracker.stop();
    assert.equal(clock.pending, 0);
  });

  it('is said by the command line, with what to do', async () => {
    const { address } = await startTracker(cleanup);
    const relay = await startRelay(cleanup, address.port, OTHER);
    const user = { folder: temporaryFolder(cleanup), data: temporaryFolder(cleanup) };
    // Serves at one address and is seen to come from another, as behind a firewall.
    const { process, port } = await startSharing(cleanup, user, {
      path: join(__dirname, 'reachability.test.ts'),
      tracker: { host: '127.0.0.1', port: relay.port },
      ...{ hostname: 'h', more: ['--host', '127.0.0.1', '--advertise', OTHER] },
    });
    const warning = `others cannot reach this computer on port ${port}: allow the port in the firewall`;
    await eventually(() => process.stderr().includes(warning) || undefined, warning);
  });
});

describe('where a peer can be reached', () => {
  const cleanup = useCleanup();

  /** Publishes on one peer, and fetches with another; resolves to where the first one serves. */
  const share = async (tracker: HostPort): Promise<HostPort | undefined> => {
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    await alice.publish('a.txt', 'from alice');
    const destination = bob.path('fetched.txt');
    const result = await bob.peer.fetch({ name: 'a.txt', destination, ifExists: 'fail' });
    assert.equal(result.outcome, 'fetched');
    await nextReachable(alice);
    const { serving } = await alice.peer.snapshot();
    const [listed] = await listedBy(bob);
    assert.deepEqual(listed?.address, serving);
    await Promise.all([alice.peer.stop(), bob.peer.stop()]);
    return serving;
  };
  const nextReachable = async ({ peer }: TestPeer): Promise<void> => {
    const told = nextEvent(peer.onDidChangeReachability, ({ kind }) => kind === 'reachable');
    const { reachability } = await peer.snapshot();
    if (reachability.kind === 'reachable') told.catch(() => undefined);
    else await told;
  };
  const listedBy = async ({ peer }: TestPeer) => {
    await peer.refreshNetwork();
    return peer.networkPeers();
  };

  it('is loopback where its tracker is reached over loopback, of either family', async () => {
    const { address } = await startTracker(cleanup);
    assert.equal((await share(address))?.host, '127.0.0.1');
    const six = await startTracker(cleanup, { host: '::1' });
    assert.equal((await share(six.address))?.host, '::1');
  });

  it('is an IPv4 address where that is mapped into IPv6', async () => {
    const { address } = await startTracker(cleanup, { host: '::' });
    const mapped = { host: '::ffff:127.0.0.1', port: address.port };
    assert.equal((await share(mapped))?.host, '127.0.0.1');
    assert.equal((await share({ ...mapped, host: '127.0.0.1' }))?.host, '127.0.0.1');
  });

  it('is the address of the network on which its tracker is, of either family', async () => {
    const { address } = await startTracker(cleanup, { host: '::' });
    for (const host of reachableAddresses('::'))
      assert.equal((await share({ host, port: address.port }))?.host, host);
  });

  it('is what the user says, whatever the route', async () => {
    const { address } = await startTracker(cleanup);
    const settings = { hostname: 'alice', advertiseAddress: 'fd00:0:0::7' };
    const alice = await startPeer(cleanup, { tracker: address, settings });
    const bob = await startPeer(cleanup, { tracker: address, settings: { hostname: 'bob' } });
    await alice.publish('a.txt');
    const [listed] = await listedBy(bob);
    assert.equal(listed?.address.host, 'fd00:0:0::7');
    assert.deepEqual((await alice.peer.snapshot()).reachability, UNKNOWN);
  });
});
