import { readFileSync } from 'node:fs';
import { mapConcurrently } from '../src/common/concurrency';
import { createIdentity, openIdentity } from '../src/peer/identity/identity';
import type { HostPort } from '../src/protocol/address';
import { type BenchContext, type Benchmark, type Report, timed } from './harness';
import { type ProcessMemory, readMemory } from './processMemory';
import {
  announcement,
  enter,
  type Member,
  startTeamTracker,
  type TeamTracker,
} from './teamMembers';

/** All that one tracker takes by default; a process has at most 20,000 descriptors here. */
const PEERS = 10_000;
/** Making one takes milliseconds, so some members have the same user; a tracker allows 16. */
const MEMBERS_PER_IDENTITY = 16;
/** Peers that come at the same time, as when a network is back. */
const AT_ONCE = 50;
const MAX_MEBIBYTES = 500;
const MEBIBYTE = 1024 ** 2;
/** State of a connection in the system's list. */
const ESTABLISHED = '01';

/** Memory of one tracker with all the members of a team that it takes, each with one file. */
export const trackerTeamBenchmark: Benchmark = { name: 'tracker-team', rounds: 1, run };

async function run(context: BenchContext): Promise<Report> {
  const session = await startTeamTracker(context);
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
      const hostname = `host-${index}`;
      return enter(context, session, { user, hostname }, [
        announcement(`notes of ${hostname}.txt`),
      ]);
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

function memoryOf({ pid }: TeamTracker): ProcessMemory {
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
