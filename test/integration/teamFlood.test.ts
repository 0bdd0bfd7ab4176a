import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { systemClock } from '../../src/common/clock';
import { createIdentity } from '../../src/peer/identity/identity';
import { createSessionRecord, inviteOf, verifierOf } from '../../src/peer/team/sessionRecord';
import { type HostPort, parseHostPort } from '../../src/protocol/address';
import { anonymousTlsOptions } from '../../src/protocol/certificate';
import { formatInvite } from '../../src/protocol/invite';
import { useCleanup } from '../support/cleanup';
import { watch } from '../support/fakeClock';
import { isLongRun } from '../support/longRuns';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startProcess } from '../support/startProcess';
import { startTeam } from '../support/startTeam';
import { temporaryFolder } from '../support/temporaryFolder';

const TRACKER = join(__dirname, '../../dist/tracker.js');
/**
 * Silent ones that finish the handshake of TLS first: each costs both ends a signature. Always more
 * than a tracker keeps, so that it has to drop some.
 */
const SECURED = isLongRun ? 10_000 : 1_500;
/** As many again for every ten of them, that say nothing at all. */
const PLAIN = SECURED / 10;
/** Opened at the same time. */
const AT_ONCE = 200;
/** As long as not enough members have come: both ends of everything share this machine. */
const AT_ONCE_LATER = 10;
/** More than a tracker with as many silent connections as it keeps takes. */
const MAX_GROWTH_BYTES = 200 * 1024 * 1024;
/** Members that come while the flood lasts, and the most that half of them may wait in a long run. */
const MEMBERS = 3;
const JOIN_MS = 1_000;
/** Who guess at the same time, all from one address. */
const PUPILS = 32;
/** Members that come meanwhile. */
const GUESSED_BESIDE = isLongRun ? 20 : 6;

