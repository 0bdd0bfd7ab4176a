import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lease, type LeaseEnd, type LeaseReading, readLeaseFile } from '../../../src/tracker/lease';
import { FakeClock, flushPromises } from '../../support/fakeClock';

describe('Lease', () => {
  let clock: FakeClock;
  let reading: LeaseReading | undefined;
  let ends: LeaseEnd[];
  let lease: Lease;

  beforeEach(async () => {
    clock = new FakeClock();
    reading = { mark: 'first', wantsStop: false };
    ends = [];
    lease = new Lease({
      clock,
      read: () => Promise.resolve(reading),
      leaseMs: 60_000,
      onEnd: (reason) => ends.push(reason),
    });
    lease.start();
    await flushPromises();
  });

  const renew = (): void => {
    reading = { mark: `renewed at ${clock.now()}`, wantsStop: false };
  };

  it('lasts as long as it is renewed', async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      await clock.advanceSlowly(15_000);
      renew();
    }
    assert.deepEqual(ends, []);
  });

  it('ends once, when nobody renews it', async () => {
    await clock.advanceSlowly(59_000);
    assert.deepEqual(ends, []);
    await clock.advanceSlowly(1_000);
    assert.deepEqual(ends, ['expired']);
    assert.equal(clock.pending, 0);
  });

  it('counts from the last renewal', async () => {
    await clock.advanceSlowly(59_000);
    renew();
    await clock.advanceSlowly(60_000);
    assert.deepEqual(ends, []);
    await clock.advanceSlowly(1_000);
    assert.deepEqual(ends, ['expired']);
  });

  it('survives a night of sleep', async () => {
    await clock.advanceSlowly(30_000);
    clock.sleep(8 * 3_600_000);
    await flushPromises();
    await clock.advanceSlowly(15_000);
    assert.deepEqual(ends, []);
    renew();
    await clock.advanceSlowly(50_000);
    assert.deepEqual(ends, []);
  });

  it('ends also on a computer that sleeps all the time', async () => {
    for (let turn = 0; turn < 12; turn += 1) {
      clock.sleep(600_000);
      await flushPromises();
    }
    assert.deepEqual(ends, ['expired']);
  });

  it('ends within a second when its holder says stop', async () => {
    reading = { mark: 'first', wantsStop: true };
    await clock.advanceSlowly(1_000);
    assert.deepEqual(ends, ['stop']);
  });

  it('takes a lease that cannot be read for not renewed', async () => {
    reading = undefined;
    await clock.advanceSlowly(30_000);
    reading = { mark: 'first', wantsStop: false };
    await clock.advanceSlowly(29_000);
    assert.deepEqual(ends, []);
    await clock.advanceSlowly(1_000);
    assert.deepEqual(ends, ['expired']);
  });

  it('says nothing after it was disposed, also while it reads', async () => {
    reading = { mark: 'first', wantsStop: true };
    clock.advance(1_000);
    lease.dispose();
    await flushPromises();
    assert.deepEqual(ends, []);
    assert.equal(clock.pending, 0);
  });
});

describe('a lease file', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'peershelf-lease-'));
    file = join(folder, 'lease');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('cannot be read before it is there', async () => {
    assert.equal(await readLeaseFile(file), undefined);
  });

  it('is renewed by its time and by its content', async () => {
    writeFileSync(file, '1');
    utimesSync(file, 1_000, 1_000);
    const first = await readLeaseFile(file);
    assert.deepEqual(await readLeaseFile(file), first);
    utimesSync(file, 1_000, 1_001);
    const touched = await readLeaseFile(file);
    assert.notEqual(touched?.mark, first?.mark);
    writeFileSync(file, '2');
    utimesSync(file, 1_000, 1_001);
    assert.notEqual((await readLeaseFile(file))?.mark, touched?.mark);
  });

  it('ends by the word stop', async () => {
    for (const [text, wantsStop] of [
      ['stop', true],
      ['stop\n', true],
      ['17 stop', true],
      ['stopwatch', false],
      ['', false],
    ] as const) {
      writeFileSync(file, text);
      assert.equal((await readLeaseFile(file))?.wantsStop, wantsStop, text);
    }
  });
});
