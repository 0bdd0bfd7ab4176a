import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import {
  type CommandLineUser,
  journaledPieces,
  leftoversFolder,
  leftoversOf,
  readReport,
  sha256,
  startCommand,
  startSharing,
  startUnreapedCommand,
} from '../support/commandLine';
import { KillWorld, type Phase } from '../support/killWorld';
import { Random } from '../support/random';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const MIB = 1024 * 1024;
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

  it(`of publisher, fetcher or both at ${KILLS} random moments never leaves a wrong file, and what was verified is kept`, async function () {
    this.timeout(240_000);
    const seed = Random.newSeed();
    try {
      const { address: tracker } = await startTracker(cleanup);
      const worlds = Array.from({ length: WORLDS }, (_, index) => {
        const random = new Random(seed + index);
        const content = randomBytes(48 * MIB - 12_345);
        return new KillWorld(cleanup, {
          ...{ tracker, content, random },
          path: writeOldFile(content),
          hostname: `publisher-${index}`,
          name: `large-${index}.bin`,
        });
      });
      const killed = (): number => worlds.reduce((sum, { kills }) => sum + kills, 0);
      await Promise.all(
        worlds.map(async (world) => {
          while (killed() < KILLS) await world.round();
          await world.finish();
        }),
      );
      assertVaried(worlds);
    } catch (error) {
      throw new Error(`with PEERSHELF_TEST_SEED=${seed}: ${String(error)}`, { cause: error });
    }
  });

  it('of one of two publishers and then of the fetcher: the same fetch transfers what is missing and says so', async function () {
    this.timeout(60_000);
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

    const killed = startCommand(cleanup, carol, ...command, '--max-download', '40');
    await eventually(() => journaled() >= 32 || undefined, 'half of the pieces');
    first.process.child.kill('SIGKILL');
    await first.process.exited;
    const before = journaled();
    await eventually(() => journaled() >= before + 4 || undefined, 'the other one goes on');
    killed.child.kill('SIGKILL');
    assert.equal(await killed.exited, 'SIGKILL');
    const keptMib = journaled();
    assert.ok(keptMib >= 36 && keptMib < 64, `${keptMib} pieces`);

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

  /** The moments were spread as they should: otherwise the test shows less than it says. */
  function assertVaried(worlds: readonly KillWorld[]): void {
    const sum = (pick: (world: KillWorld) => number): number =>
      worlds.reduce((total, world) => total + pick(world), 0);
    const phase = (name: Phase): number => sum(({ phases }) => phases[name]);
    const told = worlds.map(({ phases, publisherKills, wholeFiles }) =>
      JSON.stringify({ ...phases, publisherKills, wholeFiles }),
    );
    assert.ok(phase('starting') >= 5, told.join());
    assert.ok(phase('growing') >= KILLS / 4, told.join());
    assert.ok(sum(({ publisherKills }) => publisherKills) >= KILLS / 10, told.join());
    assert.ok(sum(({ wholeFiles }) => wholeFiles) >= 2 * WORLDS, told.join());
    for (const { ports, publisherKills } of worlds)
      if (publisherKills > 1) assert.ok(ports.size > 1, 'a publisher comes back on another port');
    if (process.env['PEERSHELF_TEST_TELL'] !== undefined) process.stderr.write(told.join('\n'));
  }
});
