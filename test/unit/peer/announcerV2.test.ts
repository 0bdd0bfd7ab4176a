import { strict as assert } from 'node:assert';
import { PeershelfError } from '../../../src/common/errors';
import { nullLogger } from '../../../src/common/logger';
import { Announcer, type AnnouncementSignatures } from '../../../src/peer/control/announcer';
import { announcementBytes } from '../../../src/peer/control/fileAnnouncement';
import { Heartbeat } from '../../../src/peer/control/heartbeat';
import { type FileAnnouncement, TrackerClient } from '../../../src/peer/control/trackerClient';
import type { EntryRefusal } from '../../../src/protocol/controlRequestsV2';
import { MAX_REGISTER_BYTES } from '../../../src/protocol/limits';
import type { SignedText } from '../../../src/protocol/signedText';
import { FakeClock, flushPromises } from '../../support/fakeClock';
import { rejectsWith } from '../../support/rejectsWith';

interface Entry {
  readonly name: string;
  readonly signed?: SignedText;
}

interface Asked {
  readonly action: string;
  readonly data: {
    readonly hostname?: string;
    readonly files?: Entry[];
    readonly names?: string[];
    readonly withdrawn?: unknown;
    readonly counter?: number;
  };
}

const INTERVALS = { idle: 9_000, active: 5_000, busy: 2_000 };

