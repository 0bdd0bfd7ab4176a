import { strict as assert } from 'node:assert';
import { deferred } from '../../../src/common/deferred';
import {
  type Attempt,
  FirstContacts,
  type Meeting,
} from '../../../src/peer/transfer/firstContacts';
import { FakeClock } from '../../support/fakeClock';
import { rejectsWith } from '../../support/rejectsWith';

describe('FirstContacts', () => {
  let clock: FakeClock;
  let contacts: FirstContacts;

  beforeEach(() => {
    clock = new FakeClock();
    contacts = new FirstContacts(clock);
  });

  const at = (port: number, more: Partial<Meeting> = {}): Meeting => ({
    ...{
      place: { host: '10.0.0.1', port },
      fingerprint: 'f',
      deadlineMs: 5_000,
      signal: undefined,
    },
    ...more,
  });
  const fail = (meeting: Meeting): Promise<void> =>
    assert.rejects(
      contacts.meet(meeting, ({ onReached }) => {
        onReached();
        return Promise.reject(new Error('somebody else'));
      }),
      /somebody else/u,
    );
  const succeed = (): Promise<string> => Promise.resolve('met');

  it('are made one after the other, until somebody has been met', async () => {
    const first = deferred<string>();
    const [one, two, three] = [
      contacts.meet(at(1), () => first.promise),
      contacts.meet(at(1), () => Promise.resolve('second')),
      contacts.meet(at(1), () => Promise.resolve('third')),
    ];
    assert.equal(await contacts.meet(at(2), succeed), 'met', 'another place does not wait');
    first.resolve('first');
    assert.deepEqual(await Promise.all([one, two, three]), ['first', 'second', 'third']);
    const open = deferred<string>();
    const slow = contacts.meet(at(1), () => open.promise);
    assert.equal(await contacts.meet(at(1), succeed), 'met', 'who has been met is met at once');
    open.resolve('');
    await slow;
  });

  it('are made twice a minute where somebody else is, whoever is looked for', async () => {
    await fail(at(1));
    await fail(at(1, { fingerprint: 'g' }));
    await rejectsWith('PEER_IDENTITY_MISMATCH', contacts.meet(at(1), succeed));
    clock.advance(60_000);
    assert.equal(await contacts.meet(at(1), succeed), 'met');
  });

  it('are made eight times a minute at all ports of a host', async () => {
    for (let port = 1; port <= 8; port += 1) await fail(at(port));
    await rejectsWith('PEER_IDENTITY_MISMATCH', contacts.meet(at(9), succeed));
    const elsewhere = at(9, { place: { host: '10.0.0.2', port: 9 } });
    assert.equal(await contacts.meet(elsewhere, succeed), 'met');
  });

  it('cost nothing where nobody was reached', async () => {
    for (let count = 0; count < 5; count += 1)
      await assert.rejects(contacts.meet(at(1), () => Promise.reject(new Error('refused'))));
    assert.equal(await contacts.meet(at(1), succeed), 'met');
  });

  it('are few again when somebody else is where one was met', async () => {
    await contacts.meet(at(1), succeed);
    await fail(at(1));
    await fail(at(1));
    await rejectsWith('PEER_IDENTITY_MISMATCH', contacts.meet(at(1), succeed));
  });

  it('wait no longer than they may, and not when cancelled', async () => {
    const first = deferred<string>();
    const slow = contacts.meet(at(1), () => first.promise);
    const late = rejectsWith('PEER_UNREACHABLE', contacts.meet(at(1), succeed));
    const controller = new AbortController();
    const cancelled = contacts.meet(at(1, { signal: controller.signal }), succeed);
    controller.abort();
    await rejectsWith('CANCELLED', cancelled);
    let left = 0;
    const patient = contacts.meet(at(1, { deadlineMs: 9_000 }), ({ deadlineMs }: Attempt) => {
      left = deadlineMs;
      return succeed();
    });
    clock.advance(5_000);
    await late;
    first.resolve('');
    await Promise.all([slow, patient]);
    assert.equal(left, 4_000);
    assert.equal(clock.pending, 0);
  });
});
