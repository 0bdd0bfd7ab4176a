import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/common/errors';
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
} from '../support/commandLine';
import { canMakeDisk, folderOnDisk, memoryDisk } from '../support/smallDisk';
import { growing, prepareStops } from '../support/stops';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';

const MIB = 1024 * 1024;
const DISK_MIB = 20;

const WHAT = 'a disk that fills up';
const smallDisk = memoryDisk(DISK_MIB);
const onSmallDisk = canMakeDisk(WHAT, smallDisk) ? describe : (): void => undefined;

onSmallDisk(WHAT, () => {
  const cleanup = useCleanup();
  const content = randomBytes(16 * MIB - 99);
  let tracker: HostPort;
  let disk: string;

  beforeEach(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    disk = folderOnDisk(cleanup, smallDisk);
  });

  const share = async (bytes: Buffer): Promise<void> => {
    const alice = { folder: temporaryFolder(cleanup), data: temporaryFolder(cleanup) };
    const path = join(alice.folder, 'large');
    writeFileSync(path, bytes);
    await startSharing(cleanup, alice, { path, tracker, hostname: 'alice' });
  };
  const command = (): string[] => [
    'fetch',
    'large',
    '--tracker',
    formatHostPort(tracker),
    '--json',
  ];
  const fetch = (bob: CommandLineUser): ReturnType<typeof startCommand> =>
    startCommand(cleanup, bob, ...command());

  /** Takes all that is left of the disk; returns what gives it back. */
  function fill(): () => void {
    const path = join(disk, 'filler');
    const file = openSync(path, 'w');
    try {
      for (const block of [MIB, 4096])
        try {
          for (;;) writeSync(file, Buffer.alloc(block));
        } catch (error) {
          if (systemCode(error) !== 'ENOSPC') throw error;
        }
    } finally {
      closeSync(file);
    }
    return () => rmSync(path);
  }

  it('in the middle of a fetch: said with the next step, kept, and gone on with when there is room', async () => {
    await share(content);
    const bob = { folder: join(disk, 'into'), data: temporaryFolder(cleanup) };
    mkdirSync(bob.folder);
    const destination = join(bob.folder, 'large');
    const journaled = (): number => journaledPieces(leftoversFolder(bob)).size;

    const stops = prepareStops(cleanup, growing(4));
    const failing = startPrepared(cleanup, bob, [stops], ...command());
    await stops.reached(0, failing);
    const makeRoom = fill();
    stops.release(0);
    assert.equal(await failing.exited, 1);
    assert.match(failing.stderr(), /^peershelf: There is not enough space at .*\. Make room, or/u);
    assert.equal(existsSync(destination), false);
    const kept = journaled();
    assert.ok(kept >= 4 && kept < 16, `${kept} pieces`);

    // Still full: the same again, and nothing is lost by it.
    const again = fetch(bob);
    assert.equal(await again.exited, 1);
    assert.match(again.stderr(), /not enough space/u);
    assert.ok(journaled() >= kept && !existsSync(destination));

    makeRoom();
    const last = fetch(bob);
    assert.equal(await last.exited, 0, last.stderr());
    const { keptBytes, receivedBytes } = readReport(last);
    assert.ok(keptBytes >= kept * MIB);
    assert.ok(receivedBytes < content.length - keptBytes + MIB / 10);
    assert.equal(sha256(readFileSync(destination)), sha256(content));
    assert.deepEqual([leftoversOf(bob), readdirSync(bob.folder)], [[], ['large']]);
  });

  it('is not begun with when the file cannot fit', async () => {
    await share(randomBytes((DISK_MIB + 1) * MIB));
    const bob = { folder: join(disk, 'into'), data: temporaryFolder(cleanup) };
    mkdirSync(bob.folder);
    const failing = fetch(bob);
    assert.equal(await failing.exited, 1);
    assert.match(failing.stderr(), /not enough space .* Make room/u);
    assert.deepEqual([leftoversOf(bob), readdirSync(bob.folder)], [[], []]);
  });

  it('under the records of downloads is said as well', async () => {
    await share(content);
    const data = join(disk, 'data');
    const bob = { folder: temporaryFolder(cleanup), data };
    const makeRoom = fill();
    const failing = fetch(bob);
    assert.equal(await failing.exited, 1);
    assert.match(failing.stderr(), /not enough space/u);
    assert.deepEqual(readdirSync(bob.folder), []);
    makeRoom();
    const last = fetch(bob);
    assert.equal(await last.exited, 0, last.stderr());
    assert.equal(sha256(readFileSync(join(bob.folder, 'large'))), sha256(content));
    assert.deepEqual([leftoversOf(bob), readdirSync(bob.folder)], [[], ['large']]);
  });

  it('under the journal, before the first piece is noted, is said as well', async () => {
    await share(content);
    const bob = { folder: temporaryFolder(cleanup), data: join(disk, 'data') };
    const records = leftoversFolder(bob);
    const stops = prepareStops(cleanup, growing(0));
    const failing = startPrepared(cleanup, bob, [stops], ...command());
    await stops.reached(0, failing);
    fill();
    stops.release(0);
    assert.equal(await failing.exited, 1);
    assert.equal(journaledPieces(records).size, 0);
    assert.match(failing.stderr(), /not enough space at .*leftovers/u);
    assert.deepEqual(readdirSync(bob.folder), []);
  });
});
