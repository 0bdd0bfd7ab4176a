import { strict as assert } from 'node:assert';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/common/clock';
import { createLogger, nullLogger } from '../../src/common/logger';
import { LanSocket } from '../../src/lan/lanSocket';
import { announcedAddresses, neighbourhood, networkAddresses } from '../../src/lan/ownAddresses';
import { encodeReply, readPacket } from '../../src/lan/packets';
import { createIdentity } from '../../src/peer/identity/identity';
import { createSessionRecord } from '../../src/peer/team/sessionRecord';
import {
  ANNOUNCED_SERVICE,
  announcementRecords,
  type Announcement,
  type FoundSession,
} from '../../src/protocol/announcement';
import { deriveTeamKeys } from '../../src/protocol/teamKeys';
import { useCleanup } from '../support/cleanup';
import { newLan, startAnnouncer, startFinder, startNeighbour, type TestLan } from '../support/lan';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startProcess } from '../support/startProcess';
import { startTeam, type TestTeam } from '../support/startTeam';
import { eventually, nextEvent } from '../support/waitFor';

const NOW = new Date();
const PYTHON = process.platform === 'win32' ? 'python' : 'python3';
const MDNS = join(__dirname, '../support/mdns.py');
const HOSTILE = '[x](command:workbench.action.quit) $(error) \u202etxt';