describe('a flood of connections', function () {
  this.timeout(240_000);
  const cleanup = useCleanup();

  /** Runs `task` for each number from 0 on until it is enough, some at a time. */
  async function forEach(
    isEnough: (index: number) => boolean,
    task: (index: number) => Promise<void>,
  ): Promise<void> {
    let next = 0;
    const work = async (_: unknown, worker: number): Promise<void> => {
      while (!isEnough(next) && (next < SECURED + PLAIN || worker < AT_ONCE_LATER))
        await task(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** A connection that says nothing more; resolves when it is open, or was refused. */
  function openSilent({ host, port }: HostPort, isSecured: boolean): Promise<Socket> {
    const socket = isSecured
      ? connectTls({ ...anonymousTlsOptions(), host, port, rejectUnauthorized: false })
      : connect({ host, port });
    return new Promise((resolve) => {
      const settle = (): void => resolve(socket);
      socket.on('error', settle).on('close', settle);
      socket.once(isSecured ? 'secureConnect' : 'connect', settle);
    });
  }

  const joinAs = async (invite: string, hostname: string): Promise<[TestPeer, number]> => {
    const member = await startPeer(cleanup, { settings: { hostname } });
    const identity = await createIdentity(new Date(systemClock.now()));
    const startMs = performance.now();
    await member.peer.connect({ invite, identity });
    return [member, performance.now() - startMs];
  };

  it(`of ${SECURED} silent ones leaves the tracker of a team small, and lets members in meanwhile`, async () => {
    const record = await createSessionRecord('Team', new Date(systemClock.now()));
    const verifierFile = join(temporaryFolder(cleanup), 'verifier.json');
    writeFileSync(verifierFile, JSON.stringify(verifierOf(record)));
    const tracker = startProcess(cleanup, process.execPath, [
      ...[TRACKER, '--port', '0', '--verifier-file', verifierFile],
    ]);
    const [, text = ''] = await tracker.printed(/listening on (\S+)\n/u);
    const address = parseHostPort(text);
    const invite = formatInvite(inviteOf(record, [address]));
    const [alice] = await joinAs(invite, 'alice');
    await alice.publish('a', 'for members');
    const before = residentBytes(tracker.child.pid);
    const sockets = new Set<Socket>();
    cleanup.add(() => sockets.forEach((socket) => socket.destroy()));
    const joinedMs: number[] = [];
    const flooding = { isOver: false };
    const members = watch(
      (async (): Promise<void> => {
        for (let index = 0; !flooding.isOver; index += 1) {
          const [member, tookMs] = await joinAs(invite, `bob-${index}`);
          joinedMs.push(tookMs);
          await member.peer.refreshNetwork();
          assert.equal((await member.peer.networkFiles({ limit: 9 })).files[0]?.name, 'a');
          await member.peer.stop();
        }
      })(),
    );
    const startMs = performance.now();
    let [attempted, secured] = [0, 0];
    // The flood lasts until enough members have come in spite of it.
    const isEnough = (index: number): boolean =>
      members.isSettled() || (index >= SECURED + PLAIN && joinedMs.length >= MEMBERS);
    await forEach(isEnough, async (index) => {
      const isSecured = index % ((SECURED + PLAIN) / PLAIN) !== 0;
      if (isSecured) attempted += 1;
      const socket = await openSilent(address, isSecured);
      if (socket instanceof TLSSocket && socket.getPeerX509Certificate() !== undefined)
        secured += 1;
      sockets.add(socket);
    });
    const tookMs = performance.now() - startMs;
    flooding.isOver = true;
    await members.promise;
    const grownBytes = residentBytes(tracker.child.pid) - before;
    const open = [...sockets].filter((socket) => !socket.destroyed).length;
    joinedMs.sort((a, b) => a - b);
    const medianMs = joinedMs[Math.floor(joinedMs.length / 2)] ?? Infinity;
    const facts = `${secured} handshakes in ${tookMs.toFixed(0)} ms, ${open} open, joined in ${medianMs.toFixed(0)} ms, ${joinedMs.at(-1)?.toFixed(0)} at most, ${grownBytes / 1024 ** 2} MiB`;
    assert.ok(attempted >= SECURED, facts);
    assert.equal(secured, attempted, facts);
    if (isLongRun) assert.ok(medianMs < JOIN_MS, facts);
    assert.ok(grownBytes < MAX_GROWTH_BYTES, facts);
    if (process.env['PEERSHELF_TEST_FACTS'] !== undefined) console.log(`      ${facts}`);
  });

  it('of failed attempts locks out nobody who shares their address, at tracker or peer', async () => {
    const team = await startTeam(cleanup);
    const alice = await team.join({ settings: { hostname: 'alice' } });
    await alice.publish('a', 'for members');
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving !== undefined);
    let attempts = 0;
    const flooding = { isOver: false };
    const sockets = new Set<Socket>();
    cleanup.add(() => sockets.forEach((socket) => socket.destroy()));
    /** Says what a stranger would, and waits for the refusal. */
    const attempt = async (address: HostPort, words: string): Promise<void> => {
      const socket = await openSilent(address, true);
      sockets.add(socket);
      if (!socket.destroyed) socket.end(words);
      await new Promise((resolve) => socket.once('close', resolve).resume());
      sockets.delete(socket);
      attempts += 1;
    };
    const guess = JSON.stringify({ action: 'HELLO', data: { versions: [2], token: 'x' } });
    const flood = Array.from({ length: PUPILS }, async (_, index) => {
      while (!flooding.isOver)
        if (index % 2 === 0) await attempt(team.address, `${guess}\n`);
        else await attempt(serving, `GET /v2/entries/a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    });
    for (let index = 0; index < GUESSED_BESIDE || attempts < 500; index += 1) {
      const [bob] = await joinAs(team.invite, `bob-${index}`);
      const destination = bob.path('a');
      await bob.peer.fetch({ name: 'a', destination, ifExists: 'fail' });
      await bob.peer.stop();
    }
    flooding.isOver = true;
    await Promise.all(flood);
  });
});

/** Of a process, where the system says so; elsewhere nothing is measured. */
function residentBytes(pid: number | undefined): number {
  if (process.platform !== 'linux') return 0;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
}
