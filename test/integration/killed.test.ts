import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import {
  type CommandLineUser,
  journaledPieces,
  leftoversFolder,
  leftoversOf,
  readReport,
  sha256,
  startCommand,
  startPrepared,
  startSharing,
  startUnreapedCommand,
} from '../support/commandLine';
import { KillWorld } from '../support/killWorld';
import { isLongRun } from '../support/longRuns';
import { Random } from '../support/random';
import { startTracker } from '../support/startTracker';
import { FETCH_STAGES, growing, prepareStops, type StopCall } from '../support/stops';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const MIB = 1024 * 1024;
/** Pieces of the file whose fetch is killed at a stage. */
const STAGED_PIECES = 12;
const STAGED_BYTES = STAGED_PIECES * MIB - 12_345;
/** More than two programs and the system between them can have on the way. */
const LARGE_BYTES = 48 * MIB - 12_345;
const KILLS = 200;
/** Pairs of publisher and fetcher that are killed at the same time: most of a round is waiting. */
const WORLDS = 4;

describe('kill -9', () => {
  const cleanup = useCleanup();

  /** Old enough for its hash to be remembered, so that a publisher is soon back. */
  const writeOldFile = (content: Buffer): string => {
    const path = join(temporaryFolder(cleanup), 'published.bin');
    writeFileSync(path, content);
    utimesSync(path, 1_600_000_000, 1_600_000_000);
    return path;
  };
  const newUser = (): CommandLineUser => ({
    folder: temporaryFolder(cleanup),
    data: temporaryFolder(cleanup),
  });

  const newWorld = (tracker: HostPort, name: string, sizeBytes: number): KillWorld => {
    const content = randomBytes(sizeBytes);
    const hostname = `publisher-of-${name}`;
    return new KillWorld(cleanup, {
      tracker,
      content,
      hostname,
      name,
      path: writeOldFile(content),
    });
  };

  it('of a fetcher at every stage of a fetch leaves what the stage has made, and the next fetch needs nothing else', async function () {
    this.timeout(120_000);
    const { address: tracker } = await startTracker(cleanup);
    const world = newWorld(tracker, 'staged.bin', STAGED_BYTES);
    const known = ['.json', '.part', '.pieces'];
    const stages: [string, StopCall, { left: string[]; pieces?: number }][] = [
      ['before anything is recorded', FETCH_STAGES.starting, { left: [] }],
      ['recorded', FETCH_STAGES.recorded, { left: ['.json'] }],
      ['begun', FETCH_STAGES.begun, { left: ['.json', '.part'] }],
      ['without a piece', growing(0), { left: known, pieces: 0 }],
      ['after three pieces', growing(3), { left: known, pieces: 3 }],
      ['when it has claimed its part', FETCH_STAGES.claimed, { left: known, pieces: 3 }],
      ['after four more pieces', growing(4), { left: known, pieces: 7 }],
      ['with all pieces', FETCH_STAGES.whole, { left: known, pieces: STAGED_PIECES }],
      ['named', FETCH_STAGES.named, { left: [...known, 'file'] }],
      ['without its part', FETCH_STAGES.unlinked, { left: ['.json', '.pieces', 'file'] }],
      ['without its journal', FETCH_STAGES.unjournaled, { left: ['.json', 'file'] }],
      ['half recorded', FETCH_STAGES.halfRecorded, { left: ['.new'] }],
    ];
    for (const [what, stage, { left, pieces = 0 }] of stages) {
      await world.killAt(stage, 'fetcher');
      assert.deepEqual(world.left(), left, what);
      if (left.includes('.part'))
        assert.equal(
          world.journaled().size,
          world.left().includes('file') ? STAGED_PIECES : pieces,
          what,
        );
      if (left.includes('file')) {
        await world.finish();
        world.changeFetcher();
      }
    }
    await world.finish();
    assert.equal(world.kills, stages.length);
  });

  it('of a publisher that comes back, that stays away, or with its fetcher never leaves a wrong file, and what was verified is kept', async function () {
    this.timeout(120_000);
    const { address: tracker } = await startTracker(cleanup);
    const back = newWorld(tracker, 'back.bin', LARGE_BYTES);
    const away = newWorld(tracker, 'away.bin', LARGE_BYTES);
    const both = newWorld(tracker, 'both.bin', STAGED_BYTES);
    const stages = [FETCH_STAGES.recorded, growing(0), growing(2), growing(3)];
    await Promise.all([
      (async () => {
        for (const pieces of [1, 20]) {
          // At another port, where the fetcher finds it.
          assert.equal(await back.killAt(growing(pieces), 'restarted'), 0);
          assert.deepEqual(back.left(), ['file']);
          await back.finish();
          back.changeFetcher();
        }
        assert.equal(await back.killAt(FETCH_STAGES.whole, 'publisher'), 0, 'nobody is needed');
        await back.finish();
        assert.ok(back.ports.size > 1, 'a publisher comes back on another port');
      })(),
      (async () => {
        assert.equal(await away.killAt(growing(5), 'publisher'), 1);
        assert.deepEqual(away.left(), ['.json', '.part', '.pieces']);
        assert.ok(away.journaled().size >= 5, 'those on their way may be noted, too');
        await away.finish();
      })(),
      (async () => {
        for (const stage of stages) await both.killAt(stage, 'both');
        assert.equal(both.journaled().size, 5);
        await both.finish();
      })(),
    ]);
  });

  // Both tests above reach by gates what this one reaches by chance.
  if (isLongRun)
    it(`of publisher, fetcher or both at ${KILLS} random moments never leaves a wrong file, and what was verified is kept`, async function () {
      this.timeout(600_000);
      const seed = Random.newSeed();
      try {
        const { address: tracker } = await startTracker(cleanup);
        const worlds = Array.from({ length: WORLDS }, (_, index) =>
          newWorld(tracker, `large-${index}.bin`, LARGE_BYTES),
        );
        const killed = (): number => worlds.reduce((sum, { kills }) => sum + kills, 0);
        await Promise.all(
          worlds.map(async (world, index) => {
            const random = new Random(seed + index);
            while (killed() < KILLS) await world.round(random);
            await world.finish();
          }),
        );
      } catch (error) {
        throw new Error(`with PEERSHELF_TEST_SEED=${seed}: ${String(error)}`, { cause: error });
      }
    });

  it('of one of two publishers and then of the fetcher: the same fetch transfers what is missing and says so', async function () {
    this.timeout(120_000);
    const { address: tracker } = await startTracker(cleanup);
    const content = randomBytes(64 * MIB);
    const path = writeOldFile(content);
    const [first, second] = await Promise.all(
      ['alice', 'bob'].map((hostname) =>
        startSharing(cleanup, newUser(), {
          ...{ path, tracker, hostname },
          more: ['--name', 'story.bin', '--display-name', hostname],
        }),
      ),
    );
    assert.ok(first && second);
    const carol = newUser();
    const command = ['fetch', 'story.bin', '--tracker', formatHostPort(tracker)];
    const journaled = (): number => journaledPieces(leftoversFolder(carol)).size;
    const [MIN_PIECES, MAX_PIECES] = [24, 60];

    // More pieces behind the first stop than can be on their way from the one that is killed there.
    const stops = prepareStops(cleanup, growing(MIN_PIECES), growing(MAX_PIECES));
    const killed = startPrepared(cleanup, carol, [stops], ...command);
    await stops.reached(0, killed);
    first.process.child.kill('SIGKILL');
    await first.process.exited;
    assert.equal(journaled(), MIN_PIECES);
    stops.release(0);
    await stops.reached(1, killed);
    killed.child.kill('SIGKILL');
    assert.equal(await killed.exited, 'SIGKILL');
    const keptMib = journaled();
    assert.equal(keptMib, MAX_PIECES);

    const again = startCommand(cleanup, carol, ...command);
    assert.equal(await again.exited, 0, again.stderr());
    const [, kept, received] =
      /^fetched story\.bin \(64\.0 MiB\) from \w+: (\S+) MiB were here already, (\S+) MiB transferred\n$/u.exec(
        again.stdout(),
      ) ?? assert.fail(again.stdout());
    assert.equal(Number(kept), keptMib);
    assert.ok(Math.abs(Number(received) - (64 - keptMib)) <= 0.2, again.stdout());
    assert.equal(sha256(readFileSync(join(carol.folder, 'story.bin'))), sha256(content));
    assert.deepEqual(leftoversOf(carol), []);
  });

  it('of a fetcher whose end nobody asks after: the same fetch goes on with its part', async function () {
    if (process.platform !== 'linux') this.skip();
    this.timeout(60_000);
    const { address: tracker } = await startTracker(cleanup);
    const content = randomBytes(16 * MIB);
    const path = writeOldFile(content);
    const more = ['--name', 'story.bin'];
    await startSharing(cleanup, newUser(), { path, tracker, hostname: 'alice', more });
    const carol = newUser();
    const command = ['fetch', 'story.bin', '--json', '--tracker', formatHostPort(tracker)];
    const pid = await startUnreapedCommand(cleanup, carol, ...command, '--max-download', '4');
    const journaled = (): number => journaledPieces(leftoversFolder(carol)).size;
    await eventually(() => journaled() >= 4 || undefined, 'some pieces');
    process.kill(pid, 'SIGKILL');
    const again = startCommand(cleanup, carol, ...command);
    assert.equal(await again.exited, 0, again.stderr());
    assert.ok(readReport(again).keptBytes >= 4 * MIB, again.stdout());
    assert.deepEqual(leftoversOf(carol), []);
  });
});