describe('Announcer in version 2', () => {
  const file = (name: string): FileAnnouncement => ({
    ...{ name, sizeBytes: 1, modifiedMs: 1_000.4, publishedAtMs: 2_000 },
  });

  /** `answer` gives refusals of some names, or the reason for which the whole is refused. */
  const create = async (
    answer: (asked: Asked) => EntryRefusal[] | string = () => [],
    signatures?: AnnouncementSignatures,
  ) => {
    const asked: Asked[] = [];
    const wanted: { files: FileAnnouncement[] } = { files: [] };
    const clock = new FakeClock();
    const client = new TrackerClient({
      request: (action, data) => {
        if (action === 'HELLO')
          return Promise.resolve({ status: 'OK', version: 2, max_publish: 100 });
        const request = { action, data: data as Asked['data'] };
        asked.push(request);
        const refused = answer(request);
        if (typeof refused !== 'string')
          return Promise.resolve({
            ...{ status: action.includes('PUBLISH') ? 'ACK' : 'OK' },
            ...{ heartbeat_ms: INTERVALS, refused },
          });
        const details = { reason: refused };
        return Promise.reject(new PeershelfError('TRACKER_REFUSED', refused, { details }));
      },
    });
    await client.hello();
    const announcer = new Announcer(client, {
      logger: nullLogger,
      files: () => wanted.files,
      identity: () => ({ hostname: 'alice', displayName: 'Alice' }),
      listen: () => Promise.resolve({ port: 6000, ip: '' }),
      instance: { id: 'w1', counter: 7 },
      clock,
      signatures,
    });
    const actions = (): string[] =>
      asked
        .splice(0)
        .map(({ action, data }) => `${action} ${(data.files ?? data.names ?? []).length}`);
    return { announcer, wanted, asked, actions, clock };
  };
  const numbered = (count: number): FileAnnouncement[] =>
    Array.from({ length: count }, (_, index) => file(`${index}`));

  it('says what it has signed of files under its hostname, and of names that it takes back', async () => {
    const signed = (text: string): SignedText => ({ text, signature: 'A'.repeat(86) });
    const { announcer, wanted, asked } = await create(
      ({ action, data }) =>
        action === 'REGISTER' && data.hostname === 'alice' ? 'hostname in use' : [],
      {
        published: (hostname, { name }) => signed(`${hostname} has ${name}`),
        withdrawn: (hostname, name) =>
          name === 'a' ? signed(`${hostname} had ${name}`) : undefined,
      },
    );
    wanted.files = [file('a'), file('b')];
    await announcer.sync();
    const texts = asked.splice(0).map(({ data }) => data.files?.map((entry) => entry.signed?.text));
    assert.deepEqual(texts, [
      ['alice has a', 'alice has b'],
      ['alice-2 has a', 'alice-2 has b'],
    ]);
    wanted.files = [file('c')];
    await announcer.sync();
    const [unpublish, publish] = asked;
    assert.deepEqual(unpublish?.data.withdrawn, [{ name: 'a', ...signed('alice-2 had a') }]);
    assert.equal(publish?.data.files?.[0]?.signed?.text, 'alice-2 has c');
  });

  it('registers with its instance, and says what each file is', async () => {
    const { announcer, wanted, asked } = await create();
    const contentId = { root: 'ab'.repeat(32), sizeBytes: 1 };
    const other = { ...contentId, sizeBytes: 2 };
    wanted.files = [
      { ...file('a'), contentId, version: 3, sequence: 9 },
      { ...file('b'), contentId: other },
    ];
    await announcer.sync();
    const entry = { size: 1, modified: 1_000, published_at: 2_000 };
    assert.deepEqual(asked, [
      {
        action: 'REGISTER',
        data: {
          ...{ hostname: 'alice', display_name: 'Alice', port: 6000 },
          ...{ instance: 'w1', counter: 7 },
          files: [
            { name: 'a', ...entry, root: contentId.root, version: 3, seq: 9 },
            { name: 'b', ...entry, version: 1, seq: 0 },
          ],
        },
      },
    ]);
    assert.deepEqual(announcer.heartbeatIntervals, INTERVALS);
  });

  it('sends many files in a few messages, no larger than the tracker takes', async () => {
    const { announcer, wanted, actions } = await create();
    wanted.files = [file('first')];
    await announcer.sync();
    wanted.files = [...wanted.files, ...numbered(250)];
    await announcer.sync();
    wanted.files = wanted.files.slice(0, 1);
    await announcer.sync();
    assert.deepEqual(actions(), [
      'REGISTER 1',
      ...['PUBLISH 100', 'PUBLISH 100', 'PUBLISH 50'],
      ...['UNPUBLISH 100', 'UNPUBLISH 100', 'UNPUBLISH 50'],
    ]);
  });

  it('keeps REGISTER below its limit, whatever the names', async () => {
    const { announcer, wanted, asked } = await create();
    wanted.files = Array.from({ length: 3_000 }, (_, n) => file(`${n}${'ế"'.repeat(250)}`));
    await announcer.sync();
    assert.ok(asked.length > 2);
    const sent = asked.flatMap(({ data }) => data.files ?? []);
    assert.equal(new Set(sent.map(({ name }) => name)).size, 3_000);
    for (const { data } of asked)
      assert.ok(Buffer.byteLength(JSON.stringify(data)) < MAX_REGISTER_BYTES + 200);
    const [largest] = wanted.files;
    assert.ok(largest && announcementBytes(largest, 2) > 1_000);
  });

  it('keeps the reasons of refused files, and offers the others', async () => {
    const bad = file('bad');
    const refuse = ({ data }: Asked): EntryRefusal[] =>
      (data.files ?? [])
        .filter(({ name }) => name.startsWith('bad'))
        .map(({ name }) => ({ name, reason: 'old sequence' }));
    const { announcer, wanted, actions } = await create(refuse);
    wanted.files = [bad, file('a')];
    await announcer.sync();
    wanted.files = [...wanted.files, file('bad too'), file('b')];
    await announcer.sync();
    await announcer.sync();
    assert.deepEqual(actions(), ['REGISTER 2', 'PUBLISH 2']);
    assert.equal(announcer.refusalOf(bad)?.details['reason'], 'old sequence');
    assert.deepEqual(
      wanted.files.map((entry) => announcer.has(entry)),
      [false, true, false, true],
    );
  });

  it('tries again what was refused as a whole for a while, and keeps no reason', async () => {
    let reason: string | undefined;
    const { announcer, wanted, actions, clock } = await create(({ action }) => {
      if (action === 'REGISTER') reason = undefined;
      return reason ?? [];
    });
    wanted.files = [file('a')];
    await announcer.sync();
    reason = 'too many requests';
    wanted.files = [...wanted.files, file('b')];
    const syncing = announcer.sync();
    await flushPromises();
    reason = 'unknown host';
    clock.advance(1_000);
    await syncing;
    assert.deepEqual(actions(), ['REGISTER 1', 'PUBLISH 1', 'PUBLISH 1', 'REGISTER 2']);
    assert.ok(wanted.files.every((entry) => announcer.has(entry)));
  });

  it('comes to an end with a tracker that says at once that it has forgotten', async () => {
    const { announcer, wanted, actions } = await create(({ data }) =>
      (data.files ?? []).map(({ name }) => ({ name, reason: 'unknown host' })),
    );
    wanted.files = [file('a')];
    await announcer.sync();
    assert.deepEqual(actions(), ['REGISTER 1']);
    assert.equal(announcer.refusalOf(wanted.files[0] ?? assert.fail())?.code, 'TRACKER_REFUSED');
  });

  it('does not look for another name when it was replaced', async () => {
    const { announcer, wanted, actions } = await create(() => 'replaced');
    wanted.files = [file('a')];
    await rejectsWith('REPLACED', announcer.sync());
    assert.deepEqual(actions(), ['REGISTER 1']);
    assert.equal(announcer.hostname, undefined);
  });
});

describe('Heartbeat with the intervals of a tracker', () => {
  it('takes them as soon as they are known', async () => {
    const clock = new FakeClock();
    const pings: number[] = [];
    const told: { intervals: typeof INTERVALS | undefined } = { intervals: undefined };
    const heartbeat = new Heartbeat({
      clock,
      state: () => 'active',
      intervals: () => told.intervals,
      ping: () => {
        pings.push(clock.monotonic());
        return Promise.resolve();
      },
      onError: (error) => assert.fail(String(error)),
    });
    heartbeat.start();
    await clock.advanceSlowly(10_000);
    told.intervals = { ...INTERVALS, active: 15_000 };
    heartbeat.update();
    await clock.advanceSlowly(20_000);
    assert.deepEqual(pings, [15_000, 30_000]);
    heartbeat.dispose();
  });
});