describe('sessions in the network', () => {
  const cleanup = useCleanup();
  let lan: TestLan;

  beforeEach(async () => {
    lan = await newLan();
  });

  const announcementOf = ({ verifier, address, record }: TestTeam): Announcement => ({
    ...{ sessionName: record.name, port: address.port },
    fingerprint: verifier.identity.fingerprint,
  });
  const announce = (team: TestTeam): ReturnType<typeof startAnnouncer> =>
    startAnnouncer(cleanup, lan, announcementOf(team));
  /** What a neighbour answers to whoever asks. */
  const replyTo = (packet: Buffer, announcement: Announcement, label: string): Buffer[] => {
    const question = readPacket(packet);
    if (question?.kind !== 'question') return [];
    const place = { label, addresses: ['127.0.0.1'], ttlS: 10 };
    return [encodeReply(question.id, question.questions, announcementRecords(announcement, place))];
  };
  const namesOf = (sessions: readonly FoundSession[]): string[] =>
    sessions.map(({ sessionName }) => sessionName);

  describe('are found', () => {
    it('by name, certificate and address, and go when their trackers go', async () => {
      const team = await startTeam(cleanup);
      const announcer = announce(team);
      const finder = startFinder(cleanup, lan);
      const found = nextEvent(finder.onDidChangeFoundSessions);
      await finder.watchSessions({ watching: true });
      const { fingerprint } = team.verifier.identity;
      assert.deepEqual(await found, [
        { sessionName: 'Team', fingerprint, addresses: [team.address] },
      ]);
      await announcer.stop();
      await announcer.stop();
      const gone = nextEvent(finder.onDidChangeFoundSessions);
      await finder.watchSessions({ watching: false });
      assert.deepEqual(await gone, []);
      assert.deepEqual(await finder.findSessions(), []);
    });

    it('by those who ask once, and by several at the same time', async () => {
      const [one, two] = [
        await startTeam(cleanup),
        await startTeam(cleanup, { record: await createSessionRecord('Other', NOW) }),
      ];
      for (const team of [one, two]) announce(team);
      const finders = [1, 2, 3].map(() => startFinder(cleanup, lan));
      // A search waits half a second for answers, and a busy machine may take longer to give one.
      await eventually(async () => {
        const found = await Promise.all(finders.map((finder) => finder.findSessions()));
        return found.every((all) => namesOf(all).join() === 'Other,Team') || undefined;
      }, 'all find both');
    });

    it('by another implementation, which hears of their coming and going, too', async () => {
      const listener = startProcess(cleanup, PYTHON, [MDNS, 'listen', `${lan.port}`]);
      await listener.printed(/^listening\n/u);
      const team = await startTeam(cleanup);
      const announcer = announce(team);
      await listener.printed(/"_peershelf\._tcp\.local".*"ttl": 120/u);
      const asking = startProcess(cleanup, PYTHON, [MDNS, 'ask', `${lan.port}`]);
      assert.equal(await asking.exited, 0, asking.stderr());
      const { id, records } = JSON.parse(asking.stdout()) as {
        readonly id: number;
        readonly records: { type: string; name: string; ttl: number; flush: boolean }[];
      };
      assert.equal(id, 4_711);
      const of = (type: string): object => {
        const { name: _, ...rest } = records.findLast((record) => record.type === type) ?? {};
        return rest;
      };
      const label = records.find(({ type }) => type === 'A')?.name ?? '';
      const instance = label.replace(/local$/u, ANNOUNCED_SERVICE);
      const common = { ttl: 10, flush: false };
      assert.deepEqual(of('PTR'), { type: 'PTR', data: instance, ...common });
      assert.deepEqual(of('SRV'), {
        ...{ type: 'SRV', data: label, port: team.address.port, ...common },
      });
      const { fingerprint } = team.verifier.identity;
      assert.deepEqual(of('TXT'), {
        ...{ type: 'TXT', data: ['txtvers=1', `fp=${fingerprint}`, 'name=Team'], ...common },
      });
      assert.deepEqual(of('A'), { type: 'A', data: '127.0.0.1', ...common });
      await announcer.stop();
      await listener.printed(/"_peershelf\._tcp\.local".*"ttl": 0/u);
    });

    it('without a word that is secret', async () => {
      const neighbour = await startNeighbour(cleanup, lan);
      const team = await startTeam(cleanup);
      announce(team);
      const finder = startFinder(cleanup, lan);
      await finder.findSessions();
      const peer = await startPeer(cleanup);
      const invite = team.inviteTo({ host: '127.0.0.1', port: 1 });
      await eventually(() => neighbour.heard.length >= 2 || undefined, 'something is said');
      const said = Buffer.concat(neighbour.heard);
      assert.ok(said.includes(team.verifier.identity.fingerprint));
      const { team: ownTeam } = team.record;
      const keys = deriveTeamKeys(ownTeam);
      const secrets = [...[ownTeam.key, keys.trackerToken, keys.membershipKey, keys.proofKey]].map(
        (key) => key.export(),
      );
      for (const secret of secrets)
        for (const encoding of ['latin1', 'hex', 'base64', 'base64url'] as const)
          assert.equal(said.includes(secret.toString(encoding), undefined, 'latin1'), false);
      for (const text of [
        team.record.team.id,
        team.record.statement.statement.tokenHash,
        invite.slice(-40),
      ])
        assert.equal(said.includes(text), false);
      // The invite is needed all the same: what was found does not let anybody in.
      await rejectsWith(
        'INVITE_NOT_FOUND',
        peer.peer.connect({
          invite: JSON.stringify(team.address),
          identity: await createIdentity(NOW),
        }),
      );
    });
  });

  describe('whose tracker has moved', () => {
    const NOWHERE = { host: '127.0.0.1', port: 1 };

    /** A peer that looks in this network for its tracker. */
    const startMember = async (log: string[] = []): Promise<TestPeer> => {
      const finder = startFinder(cleanup, lan);
      return startPeer(cleanup, {
        log: (_level, _tag, message) => log.push(message),
        dependencies: {
          findTracker: (fingerprint, signal) => finder.findTracker(fingerprint, signal),
        },
      });
    };

    it('are joined there with the old invite', async () => {
      const team = await startTeam(cleanup);
      announce(team);
      const { peer } = await startMember();
      const identity = await createIdentity(NOW);
      await peer.connect({ invite: team.inviteTo(NOWHERE), identity });
      const { connection } = await peer.snapshot();
      assert.ok(connection.kind === 'connected');
      assert.deepEqual(connection.tracker, team.address);
    });

    it('are found again by who was in them, and what was published is offered again', async () => {
      const first = await startTeam(cleanup);
      const member = await startMember();
      const identity = await createIdentity(NOW);
      await member.peer.connect({ invite: first.invite, identity });
      await member.publish('a.txt');
      const isConnected = nextEvent(
        member.peer.onDidChangeConnection,
        (state) => state.kind === 'connected' && state.tracker.port !== first.address.port,
      );
      await first.tracker.stop();
      const second = await startTeam(cleanup, { record: first.record });
      announce(second);
      await isConnected;
      const other = await second.join({ settings: { hostname: 'other' } });
      await eventually(async () => {
        await other.peer.refreshNetwork();
        return (await other.peer.networkFiles({ limit: 9 })).total === 1 || undefined;
      }, 'its file is offered');
    });

    it('are not looked for at another tracker, whoever says that it is theirs', async () => {
      const team = await startTeam(cleanup);
      const other = await startTeam(cleanup, { record: await createSessionRecord('Other', NOW) });
      const lie = { ...announcementOf(team), port: other.address.port };
      startAnnouncer(cleanup, lan, lie);
      const log: string[] = [];
      const { peer } = await startMember(log);
      const identity = await createIdentity(NOW);
      const invite = team.inviteTo(NOWHERE);
      await rejectsWith('TRACKER_UNREACHABLE', peer.connect({ invite, identity }));
      assert.equal(other.tracker.connectionCount, 0);
      assert.ok(
        log.some((line) => line.includes('is another tracker')),
        log.join('\n'),
      );
      // The true one is found beside the lie.
      const connected = nextEvent(peer.onDidChangeConnection, ({ kind }) => kind === 'connected');
      announce(team);
      await connected;
      assert.equal(team.tracker.connectionCount, 1);
    });

    it('are dialed twice a minute at most where they are not', async () => {
      const team = await startTeam(cleanup);
      const other = await startTeam(cleanup, { record: await createSessionRecord('Other', NOW) });
      startAnnouncer(cleanup, lan, { ...announcementOf(team), port: other.address.port });
      const log: string[] = [];
      const { peer } = await startMember(log);
      const identity = await createIdentity(NOW);
      const invite = team.inviteTo(NOWHERE);
      await rejectsWith('TRACKER_UNREACHABLE', peer.connect({ invite, identity }));
      const attempts = (text: string): number => log.filter((line) => line.includes(text)).length;
      await eventually(() => attempts('next attempt in') >= 3 || undefined, 'it tries again');
      assert.equal(attempts('the tracker may be at'), 2);
    });
  });

  describe('where somebody means no good', () => {
    it('are found beside hostile answers, which are text and bounded', async () => {
      announce(await startTeam(cleanup));
      await startNeighbour(cleanup, lan, (packet) => {
        const valid = { fingerprint: 'ab'.repeat(32), port: 1, sessionName: HOSTILE };
        const wrong: Announcement[] = [
          { ...valid, sessionName: 'line\nfeed' },
          { ...valid, sessionName: '\u001b[2J' },
          { ...valid, sessionName: ' ' },
          { ...valid, fingerprint: '$(error)' },
          { ...valid, port: 0 },
        ];
        const flood = Array.from({ length: 60 }, (_, index) => {
          const fingerprint = index.toString(16).padStart(64, '0');
          return { ...valid, fingerprint, sessionName: `flood ${index}` };
        });
        const replies = [...wrong, ...flood, valid].flatMap((one, index) =>
          replyTo(packet, one, `label-${index}`),
        );
        const rubbish = [0, 5, 1_500, 9_000].map((length) => Buffer.alloc(length, 0xc0));
        return [...rubbish, ...replies.map((reply) => reply.subarray(0, -7)), ...replies];
      });
      const sessions = await eventually(async () => {
        const all = await startFinder(cleanup, lan).findSessions();
        return namesOf(all).includes(HOSTILE) ? all : undefined;
      }, 'the hostile one is found');
      const names = namesOf(sessions);
      assert.ok(names.includes('Team'), names.join());
      assert.ok(names.length <= 9, names.join());
      for (const name of names) assert.match(name, /^(?:Team|flood \d+|\[x\].*)$/u);
    });

    it('are announced on, whoever has asked from a port that is none', async () => {
      const neighbour = await startNeighbour(cleanup, lan);
      const socket = new LanSocket(
        { clock: systemClock, logger: nullLogger, onPacket: () => undefined },
        { port: lan.port, addresses: () => lan.addresses, joins: true },
      );
      cleanup.add(() => socket.dispose());
      socket.open();
      const nobody = { address: '127.0.0.1', family: 'IPv4', port: 0, size: 1 } as const;
      await socket.sendTo(nobody, Buffer.from('an answer'));
      await socket.sendToAll(Buffer.from('for everyone'));
      await eventually(() => neighbour.heard.length > 0 || undefined, 'it goes on');
    });

    it('are not made up by who has not heard the question', async () => {
      const finder = startFinder(cleanup, lan);
      const neighbour = await startNeighbour(cleanup, lan);
      const told: unknown[] = [];
      finder.onDidChangeFoundSessions((sessions) => told.push(sessions));
      const stranger = createSocket('udp4');
      cleanup.add(() => stranger.close());
      neighbour.socket.on('message', (packet, from) => {
        const records = announcementRecords(
          { sessionName: 'Lie', fingerprint: 'ab'.repeat(32), port: 1 },
          { label: 'x', addresses: [], ttlS: 10 },
        );
        const question = readPacket(packet);
        const id = question?.kind === 'question' ? question.id : 0;
        for (const other of [0, id + 1, id - 1])
          stranger.send(encodeReply(other & 0xffff, [], records), from.port, from.address);
      });
      assert.deepEqual(await finder.findSessions(), []);
      assert.ok(neighbour.heard.length > 0);
      assert.deepEqual(told, []);
    });
  });

  describe('where multicast is not to be had', () => {
    it('are announced nowhere when the port is taken, and only the log says so', async () => {
      const owner = createSocket({ type: 'udp4', reuseAddr: false });
      cleanup.add(() => owner.close());
      owner.bind(lan.port);
      await once(owner, 'listening');
      const logged: string[] = [];
      const logger = createLogger((level, _tag, message) => logged.push(`${level} ${message}`));
      const team = await startTeam(cleanup);
      const announcer = startAnnouncer(cleanup, lan, announcementOf(team), logger);
      // On Windows, who shares a port gets it even from who does not.
      if (process.platform !== 'win32') {
        await eventually(() => logged.length > 0 || undefined, 'a line in the log');
        assert.equal(logged.length, 1);
        assert.match(logged.join(), /^debug no multicast DNS: .*EADDRINUSE/u);
      }
      await announcer.stop();
      const member = await team.join();
      assert.equal((await member.peer.snapshot()).connection.kind, 'connected');
    });

    it('are looked for nowhere without a network, and nobody waits for it', async () => {
      const finder = startFinder(cleanup, { port: lan.port, addresses: [] });
      const signal = new AbortController().signal;
      assert.deepEqual(await finder.findTracker('ab'.repeat(32), signal), []);
    });

    it('are not found at an address that this computer does not have', async () => {
      const logged: string[] = [];
      const logger = createLogger((level, _tag, message) => logged.push(`${level} ${message}`));
      const nowhere = { port: lan.port, addresses: ['240.0.0.1'] };
      const finder = startFinder(cleanup, nowhere, logger);
      const announcer = startAnnouncer(
        cleanup,
        nowhere,
        { sessionName: 'x', fingerprint: 'ab'.repeat(32), port: 1 },
        logger,
      );
      assert.deepEqual(await finder.findSessions(), []);
      await announcer.stop();
      assert.ok(
        logged.length > 0 && logged.every((line) => line.startsWith('debug ')),
        logged.join(),
      );
    });

    it('ends a search that nobody waits for any more', async () => {
      const finder = startFinder(cleanup, lan);
      const controller = new AbortController();
      const searching = finder.findTracker('ab'.repeat(32), controller.signal);
      controller.abort();
      await rejectsWith('CANCELLED', searching);
    });
  });

  it('are announced in the networks in which their trackers are reached, and to neighbours', () => {
    assert.deepEqual(announcedAddresses('127.0.0.1'), []);
    assert.deepEqual(announcedAddresses('240.0.0.1'), [], 'not an address of this computer');
    assert.deepEqual(announcedAddresses('0.0.0.0'), networkAddresses());
    for (const address of networkAddresses())
      assert.deepEqual(announcedAddresses(address), [address]);
    const neighbours = neighbourhood();
    for (const address of ['127.0.0.1', ...networkAddresses()])
      assert.ok(neighbours.check(address), address);
    assert.equal(neighbours.check('240.0.0.7'), false);
  });
});
