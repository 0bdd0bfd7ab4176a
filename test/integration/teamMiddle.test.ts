import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect, createServer, TLSSocket } from 'node:tls';
import { type Clock, systemClock } from '../../src/common/clock';
import { createIdentity, openIdentity } from '../../src/peer/identity/identity';
import { withNewKey } from '../../src/peer/team/sessionRecord';
import { TeamMember } from '../../src/peer/team/teamMember';
import type { HostPort } from '../../src/protocol/address';
import { type OwnIdentity, tlsOptionsOf } from '../../src/protocol/certificate';
import { CHANNEL_EXPORTERS, EXPORTER_BYTES } from '../../src/protocol/channelProof';
import { parseInvite } from '../../src/protocol/invite';
import { useCleanup } from '../support/cleanup';
import { storedIdentity } from '../support/identities';
import { RawClient } from '../support/rawClient';
import { rejectsWith } from '../support/rejectsWith';
import { listen } from '../support/relay';
import { type Reply, type RewritingRelay, startRewritingRelay } from '../support/rewritingRelay';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTeam, type TestTeam } from '../support/startTeam';
import { nextEvent } from '../support/waitFor';

type Cleanup = ReturnType<typeof useCleanup>;

function exporterOf(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(EXPORTER_BYTES, CHANNEL_EXPORTERS.control, Buffer.alloc(0));
}

/** A machine on the way that speaks TLS with a certificate of its own, to both sides. */
interface Middle {
  readonly address: HostPort;
  readonly connections: () => number;
  /** Bytes that it could read, of either side. */
  readonly heardBytes: () => number;
}

async function startMiddle(cleanup: Cleanup, target: HostPort, own: OwnIdentity): Promise<Middle> {
  let connections = 0;
  let heardBytes = 0;
  const options = { ...tlsOptionsOf(own), rejectUnauthorized: false };
  const server = createServer({ ...options, requestCert: true }, (socket) => {
    const onward = connect({ ...options, ...target });
    for (const end of [socket, onward]) {
      cleanup.add(() => end.destroy());
      end.on('error', () => undefined).on('data', ({ length }: Buffer) => (heardBytes += length));
    }
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
  });
  server.on('connection', (socket: Socket) => {
    connections += 1;
    cleanup.add(() => socket.destroy());
  });
  server.on('tlsClientError', () => undefined);
  cleanup.add(() => server.close());
  return {
    address: { host: '127.0.0.1', port: await listen(server) },
    connections: () => connections,
    heardBytes: () => heardBytes,
  };
}

describe('a machine in the middle of a team', () => {
  const cleanup = useCleanup();
  const mallory = storedIdentity('mallory');
  let team: TestTeam;

  beforeEach(async () => {
    team = await startTeam(cleanup);
  });

  it('on the way to the tracker hears neither token nor name, when joining or later', async () => {
    const middle = await startMiddle(cleanup, team.address, mallory);
    const bob = await startPeer(cleanup, { settings: { hostname: 'bob' } });
    const identity = await createIdentity(new Date(systemClock.now()));
    const invite = team.inviteTo(middle.address);
    const error = await rejectsWith(
      'TRACKER_IDENTITY_MISMATCH',
      bob.peer.connect({ invite, identity }),
    );
    assert.equal(error.details['address'], `127.0.0.1:${middle.address.port}`);
    assert.equal(middle.connections() > 0, true);
    assert.equal(middle.heardBytes(), 0);
    assert.equal(team.tracker.connectionCount, 0);
  });

  it('that takes the place of the tracker later hears nothing, and the tracker is found again', async () => {
    const identity = await createIdentity(new Date(systemClock.now()));
    const bob = await startPeer(cleanup, { settings: { hostname: 'bob' } });
    const middle = await startMiddle(cleanup, team.address, mallory);
    await bob.peer.connect({ invite: team.inviteTo(team.address, middle.address), identity });
    await bob.publish('a');
    const { record, address } = team;
    const isRefused = nextEvent(
      bob.peer.onDidChangeConnection,
      (state) => state.kind === 'waiting' && state.error.code === 'TRACKER_IDENTITY_MISMATCH',
    );
    await team.tracker.stop();
    await isRefused;
    assert.equal(middle.heardBytes(), 0);
    const back = nextEvent(bob.peer.onDidChangeConnection, ({ kind }) => kind === 'connected');
    await startTeam(cleanup, { record, port: address.port });
    await back;
    assert.equal(middle.heardBytes(), 0);
  });

  it('on the way to a publisher hears neither request nor proof, whoever sends us there', async () => {
    const alice = await team.join({ settings: { hostname: 'alice' } });
    await alice.publish('a', 'for members');
    const relay = await startRewritingRelay(cleanup, team.record, team.address);
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving);
    const middle = await startMiddle(cleanup, serving, mallory);
    const { host: ip, port } = middle.address;
    relay.rewrite = (reply) =>
      Array.isArray(reply['hosts'])
        ? { ...reply, hosts: reply['hosts'].map((host: object) => ({ ...host, ip, port })) }
        : reply;
    const bob = await startPeer(cleanup, { settings: { hostname: 'bob' } });
    const identity = await createIdentity(new Date(systemClock.now()));
    await bob.peer.connect({ invite: team.inviteTo(relay.address), identity });
    const fetching = bob.peer.fetch({ name: 'a', destination: bob.path('a'), ifExists: 'fail' });
    await rejectsWith('PEER_IDENTITY_MISMATCH', fetching);
    assert.equal(middle.connections() > 0, true);
    assert.equal(middle.heardBytes(), 0);
    assert.deepEqual((await alice.peer.snapshot()).transfers, []);
    assert.deepEqual(readdirSync(bob.folder), []);
  });
});

