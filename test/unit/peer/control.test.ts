import { strict as assert } from 'node:assert';
import { deferred } from '../../../src/common/deferred';
import { PeershelfError } from '../../../src/common/errors';
import { nullLogger } from '../../../src/common/logger';
import { Announcer, type AnnouncerDependencies } from '../../../src/peer/control/announcer';
import {
  Heartbeat,
  heartbeatState,
  type HeartbeatState,
} from '../../../src/peer/control/heartbeat';
import { reconnectDelayMs } from '../../../src/peer/control/reconnectPolicy';
import { type FileAnnouncement, TrackerClient } from '../../../src/peer/control/trackerClient';
import { parseControlRequest } from '../../../src/protocol/controlRequests';
import type { ControlActionV2 } from '../../../src/protocol/controlRequestsV2';
import { HEARTBEAT_INTERVALS_MS, MAX_REGISTER_BYTES } from '../../../src/protocol/limits';
import { FakeClock, flushPromises } from '../../support/fakeClock';
import { rejectsWith } from '../../support/rejectsWith';

describe('reconnectDelayMs', () => {
  it('doubles, is capped, and spreads over the upper half', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((attempt) => reconnectDelayMs(attempt, 1)),
      [500, 1000, 2000, 4000],
    );
    assert.equal(reconnectDelayMs(0, 0), 250);
    for (const attempt of [6, 20, 1_000_000]) assert.equal(reconnectDelayMs(attempt, 1), 30_000);
  });
});

describe('heartbeatState', () => {
  it('is busy during transfers, active after activity, idle after five minutes without', () => {
    assert.equal(heartbeatState(1, 1e9), 'busy');
    assert.equal(heartbeatState(0, 299_999), 'active');
    assert.equal(heartbeatState(0, 300_000), 'idle');
  });
});

describe('Heartbeat', () => {
  const create = (ping?: (state: HeartbeatState) => Promise<void>) => {
    const clock = new FakeClock();
    const pings: [number, HeartbeatState][] = [];
    const errors: unknown[] = [];
    const peer: { state: HeartbeatState } = { state: 'active' };
    const heartbeat = new Heartbeat({
      clock,
      state: () => peer.state,
      ping: (state) => {
        pings.push([clock.monotonic(), state]);
        return ping?.(state) ?? Promise.resolve();
      },
      onError: (error) => errors.push(error),
    });
    return { clock, pings, errors, peer, heartbeat };
  };
  const { idle, active, busy } = HEARTBEAT_INTERVALS_MS;

  it('pings by the interval of the state, which it sends', async () => {
    const { clock, pings, peer, heartbeat } = create();
    heartbeat.start();
    heartbeat.start();
    await clock.advanceSlowly(active);
    peer.state = 'idle';
    await clock.advanceSlowly(active + idle, 30_000);
    assert.deepEqual(pings, [
      [active, 'active'],
      [2 * active, 'idle'],
      [2 * active + idle, 'idle'],
    ]);
    heartbeat.dispose();
    assert.equal(clock.pending, 0);
  });

  it('pings sooner when the peer becomes busy', async () => {
    const { clock, pings, peer, heartbeat } = create();
    peer.state = 'idle';
    heartbeat.start();
    await clock.advanceSlowly(10_000);
    peer.state = 'busy';
    heartbeat.update();
    await clock.advanceSlowly(busy - 10_000);
    assert.deepEqual(pings, [[busy, 'busy']]);
  });

  it('never starts a ping while another one runs', async () => {
    const answer = deferred<undefined>();
    const { clock, pings, heartbeat } = create(() => answer.promise);
    heartbeat.start();
    await clock.advanceSlowly(10 * active, active);
    heartbeat.update();
    assert.equal(pings.length, 1);
    answer.resolve(undefined);
    await clock.advanceSlowly(active);
    assert.equal(pings.length, 2);
  });

  it('goes on after a failure, and stops for good when disposed during a ping', async () => {
    const failing = create(() => Promise.reject(new PeershelfError('TIMED_OUT', 'late')));
    failing.heartbeat.start();
    await failing.clock.advanceSlowly(2 * active, active);
    assert.deepEqual([failing.pings.length, failing.errors.length], [2, 2]);

    const answer = deferred<undefined>();
    const stopped = create(() => answer.promise);
    stopped.heartbeat.start();
    await stopped.clock.advanceSlowly(active, active);
    stopped.heartbeat.dispose();
    answer.resolve(undefined);
    await flushPromises();
    assert.equal(stopped.clock.pending, 0);
  });
});

