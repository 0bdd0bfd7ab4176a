import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/common/clock';
import { mapConcurrently } from '../src/common/concurrency';
import { nullLogger } from '../src/common/logger';
import { dialTls } from '../src/peer/control/dialTls';
import type { FileAnnouncement } from '../src/peer/control/fileAnnouncement';
import { TrackerClient } from '../src/peer/control/trackerClient';
import { TrackerConnection } from '../src/peer/control/trackerConnection';
import { createIdentity, openIdentity } from '../src/peer/identity/identity';
import {
  createSessionRecord,
  inviteOf,
  type SessionRecord,
  verifierOf,
} from '../src/peer/team/sessionRecord';
import { EntrySigner } from '../src/peer/team/entrySigner';
import { TeamMember } from '../src/peer/team/teamMember';
import type { HostPort } from '../src/protocol/address';
import type { OwnIdentity } from '../src/protocol/certificate';
import { type BenchContext, type Benchmark, type Report, timed } from './harness';
import { type ProcessMemory, readMemory } from './processMemory';
import { start } from './servers';

/** All that one tracker takes by default; a process has at most 20,000 descriptors here. */
const PEERS = 10_000;
/** Making one takes milliseconds, so some members have the same user; a tracker allows 16. */
const MEMBERS_PER_IDENTITY = 16;
/** Peers that come at the same time, as when a network is back. */
const AT_ONCE = 50;
const MAX_MEBIBYTES = 500;
const MEBIBYTE = 1024 ** 2;
const TRACKER = join(__dirname, '../dist/tracker.js');
const DEADLINE_MS = 10_000;
/** State of a connection in the system's list. */
const ESTABLISHED = '01';

/** Memory of one tracker with all the members of a team that it takes, each with one file. */
export const trackerTeamBenchmark: Benchmark = { name: 'tracker-team', rounds: 1, run };

/** A tracker process, and the session that it is for. */
interface Session {
  readonly record: SessionRecord;
  readonly address: HostPort;
  readonly pid: number;
}

interface Member {
  readonly hostname: string;
  readonly client: TrackerClient;
  readonly isOpen: () => boolean;
}

async function run(context: BenchContext): Promise<Report> {
  const session = await startSession(context);
  const users = await mapConcurrently(
    [...Array(PEERS / MEMBERS_PER_IDENTITY).keys()],
    1,
    async () => openIdentity(await createIdentity(new Date())),
  );
  const empty = memoryOf(session);
  let members: Member[] = [];
  const seconds = await timed(async () => {
    members = await mapConcurrently([...Array(PEERS).keys()], AT_ONCE, (index) => {
      const user = users[Math.floor(index / MEMBERS_PER_IDENTITY)];
      if (user === undefined) throw new Error('there are fewer users than members need');
      return enter(context, session, { user, hostname: `host-${index}` });
    });
  });
  context.log(`${PEERS} members came in ${seconds.toFixed(1)} s`);
  const alive = await mapConcurrently(members, AT_ONCE, ({ client, hostname }) =>
    client.ping(hostname),
  );
  const full = memoryOf(session);
  return report(
    {
      'open at the peers': members.filter(({ isOpen }) => isOpen()).length,
      'open at the tracker': countEstablished(session.address),
      'registered, as each is told': alive.filter((isAlive) => isAlive).length,
      'registered, in the list of all': (await members[0]?.client.list())?.size ?? 0,
    },
    { empty, full },
  );
}

function report(
  counts: Readonly<Record<string, number>>,
  { empty, full }: { readonly empty: ProcessMemory; readonly full: ProcessMemory },
): Report {
  const mebibytes = {
    'resident without members': empty.resident / MEBIBYTE,
    'resident with all of them': full.resident / MEBIBYTE,
    'peak until then': full.peak / MEBIBYTE,
  };
  const perMember = (full.resident - empty.resident) / PEERS / 1024;
  const peers = PEERS.toLocaleString('en');
  return {
    title: `tracker-team: one tracker process, ${peers} members connected and registered, one file each`,
    references: ['the same process without members'],
    series: [
      ...Object.entries(counts).map(([name, value]) => ({ name, unit: '', values: [value] })),
      ...Object.entries(mebibytes).map(([name, value]) => ({ name, unit: 'MiB', values: [value] })),
      { name: 'for each member', unit: 'KiB', values: [perMember] },
    ],
    goals: [
      ...Object.entries(counts).map(([name, value]) => ({ name, value, atLeast: PEERS })),
      { name: 'peak, MiB', value: full.peak / MEBIBYTE, atMost: MAX_MEBIBYTES },
    ],
  };
}

/** Our tracker as it is shipped, with its default limits. */
async function startSession({ cleanup, folder }: BenchContext): Promise<Session> {
  const record = await createSessionRecord('Bench', new Date());
  const verifier = join(folder, 'verifier.json');
  writeFileSync(verifier, JSON.stringify(verifierOf(record)), { mode: 0o600 });
  const options = ['--verifier-file', verifier, '--port', '0', '--json'];
  const [ready = ''] = await start(cleanup, process.execPath, [TRACKER, ...options], {
    ready: /^\{.*\}$/u,
  });
  const { host, port, pid } = JSON.parse(ready) as HostPort & { readonly pid: number };
  return { record, address: { host, port }, pid };
}

/** Comes as a peer does, and stays connected until the end of the run. */
async function enter(
  { cleanup }: BenchContext,
  { record, address }: Session,
  { user, hostname }: { readonly user: OwnIdentity; readonly hostname: string },
): Promise<Member> {
  const invite = inviteOf(record, [address]);
  const dialing = {
    options: address,
    unreachable: 'TRACKER_UNREACHABLE',
    deadlineMs: DEADLINE_MS,
    clock: systemClock,
  } as const;
  const socket = await dialTls(dialing, invite.fingerprint);
  cleanup.add(() => socket.destroy());
  const connection = new TrackerConnection(socket, { clock: systemClock, logger: nullLogger });
  const client = new TrackerClient(connection);
  const member = new TeamMember(invite, user, systemClock);
  await client.hello(member.token());
  const claim = { hostname, displayName: hostname, instance: hostname };
  const file = fileOf(hostname);
  const signed = new EntrySigner(member, systemClock).published(hostname, file);
  await client.register({
    ...claim,
    port: 6_000,
    ip: '',
    instance: { id: hostname, counter: 1 },
    files: [{ ...file, signed }],
    credentials: member.credentials(claim, connection.exporter ?? Buffer.alloc(0)),
  });
  return { hostname, client, isOpen: () => !socket.destroyed };
}

function fileOf(hostname: string): FileAnnouncement {
  const sizeBytes = 12_345;
  const contentId = { root: createHash('sha256').update(hostname).digest('hex'), sizeBytes };
  const nowMs = Date.now();
  const name = `notes of ${hostname}.txt`;
  return { name, sizeBytes, modifiedMs: nowMs, publishedAtMs: nowMs, contentId };
}

function memoryOf({ pid }: Session): ProcessMemory {
  const memory = readMemory(pid);
  if (memory === undefined) throw new Error('the tracker has ended');
  return memory;
}

/** Connections that were accepted there, in the system's own list. */
function countEstablished({ port }: HostPort): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n');
  return lines.filter((line) => {
    const [, address, , state] = line.trim().split(/\s+/u);
    return address?.endsWith(local) === true && state === ESTABLISHED;
  }).length;
}