describe('a tracker of a team that lies about hosts', () => {
  const cleanup = useCleanup();
  let team: TestTeam;
  let relay: RewritingRelay;
  let alice: TestPeer;

  beforeEach(async () => {
    team = await startTeam(cleanup);
    relay = await startRewritingRelay(cleanup, team.record, team.address);
    alice = await team.join({ settings: { hostname: 'alice', displayName: 'Alice' } });
    await alice.publish('a', 'of alice');
  });

  const joinRelay = async (clock: Clock = systemClock): Promise<TestPeer> => {
    const dependencies = clock === systemClock ? {} : { clock };
    const settings = { hostname: `bob-${randomUUID()}` };
    const bob = await startPeer(cleanup, { settings, dependencies });
    const identity = await createIdentity(new Date(systemClock.now()));
    await bob.peer.connect({ invite: team.inviteTo(relay.address), identity });
    return bob;
  };
  const rejoin = async ({ peer }: TestPeer): Promise<void> => {
    await peer.disconnect();
    const identity = await createIdentity(new Date(systemClock.now()));
    await peer.connect({ invite: team.inviteTo(relay.address), identity });
  };
  const seenBy = async ({ peer }: TestPeer): Promise<string[]> => {
    await peer.refreshNetwork();
    const { files } = await peer.networkFiles({ limit: 10 });
    const peers = await peer.networkPeers();
    return [
      ...peers.map(({ hostname, displayName }) => `${hostname}: ${displayName}`),
      ...files.map(({ hostname, name }) => `${hostname}/${name}`),
    ].filter((text) => !text.startsWith('bob'));
  };
  type Listed = Record<string, unknown>;
  /** Changes who is said to be there, with their records, in replies and events. */
  const changeHosts = (
    change: (hosts: Record<string, Listed>, records: Record<string, Listed>) => void,
  ): void => {
    relay.rewrite = (reply) => {
      const records = (reply['records'] ?? {}) as Record<string, Listed>;
      const registry = reply['registry'] as Record<string, Listed> | undefined;
      if (registry?.['alice'] !== undefined) change(registry, records);
      return registry === undefined ? reply : { ...reply, registry, records };
    };
  };
  const memberRecord = (who: OwnIdentity, hostname: string, displayName: string): Listed => {
    const member = new TeamMember(parseInvite(team.invite), who, systemClock);
    const { text, signature, mac } = member.record({ hostname, displayName, instance: 'w' });
    return { text, signature, mac, certificate: who.certificate };
  };

  it('shows who is there when it does not lie', async () => {
    const bob = await joinRelay();
    assert.deepEqual(await seenBy(bob), ['alice: Alice', 'alice/a']);
  });

  it('invents none: not without a record, not with that of another, not with that of no member', async () => {
    const stranger = await startTeam(cleanup);
    const mallory = storedIdentity('mallory');
    const other = new TeamMember(parseInvite(stranger.invite), mallory, systemClock);
    const claim = { hostname: 'ghost', displayName: 'G', instance: 'w' };
    const foreign = { ...other.record(claim), certificate: mallory.certificate };
    for (const record of [undefined, 'alice', foreign, {}, null]) {
      changeHosts((hosts, records) => {
        hosts['ghost'] = hosts['alice']!;
        if (record === 'alice') records['ghost'] = records['alice']!;
        else if (record !== undefined) records['ghost'] = record as Listed;
      });
      const bob = await joinRelay();
      assert.deepEqual(await seenBy(bob), ['alice: Alice', 'alice/a']);
    }
  });

  it('renames none, and says nothing of one in another’s name', async () => {
    changeHosts((hosts, records) => {
      hosts['alicia'] = hosts['alice']!;
      records['alicia'] = records['alice']!;
      delete hosts['alice'];
    });
    assert.deepEqual(await seenBy(await joinRelay()), []);
    changeHosts((hosts, records) => {
      hosts['alice']!['display_name'] = 'Mallory';
      const { text } = records['alice'] as { text: string };
      records['alice'] = { ...records['alice']!, text: text.replace('"Alice"', '"Malice"') };
    });
    assert.deepEqual(await seenBy(await joinRelay()), []);
    changeHosts((hosts) => {
      hosts['alice']!['display_name'] = 'Mallory';
    });
    assert.deepEqual(await seenBy(await joinRelay()), ['alice: Alice', 'alice/a']);
  });

  it('brings back nothing that a host has said before', async () => {
    let old: Listed | undefined;
    let repeated = 0;
    const bob = await joinRelay();
    relay.rewrite = (reply) => {
      const records = reply['records'] as Record<string, Listed> | undefined;
      if (records?.['alice'] === undefined) return reply;
      old ??= records['alice'];
      repeated += 1;
      return { ...reply, records: { ...records, alice: old } };
    };
    await bob.peer.discover({ hostname: 'alice' });
    await alice.peer.configure({ displayName: 'Alice of now' });
    const until = async (isSeen: (seen: string[]) => boolean): Promise<void> => {
      for (let seen = await seenBy(bob); !isSeen(seen); seen = await seenBy(bob));
    };
    const { rewrite } = relay;
    relay.rewrite = (reply) => reply;
    await alice.peer.configure({ displayName: 'Alice of later' });
    await until((seen) => seen.includes('alice: Alice of later'));
    relay.rewrite = rewrite;
    repeated = 0;
    await alice.peer.configure({ displayName: 'Alice at last' });
    await until(() => repeated > 0);
    const seen = await seenBy(bob);
    assert.equal(seen.includes('alice: Alice'), false, seen.join());
    const destination = bob.path('a');
    await rejectsWith('NOT_FOUND', bob.peer.fetch({ name: 'a', destination, ifExists: 'fail' }));
  });

  it('finds no member who could speak for one that was seen, whatever it signs', async () => {
    const bob = await joinRelay();
    assert.deepEqual(await seenBy(bob), ['alice: Alice', 'alice/a']);
    const notices: unknown[] = [];
    bob.peer.onDidNotice((notice) => notices.push(notice));
    changeHosts((_hosts, records) => {
      records['alice'] = memberRecord(storedIdentity('mallory'), 'alice', 'Alice');
    });
    await rejoin(bob);
    assert.deepEqual(await seenBy(bob), []);
    assert.deepEqual(notices, [{ kind: 'identityChanged', hostname: 'alice' }]);
    // Nor one that signs with its own key what says that it is alice's.
    const { fingerprint } = openIdentity(await createIdentity(new Date(systemClock.now())));
    const mallory = storedIdentity('mallory');
    changeHosts((_hosts, records) => {
      const forged = { ...mallory, fingerprint };
      records['alice'] = memberRecord(forged, 'alice', 'Alice');
    });
    const carol = await joinRelay();
    assert.deepEqual(await seenBy(carol), []);
  });

  it('has no use for the token alone: who lacks the membership key is nobody', async () => {
    const claim = { hostname: 'outsider', displayName: 'O', instance: 'w' };
    const member = new TeamMember(parseInvite(team.invite), storedIdentity('mallory'), systemClock);
    const keyless = new TeamMember(
      { ...parseInvite(team.invite), team: withNewKey(team.record, new Date()).team },
      storedIdentity('mallory'),
      systemClock,
    );
    const client = await RawClient.connectTls(cleanup, team.address);
    assert.ok(client.socket instanceof TLSSocket);
    await client.ask('STATEMENT', member.showIdentity(exporterOf(client.socket)));
    await client.ask('HELLO', { versions: [2], token: member.token() });
    const credentials = keyless.credentials(claim, exporterOf(client.socket));
    const registered = await client.ask('REGISTER', {
      ...{ hostname: 'outsider', instance: 'w', port: 6000, counter: 1, ...credentials },
      files: [{ name: 'bait', size: 1, modified: 1, root: 'ab'.repeat(32) }],
    });
    assert.equal(registered['status'], 'OK', 'the tracker cannot know');
    const bob = await joinRelay();
    assert.deepEqual(await seenBy(bob), ['alice: Alice', 'alice/a']);
    const fetching = { name: 'bait', destination: bob.path('bait'), ifExists: 'fail' } as const;
    await rejectsWith('NOT_FOUND', bob.peer.fetch(fetching));
  });

  it('gets no member to speak version 1, and none to say a word of itself then', async () => {
    const said: Reply[] = [];
    relay.rewrite = (reply) => {
      said.push(reply);
      return 'max_publish' in reply ? { ...reply, version: 1 } : reply;
    };
    const bob = await startPeer(cleanup, { settings: { hostname: 'bob' } });
    const identity = await createIdentity(new Date(systemClock.now()));
    const joining = bob.peer.connect({ invite: team.inviteTo(relay.address), identity });
    await rejectsWith('INVALID_MESSAGE', joining);
    assert.equal(said.length, 2, 'nothing but STATEMENT and HELLO was asked');
    const unknown = { status: 'ERROR', reason: 'unknown action HELLO' };
    relay.rewrite = () => unknown;
    const again = bob.peer.connect({ invite: team.inviteTo(relay.address), identity });
    await rejectsWith('TRACKER_REFUSED', again);
  });
});