interface Asked {
  readonly action: ControlActionV2;
  readonly data: Record<string, unknown>;
}

describe('Announcer', () => {
  const file = (name: string, sizeBytes = 1): FileAnnouncement => ({
    name,
    sizeBytes,
    modifiedMs: 1000,
    publishedAtMs: 2000,
  });
  const create = (refuse: (asked: Asked) => string | undefined = () => undefined) => {
    const asked: Asked[] = [];
    const identity = { hostname: 'alice', displayName: 'Alice' };
    const wanted: { files: FileAnnouncement[] } = { files: [] };
    const clock = new FakeClock();
    const client = new TrackerClient({
      request: (action, data) => {
        const request = { action, data: (data ?? {}) as Record<string, unknown> };
        asked.push(request);
        const reason = refuse(request);
        if (reason === undefined)
          return Promise.resolve({ status: action.includes('PUBLISH') ? 'ACK' : 'OK' });
        return Promise.reject(
          new PeershelfError('TRACKER_REFUSED', reason, { details: { reason } }),
        );
      },
    });
    const dependencies: AnnouncerDependencies = {
      logger: nullLogger,
      files: () => wanted.files,
      identity: () => ({ ...identity }),
      listen: () => Promise.resolve({ port: 6000, ip: '' }),
      clock,
      instance: { id: 'w1', counter: 1 },
    };
    const announcer = new Announcer(client, dependencies);
    const actions = (): string[] =>
      asked
        .splice(0)
        .map(({ action, data }) => `${action} ${String(data['fname'] ?? data['hostname'])}`);
    return { announcer, wanted, actions, asked, clock, identity };
  };

  it('says nothing while nothing is published, then registers with everything', async () => {
    const { announcer, wanted, asked } = create();
    await announcer.sync();
    assert.equal(asked.length, 0);
    wanted.files = [file('a'), file('__proto__')];
    await announcer.sync();
    assert.equal(asked.length, 1);
    const { data } = asked[0] ?? assert.fail();
    assert.deepEqual(Object.keys(data['files_metadata'] as object), ['a', '__proto__']);
    assert.equal('ip' in data, false);
    assert.equal(announcer.hostname, 'alice');
  });

  it('sends only what is new, changed or gone', async () => {
    const { announcer, wanted, actions } = create();
    const [a, b, c] = [file('a'), file('b'), file('c')];
    wanted.files = [a, b];
    await announcer.sync();
    wanted.files = [a, file('b', 2), c];
    await announcer.sync();
    await announcer.sync();
    assert.deepEqual(actions(), ['REGISTER alice', 'PUBLISH b', 'PUBLISH c']);
    wanted.files = [c];
    await announcer.sync();
    assert.deepEqual(actions(), ['UNPUBLISH a', 'UNPUBLISH b']);
  });

  it('runs once for calls at the same time, and sees what came meanwhile', async () => {
    const { announcer, wanted, actions } = create();
    wanted.files = [file('a')];
    const first = announcer.sync();
    wanted.files = [...wanted.files, file('b')];
    await Promise.all([first, announcer.sync()]);
    assert.deepEqual(actions(), ['REGISTER alice', 'PUBLISH b']);
  });

  it('puts into REGISTER what fits, and publishes the rest', async () => {
    const { announcer, wanted, asked } = create();
    wanted.files = Array.from({ length: 12_000 }, (_, index) => file(`${index}${'x'.repeat(100)}`));
    await announcer.sync();
    const [register, ...rest] = asked;
    assert.ok(JSON.stringify(register).length < MAX_REGISTER_BYTES * 1.01);
    const registered = Object.keys(register?.data['files_metadata'] as object).length;
    assert.ok(registered > 1_000);
    assert.equal(registered + rest.length, 12_000);
  });

  it('tries other hostnames, and gives up with the reason after many', async () => {
    const taken = new Set(['alice', 'alice-2']);
    const some = create(({ action, data }) =>
      action === 'REGISTER' && taken.has(String(data['hostname'])) ? 'hostname in use' : undefined,
    );
    some.wanted.files = [file('a')];
    await some.announcer.sync();
    assert.equal(some.announcer.hostname, 'alice-3');

    const all = create(() => 'hostname in use');
    all.wanted.files = [file('a')];
    await rejectsWith('NAME_TAKEN', all.announcer.sync());
  });

  it('keeps the reason of a refused file, and does not ask for it again', async () => {
    const { announcer, wanted, actions } = create(({ data }) =>
      data['fname'] === 'bad' ? 'no' : undefined,
    );
    wanted.files = [file('a')];
    await announcer.sync();
    const bad = file('bad');
    wanted.files = [...wanted.files, bad, file('c')];
    await announcer.sync();
    await announcer.sync();
    assert.equal(announcer.refusalOf(bad)?.details['reason'], 'no');
    assert.deepEqual(actions(), ['REGISTER alice', 'PUBLISH bad', 'PUBLISH c']);
  });

  it('takes all others along when one file is older than 1970', async () => {
    const { announcer, wanted, asked } = create();
    wanted.files = [file('new'), { ...file('old'), modifiedMs: -86_400_000 }];
    await announcer.sync();
    assert.equal(parseControlRequest(JSON.stringify(asked[0])).kind, 'request');
  });

  it('registers again when the tracker does not know it any more', async () => {
    let isKnown = true;
    const { announcer, wanted, actions } = create(({ action }) => {
      if (action === 'REGISTER') isKnown = true;
      return isKnown ? undefined : 'unknown host';
    });
    wanted.files = [file('a')];
    await announcer.sync();
    isKnown = false;
    wanted.files = [...wanted.files, file('b')];
    await announcer.sync();
    assert.deepEqual(actions(), ['REGISTER alice', 'PUBLISH b', 'REGISTER alice']);
  });

  it('rests and goes on when it was too fast for the tracker', async () => {
    let isFull = true;
    const { announcer, wanted, actions, clock } = create(({ action }) =>
      action === 'PUBLISH' && isFull ? 'too many requests' : undefined,
    );
    wanted.files = [file('a')];
    await announcer.sync();
    wanted.files = [...wanted.files, file('b')];
    const syncing = announcer.sync();
    await flushPromises();
    isFull = false;
    clock.advance(1_000);
    await syncing;
    assert.deepEqual(actions(), ['REGISTER alice', 'PUBLISH b', 'PUBLISH b']);
  });

  it('registers anew when another name is wished, and takes itself back at the end', async () => {
    const { announcer, wanted, actions, identity } = create();
    wanted.files = [file('a')];
    await announcer.sync();
    identity.displayName = 'Alice Ánh';
    await announcer.sync();
    await announcer.goodbye();
    assert.deepEqual(actions(), ['REGISTER alice', 'REGISTER alice', 'UNREGISTER alice']);
    wanted.files = [file('b')];
    await rejectsWith('CANCELLED', announcer.sync());
  });

  it('says everything again when the tracker has forgotten it', async () => {
    const { announcer, wanted, actions } = create();
    wanted.files = [file('a')];
    await announcer.sync();
    announcer.forget();
    await announcer.sync();
    assert.deepEqual(actions(), ['REGISTER alice', 'REGISTER alice']);
  });
});
