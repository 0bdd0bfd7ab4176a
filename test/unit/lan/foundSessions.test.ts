import { strict as assert } from 'node:assert';
import { FoundSessions } from '../../../src/lan/foundSessions';
import type { ReceivedAnnouncement } from '../../../src/protocol/announcement';
import { FakeClock } from '../../support/fakeClock';

const fingerprint = (of: number): string => of.toString(16).padStart(64, '0');
const said = (of: number, more: Partial<ReceivedAnnouncement> = {}): ReceivedAnnouncement => ({
  ...{ sessionName: `Team ${of}`, fingerprint: fingerprint(of), port: 9_000 },
  ...{ instance: `${of}`, ttlS: 120 },
  ...more,
});

describe('sessions that were found', () => {
  let clock: FakeClock;
  let sessions: FoundSessions;
  let changes: number;

  beforeEach(() => {
    clock = new FakeClock();
    sessions = new FoundSessions(clock);
    changes = 0;
    sessions.onDidChange(() => (changes += 1));
  });
  const names = (): string[] => sessions.all.map(({ sessionName }) => sessionName);

  it('are there until their time is over, and told of once', () => {
    sessions.take(said(1), '10.0.0.1');
    assert.deepEqual(sessions.all, [
      {
        ...{ sessionName: 'Team 1', fingerprint: fingerprint(1) },
        addresses: [{ host: '10.0.0.1', port: 9_000 }],
      },
    ]);
    clock.advance(9_000);
    sessions.take(said(1), '10.0.0.1');
    clock.advance(9_999);
    assert.deepEqual([names().length, changes], [1, 1]);
    clock.advance(1);
    assert.deepEqual([names(), changes], [[], 2]);
    assert.equal(clock.pending, 0);
  });

  it('hold for less when they say so, and go when they say goodbye', () => {
    sessions.take(said(1, { ttlS: 3 }), '10.0.0.1');
    sessions.take(said(2), '10.0.0.1');
    clock.advance(3_000);
    assert.deepEqual(names(), ['Team 2']);
    sessions.take(said(2, { ttlS: 0 }), '10.0.0.1');
    assert.deepEqual(names(), []);
  });

  it('are not sent away by another machine, nor moved', () => {
    sessions.take(said(1), '10.0.0.1');
    sessions.take(said(1, { ttlS: 0 }), '10.0.0.2');
    sessions.take(said(1, { port: 1, sessionName: 'Lie' }), '10.0.0.3');
    assert.deepEqual(names(), ['Team 1']);
    assert.deepEqual(sessions.addressesOf(fingerprint(1)), [
      { host: '10.0.0.3', port: 1 },
      { host: '10.0.0.1', port: 9_000 },
    ]);
  });

  it('show the same, whoever is heard of again', () => {
    sessions.take(said(1), '10.0.0.1');
    sessions.take(said(1, { sessionName: 'Other' }), '10.0.0.2');
    const shown = JSON.stringify(sessions.all);
    sessions.take(said(1), '10.0.0.1');
    assert.equal(JSON.stringify(sessions.all), shown);
    assert.equal(changes, 2);
  });

  it('are at so many addresses only, what was heard of last comes first', () => {
    for (let machine = 1; machine <= 9; machine += 1) sessions.take(said(1), `10.0.0.${machine}`);
    assert.deepEqual(
      sessions.addressesOf(fingerprint(1)).map(({ host }) => host),
      ['10.0.0.9', '10.0.0.8', '10.0.0.7', '10.0.0.6'],
    );
    assert.equal(sessions.all[0]?.addresses.length, 4);
  });

  it('are so many of one machine only: of its own it loses the oldest', () => {
    sessions.take(said(0), '10.0.0.1');
    for (let of = 1; of <= 100; of += 1) sessions.take(said(of), '10.0.0.66');
    assert.equal(names().length, 9);
    assert.ok(names().includes('Team 0') && names().includes('Team 100'));
  });

  it('are so many in all: a flood takes the place of none that was there', () => {
    sessions.take(said(0), '10.0.0.1');
    for (let of = 1; of <= 1_000; of += 1) sessions.take(said(of), `10.1.${of >> 8}.${of & 255}`);
    assert.equal(names().length, 100);
    sessions.take(said(0), '10.0.0.1');
    assert.ok(names().includes('Team 0'));
    clock.advance(10_000);
    assert.deepEqual(names(), []);
  });

  it('are forgotten when nobody wants to know any more', () => {
    sessions.take(said(1), '10.0.0.1');
    sessions.clear();
    assert.deepEqual([names(), changes, clock.pending], [[], 2, 0]);
  });
});
