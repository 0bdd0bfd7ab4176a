import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../src/common/clock';
import { createIdentity, type StoredIdentity } from '../../src/peer/identity/identity';
import { createSessionRecord, inviteOf, verifierOf } from '../../src/peer/team/sessionRecord';
import { parseHostPort } from '../../src/protocol/address';
import { anonymousTlsOptions } from '../../src/protocol/certificate';
import { formatInvite } from '../../src/protocol/invite';
import { MAX_PENDING_CONNECTIONS, MAX_REFUSALS } from '../../src/tracker/limits';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { hurried } from '../support/hurry';
import { isLongRun } from '../support/longRuns';
import { startPeer } from '../support/startPeer';
import { startProcess } from '../support/startProcess';
import { newMember, newProofKey, startTeamServer } from '../support/team';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const TRACKER = join(__dirname, '../../dist/tracker.js');
/** Local addresses of one listener, which one source port reaches at the same time. */
const FIRST = '127.0.0.1';
const SECOND = '127.0.0.2';
/** Places of members: few, so that the attack needs few connections. */
const MEMBER_PLACES = 5;
/** The two connections of each pair are more together than such a tracker takes at all. */
const PAIRS = isLongRun
  ? 5_000
  : Math.ceil((MEMBER_PLACES + MAX_REFUSALS + MAX_PENDING_CONNECTIONS) / 2) + 150;
/** Pairs opened between two looks whether a member gets in. */
const PAIRS_AT_ONCE = 100;
/** The ten seconds for a token pass in half a second. */
const HURRY = 20;

describe('connections of one source port to two addresses', function () {
  this.timeout(120_000);
  const cleanup = useCleanup();

  it('keep no member out of a tracker, and end at their deadline', async () => {
    const { child, port, invite } = await startTeamTracker(1);
    const bob = await newUser();
    const attackers = new Set<Socket>();
    for (let opened = 0; opened < PAIRS; opened += PAIRS_AT_ONCE) {
      await openPairs(port, PAIRS_AT_ONCE, attackers);
      await joins(invite, bob);
    }
    assert.equal(child.exitCode, null);
  });

  it('end at the deadline for their token', async () => {
    const { port } = await startTeamTracker(HURRY);
    const attackers = new Set<Socket>();
    await openPairs(port, 40, attackers);
    assert.ok(attackers.size > 0);
    await eventually(
      () => [...attackers].every((socket) => socket.destroyed) || undefined,
      'the end of all of them',
    );
  });

  it('end at the deadline for their token also after a handshake', async () => {
    const { port } = await startTeamTracker(HURRY);
    const attackers = new Set<Socket>();
    // The second handshake took the entry of the first one, and its end took the deadline with it.
    await openPairs(port, 10, attackers, { isSecured: true, endsSecond: true });
    await eventually(
      () => [...attackers].every((socket) => socket.destroyed) || undefined,
      'the end of all of them',
    );
  });

  it('keep their deadline at the port of a peer', async () => {
    const clock = new FakeClock();
    const alice = await newMember(newProofKey());
    const server = await startTeamServer(cleanup, alice, { clock, host: '::' });
    const attackers = new Set<Socket>();
    await openPairs(server.port, 10, attackers, { isSecured: false, endsSecond: false });
    // Half of each pair finishes its handshake: that must not count for the other half.
    const silent = [...attackers].filter((_, index) => index % 2 === 1);
    const shaken = [...attackers].filter((_, index) => index % 2 === 0);
    await Promise.all(shaken.map((socket) => shakeHands(socket)));
    clock.advance(10_000);
    await eventually(
      () => silent.every((socket) => socket.destroyed) || undefined,
      'the end of those without a handshake',
    );
    await eventually(
      () => shaken.every((socket) => socket.destroyed) || undefined,
      'the end of those without a request',
    );
  });

  async function startTeamTracker(
    hurry: number,
  ): Promise<{ child: ReturnType<typeof startProcess>['child']; port: number; invite: string }> {
    const record = await createSessionRecord('Team', new Date(systemClock.now()));
    const verifierFile = join(temporaryFolder(cleanup), 'verifier.json');
    writeFileSync(verifierFile, JSON.stringify(verifierOf(record)));
    const { nodeOptions, env } = hurried(hurry);
    const tracker = startProcess(
      cleanup,
      process.execPath,
      [
        ...nodeOptions,
        ...[TRACKER, '--host', '0.0.0.0', '--port', '0', '--no-announce'],
        ...['--verifier-file', verifierFile, '--max-connections', `${MEMBER_PLACES}`],
      ],
      { env },
    );
    const [, text = ''] = await tracker.printed(/listening on (\S+)\n/u);
    const { port } = parseHostPort(text);
    return {
      child: tracker.child,
      port,
      invite: formatInvite(inviteOf(record, [{ host: FIRST, port }])),
    };
  }

  interface User {
    readonly identity: StoredIdentity;
    readonly storageFolder: string;
  }

  async function newUser(): Promise<User> {
    return {
      identity: await createIdentity(new Date(systemClock.now())),
      storageFolder: temporaryFolder(cleanup),
    };
  }

  /** Resolves when a member has joined and left again. */
  async function joins(invite: string, { identity, storageFolder }: User): Promise<void> {
    const { peer } = await startPeer(cleanup, { settings: { hostname: 'bob' }, storageFolder });
    await peer.connect({ invite, identity });
    await peer.stop();
  }

  /** Connections from one source port to both addresses, each pair from a port of its own. */
  async function openPairs(
    port: number,
    count: number,
    into: Set<Socket>,
    { isSecured = false, endsSecond = false } = {},
  ): Promise<void> {
    const openPair = async (): Promise<void> => {
      const first = await open({ host: FIRST, port, localAddress: FIRST });
      const { localPort } = first;
      into.add(first);
      if (isSecured) await shakeHands(first);
      if (localPort === undefined) return;
      const second = await open({ host: SECOND, port, localAddress: FIRST, localPort });
      if (isSecured) await shakeHands(second);
      if (endsSecond) second.destroy();
      else into.add(second);
    };
    await Promise.all(Array.from({ length: count }, openPair));
  }

  /** Resolves when the connection is open, or was refused. */
  function open(target: TcpNetConnectOpts): Promise<Socket> {
    const socket = connect(target);
    cleanup.add(() => socket.destroy());
    socket.resume();
    return new Promise((resolve) => {
      socket.on('error', () => resolve(socket)).on('close', () => resolve(socket));
      socket.once('connect', () => resolve(socket));
    });
  }

  /** Resolves when the handshake has ended, whatever came of it. */
  function shakeHands(socket: Socket): Promise<void> {
    const secured = connectTls({ ...anonymousTlsOptions(), socket, rejectUnauthorized: false });
    cleanup.add(() => secured.destroy());
    return new Promise((resolve) => {
      secured.on('error', () => resolve()).on('close', () => socket.destroy());
      secured.once('secureConnect', () => resolve());
    });
  }
});
