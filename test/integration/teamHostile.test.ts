import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { systemClock } from '../../src/common/clock';
import { TeamMember } from '../../src/peer/team/teamMember';
import { bringStatement } from '../../src/peer/team/bringStatement';
import { withNewKey } from '../../src/peer/team/sessionRecord';
import { fingerprintOf } from '../../src/protocol/certificate';
import { CHANNEL_EXPORTERS, EXPORTER_BYTES } from '../../src/protocol/channelProof';
import { parseInvite } from '../../src/protocol/invite';
import {
  MAX_HELLO_BYTES,
  MAX_HOSTNAMES_PER_IDENTITY,
  MAX_PENDING_CONNECTIONS,
} from '../../src/tracker/limits';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { storedIdentity } from '../support/identities';
import { RawClient } from '../support/rawClient';
import { connectRaw } from '../support/rawPeer';
import { startTeam, type TestTeam } from '../support/startTeam';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const NOT_A_MEMBER = { status: 'ERROR', reason: 'not a member' };
const NOT_PROVEN = { status: 'ERROR', reason: 'identity not proven' };
const IN_USE = { status: 'ERROR', reason: 'hostname in use' };

describe('strangers and members that are none at the tracker of a team', () => {
  const cleanup = useCleanup();
  let team: TestTeam;

  beforeEach(async () => {
    team = await startTeam(cleanup);
  });

  const memberOf = (who: 'alice' | 'mallory', invite = team.invite): TeamMember =>
    new TeamMember(parseInvite(invite), storedIdentity(who), systemClock);
  const tlsOf = ({ socket }: RawClient): TLSSocket => {
    assert.ok(socket instanceof TLSSocket);
    return socket;
  };
  const exporterOf = (client: RawClient): Buffer =>
    tlsOf(client).exportKeyingMaterial(EXPORTER_BYTES, CHANNEL_EXPORTERS.control, Buffer.alloc(0));
  const connect = (of = team): Promise<RawClient> => RawClient.connectTls(cleanup, of.address);
  const showIdentity = (client: RawClient, who: 'alice' | 'mallory' = 'alice'): object =>
    memberOf(who).showIdentity(exporterOf(client));
  const hello = async (
    client: RawClient,
    token?: string,
    who?: 'alice' | 'mallory',
  ): Promise<Record<string, unknown>> => {
    await client.ask('STATEMENT', showIdentity(client, who));
    return client.ask('HELLO', { versions: [1, 2], ...(token === undefined ? {} : { token }) });
  };
  /** The reply without what changes with every run. */
  const plain = ({ now: _, ...reply }: Record<string, unknown>): Record<string, unknown> => reply;
  const enter = async (of = team, who: 'alice' | 'mallory' = 'alice'): Promise<RawClient> => {
    const client = await connect(of);
    const reply = await hello(client, memberOf(who, of.invite).token(), who);
    assert.equal(reply['status'], 'OK');
    return client;
  };
  const registration = (
    client: RawClient,
    member: TeamMember,
    claim: { hostname?: string; instance?: string } = {},
  ): Record<string, unknown> => {
    const full = { hostname: 'alice', displayName: 'A', instance: 'w', ...claim };
    return {
      ...{ hostname: full.hostname, instance: full.instance, port: 6000, counter: 1 },
      ...member.credentials(full, exporterOf(client)),
    };
  };

  it('nobody is answered who has no token, or that of another team or of before', async () => {
    const other = await startTeam(cleanup);
    const renewed = withNewKey(team.record, new Date());
    const tokens = [
      undefined,
      '',
      'A'.repeat(43),
      memberOf('alice', other.invite).token(),
      `${memberOf('alice').token()}A`,
    ];
    for (const token of tokens) {
      const client = await connect();
      assert.deepEqual(plain(await hello(client, token)), NOT_A_MEMBER);
      assert.equal(await client.readToEnd(), '');
    }
    const member = await enter();
    await bringStatement(renewed, { addresses: [team.address], clock: systemClock });
    assert.equal((await member.readReply())['event'], 'rotated');
    assert.equal(await member.readToEnd(), '');
    const late = await connect();
    assert.deepEqual(plain(await hello(late, memberOf('alice').token())), NOT_A_MEMBER);
  });

  it('nothing else is answered before the token, and version 1 never', async () => {
    const requests = ['LIST', 'REGISTER', 'PING', 'REQUEST', 'PUBLISH', 'LOCATE'];
    for (const action of requests) {
      const client = await connect();
      assert.deepEqual(plain(await client.ask(action, { hostname: 'x' })), NOT_A_MEMBER, action);
      assert.equal(await client.readToEnd(), '');
    }
    const old = await connect();
    const token = memberOf('alice').token();
    assert.deepEqual(plain(await old.ask('HELLO', { versions: [1], token })), NOT_A_MEMBER);
    const garbage = await connect();
    garbage.send('GET / HTTP/1.1\r\n\r\n');
    assert.match(await garbage.readToEnd(), /^\{.*"bad JSON".*\}\n$/u);
  });

  it('no more is kept of what a stranger says than a greeting takes', async () => {
    const stranger = await connect();
    stranger.send('x'.repeat(MAX_HELLO_BYTES + 2));
    assert.equal((await stranger.readReply())['reason'], 'line too long');
    assert.equal(await stranger.readToEnd(), '');
    // Who is admitted by one line may be in the middle of a long one behind it.
    const member = await connect();
    await member.ask('STATEMENT', showIdentity(member));
    const token = memberOf('alice').token();
    const request = JSON.stringify({ action: 'PING', data: { pad: 'x'.repeat(1024 * 1024) } });
    member.send(
      `${JSON.stringify({ action: 'HELLO', data: { versions: [2], token } })}\n${request}\n`,
    );
    const [greeted, pinged] = await member.readReplies(2);
    assert.deepEqual([greeted?.['status'], pinged?.['status']], ['OK', 'DEAD']);
  });

  it('nobody is answered who does not speak TLS 1.3', async () => {
    const talks = ['{"action":"LIST"}\n', 'POST / HTTP/1.1\r\nHost: x\r\n\r\n'];
    for (const talk of talks) {
      const client = await RawClient.connect(cleanup, team.address);
      client.socket.end(talk);
      const received = await client.readToEnd();
      assert.equal(/status|HTTP/u.test(received), false, received);
    }
    await assert.rejects(RawClient.connectTls(cleanup, team.address, { maxVersion: 'TLSv1.2' }));
  });

  it('silent connections keep no member out, and end', async () => {
    const sockets = await Promise.all(
      Array.from({ length: MAX_PENDING_CONNECTIONS + 200 }, () =>
        connectRaw(cleanup, team.address),
      ),
    );
    await eventually(
      () => team.tracker.pendingCount === MAX_PENDING_CONNECTIONS || undefined,
      'the bound',
    );
    const alice = await team.join();
    await alice.publish('a');
    assert.ok(sockets.length > team.tracker.pendingCount);
  });

  it('connections without the token take no member’s place', async () => {
    const small = await startTeam(cleanup, { limits: { maxConnections: 2 } });
    for (let count = 0; count < 3; count += 1) await connect(small);
    await eventually(() => small.tracker.pendingCount === 3 || undefined, 'three are pending');
    const [first] = [await enter(small), await enter(small)];
    assert.equal((await first.ask('LIST'))['status'], 'OK');
    const refused = await (await connect(small)).readReply();
    assert.equal(refused['reason'], 'too many connections');
    first.socket.destroy();
    await eventually(() => small.tracker.connectionCount === 4 || undefined, 'one has gone');
    assert.equal((await (await enter(small)).ask('LIST'))['status'], 'OK');
  });

  it('a connection has a deadline for its handshake and its token', async () => {
    const clock = new FakeClock();
    const slow = await startTeam(cleanup, {}, { clock });
    const silent = await RawClient.connect(cleanup, slow.address);
    const tokenless = await connect(slow);
    const member = await enter(slow);
    await eventually(() => slow.tracker.pendingCount === 2 || undefined, 'two are pending');
    clock.advance(10_000);
    assert.equal(await silent.readToEnd(), '');
    assert.equal(await tokenless.readToEnd(), '');
    assert.equal((await member.ask('LIST'))['status'], 'OK');
  });

  it('many failed attempts do not lock out the address they come from', async () => {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const client = await connect();
      await hello(client, 'wrong');
    }
    const alice = await team.join();
    await alice.publish('a');
  });

  it('nobody registers without the proof, or with that of another connection', async () => {
    const alice = memberOf('alice');
    const client = await enter();
    const good = registration(client, alice);
    const { proof, record, certificate, ...open } = good;
    const other = await enter();
    const wrong: [string, Record<string, unknown>][] = [
      ['nothing', open],
      ['no proof', { ...open, record, certificate }],
      ['no record', { ...open, proof, certificate }],
      ['of another connection', registration(other, alice)],
      ['of another hostname', { ...good, hostname: 'bob' }],
      ['of another instance', { ...good, instance: 'other' }],
      [
        'with the certificate of another',
        { ...good, certificate: storedIdentity('mallory').certificate },
      ],
      ['with no certificate', { ...good, certificate: 'AAAA' }],
    ];
    for (const [what, data] of wrong)
      assert.deepEqual(plain(await client.ask('REGISTER', data)), NOT_PROVEN, what);
    assert.equal((await client.ask('REGISTER', good))['status'], 'OK');
    const list = await client.ask('LIST');
    assert.deepEqual(Object.keys(list['records'] as object), ['alice']);
  });

  it('a hostname stays with its identity, also when the tracker starts again', async () => {
    const bindingsFile = join(temporaryFolder(cleanup), 'bindings.json');
    const { record } = team;
    const first = await startTeam(cleanup, { record, team: { ...team.verifier, bindingsFile } });
    const alice = await enter(first);
    const own = registration(alice, memberOf('alice'));
    assert.equal((await alice.ask('REGISTER', own))['status'], 'OK');
    const mallory = await enter(first, 'mallory');
    const stolen = (client: RawClient): Record<string, unknown> =>
      registration(client, memberOf('mallory'));
    assert.deepEqual(plain(await mallory.ask('REGISTER', stolen(mallory))), IN_USE);
    assert.deepEqual(
      plain(await mallory.ask('REGISTER', { ...stolen(mallory), counter: 99 })),
      IN_USE,
      'the same instance and a higher counter',
    );
    alice.socket.end();
    await first.tracker.stop();
    const second = await startTeam(cleanup, {
      record,
      team: { ...team.verifier, bindingsFile },
    });
    const late = await enter(second, 'mallory');
    assert.deepEqual(plain(await late.ask('REGISTER', stolen(late))), IN_USE);
    const back = await enter(second);
    const again = registration(back, memberOf('alice'));
    assert.equal((await back.ask('REGISTER', again))['status'], 'OK');
  });

  it('an identity has as many hostnames as connections may use, and one more when one is gone', async () => {
    const register = async (client: RawClient, hostname: string): Promise<unknown> => {
      const claim = { hostname, instance: hostname };
      const reply = await client.ask('REGISTER', registration(client, memberOf('alice'), claim));
      return reply['reason'] ?? reply['status'];
    };
    const clients: RawClient[] = [];
    for (let index = 0; index < MAX_HOSTNAMES_PER_IDENTITY; index += 1) {
      const client = await enter();
      assert.equal(await register(client, `alice-${index}`), 'OK');
      clients.push(client);
    }
    const late = await enter();
    assert.equal(await register(late, 'one-more'), 'too many hostnames');
    clients[0]!.socket.destroy();
    await eventually(
      async () => (await register(late, 'one-more')) === 'OK' || undefined,
      'a hostname is free',
    );
    const another = await enter();
    assert.equal(await register(another, 'alice-0'), 'too many hostnames');
  });

  it('a record is renewed by its own host only, and every reply has it', async () => {
    const alice = await enter();
    const member = memberOf('alice');
    const name = { name: 'f', size: 1, modified: 1, root: 'ab'.repeat(32) };
    const own = registration(alice, member);
    const data = { ...own, files: [name] };
    assert.equal((await alice.ask('REGISTER', data))['status'], 'OK');
    const fresh = member.record({ hostname: 'alice', displayName: 'New', instance: 'w' });
    const mallory = await enter();
    await mallory.ask('PING', { hostname: 'alice', record: fresh });
    const textOf = async (action: string, request: object = {}): Promise<unknown> => {
      const { records } = await mallory.ask(action, request);
      return (records as Record<string, { text: string }>)['alice']?.text;
    };
    assert.equal(await textOf('LIST'), (own['record'] as { text: string }).text);
    await alice.ask('PING', { hostname: 'alice', record: fresh });
    const id = `${'ab'.repeat(32)}-1`;
    assert.equal(await textOf('LIST'), fresh.text);
    assert.equal(await textOf('REQUEST', { fname: 'f' }), fresh.text);
    assert.equal(await textOf('LOCATE', { ids: [id] }), fresh.text);
    assert.equal(await textOf('DISCOVER', { hostname: 'alice' }), fresh.text);
    await alice.ask('PING', { hostname: 'alice', record: { text: 'x', signature: '', mac: '' } });
    assert.equal(await textOf('LIST'), fresh.text, 'one that cannot be any');
  });

  it('connections are not resumed: each one shows the certificate', async () => {
    const first = tlsOf(await connect());
    const [session] = (await once(first, 'session')) as [Buffer];
    const again = tlsOf(await RawClient.connectTls(cleanup, team.address, { session }));
    assert.equal(again.isSessionReused(), false);
    const shown = again.getPeerX509Certificate();
    assert.equal(shown && fingerprintOf(shown), parseInvite(team.invite).fingerprint);
  });
});
