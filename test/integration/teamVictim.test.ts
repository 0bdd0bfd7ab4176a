import { strict as assert } from 'node:assert';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { systemClock } from '../../src/common/clock';
import { createIdentity } from '../../src/peer/identity/identity';
import { tlsOptionsOf } from '../../src/protocol/certificate';
import { useCleanup } from '../support/cleanup';
import { storedIdentity } from '../support/identities';
import { listen } from '../support/relay';
import { type Reply, startRewritingRelay } from '../support/rewritingRelay';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTeam } from '../support/startTeam';

const FETCHES = 100;
/** What only our own peers say, wherever it stands; long enough not to stand in random bytes. */
const OURS = /HTTP|Peershelf|GET |POST|\/v2\//u;

describe('a tracker of a team that points its peers at somebody else', () => {
  const cleanup = useCleanup();

  interface Victim {
    readonly port: number;
    readonly connections: () => number;
    /** What it was told, as far as it could read that. */
    readonly heard: () => string;
  }

  /** Somebody who has nothing to do with the team. */
  async function startVictim(behave: (socket: Socket) => void): Promise<Victim> {
    let connections = 0;
    const heard: Buffer[] = [];
    const server = createServer((socket) => {
      connections += 1;
      cleanup.add(() => socket.destroy());
      socket.on('error', () => undefined).on('data', (bytes: Buffer) => heard.push(bytes));
      behave(socket);
    });
    cleanup.add(() => server.close());
    const said = (): string => Buffer.concat(heard).toString('latin1');
    return { port: await listen(server), connections: () => connections, heard: said };
  }

  /** Speaks TLS as we do, and is not who is looked for; hears what is said inside. */
  async function startOther(): Promise<Victim> {
    let connections = 0;
    const heard: Buffer[] = [];
    const server = createTlsServer(
      {
        ...tlsOptionsOf(storedIdentity('mallory')),
        ...{ requestCert: true, rejectUnauthorized: false },
      },
      (socket) =>
        socket.on('error', () => undefined).on('data', (bytes: Buffer) => heard.push(bytes)),
    );
    server.on('connection', (socket: Socket) => {
      connections += 1;
      cleanup.add(() => socket.destroy());
    });
    server.on('tlsClientError', () => undefined);
    cleanup.add(() => server.close());
    const said = (): string => Buffer.concat(heard).toString('latin1');
    return { port: await listen(server), connections: () => connections, heard: said };
  }

  /** Every address of every reply becomes that of the victim. */
  function pointAt(value: unknown, port: number): unknown {
    if (Array.isArray(value)) return value.map((item) => pointAt(item, port));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(([name, member]) => [name, pointAt(member, port)]);
    const changed = Object.fromEntries(members) as Reply;
    if ('ip' in changed && 'port' in changed) Object.assign(changed, { ip: '127.0.0.1', port });
    if (Array.isArray(changed['addr'])) changed['addr'] = ['127.0.0.1', port];
    return changed;
  }

  /** A member who is told of `FETCHES` files of alice's, all of them at the victim. */
  async function startBob(victim: Victim): Promise<TestPeer> {
    const team = await startTeam(cleanup);
    const relay = await startRewritingRelay(cleanup, team.record, team.address);
    const alice = await team.join({ settings: { hostname: 'alice' } });
    for (let index = 0; index < FETCHES; index += 1) alice.write(`${index}`, `file ${index}`);
    await alice.peer.publish({
      files: Array.from({ length: FETCHES }, (_, index) => {
        return { path: alice.path(`${index}`), name: `${index}`, folder: alice.folder };
      }),
    });
    relay.rewrite = (reply) => pointAt(reply, victim.port) as Reply;
    const bob = await startPeer(cleanup, { settings: { hostname: 'bob' } });
    const identity = await createIdentity(new Date(systemClock.now()));
    await bob.peer.connect({ invite: team.inviteTo(relay.address), identity });
    return bob;
  }

  const victims: [string, () => Promise<Victim>][] = [
    ['closes', () => startVictim((socket) => socket.end())],
    ['resets', () => startVictim((socket) => socket.resetAndDestroy())],
    ['speaks something else', () => startVictim((socket) => socket.write('220 mail\r\n'))],
    ['answers in HTTP', () => startVictim((socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'))],
    ['speaks TLS as somebody else', startOther],
  ];

  for (const [what, start] of victims)
    it(`has it dialed twice a minute at most, and told nothing, when it ${what}`, async () => {
      const victim = await start();
      const bob = await startBob(victim);
      const fetches = Array.from({ length: FETCHES }, (_, index) =>
        bob.peer.fetch({ name: `${index}`, destination: bob.path(`${index}`), ifExists: 'fail' }),
      );
      const results = await Promise.allSettled(fetches);
      assert.ok(results.every(({ status }) => status === 'rejected'));
      assert.ok(victim.connections() >= 1, 'it was tried');
      assert.ok(victim.connections() <= 2, `${victim.connections()} connections`);
      assert.equal(OURS.test(victim.heard()), false, victim.heard());
    });
});
