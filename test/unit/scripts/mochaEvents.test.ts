import * as assert from 'node:assert/strict';
import { tellSkippedOnce } from '../../../scripts/host/mochaEvents';
import type { TestEvent } from '../../../scripts/host/testReport';

const skipped = (title: string): TestEvent[] => [
  { type: 'start', title },
  { type: 'skip', title },
];

describe('skipped tests', () => {
  /** Events that are told, without the starts. */
  const toldOf = (...events: TestEvent[]): TestEvent[] => {
    const told: TestEvent[] = [];
    const tell = tellSkippedOnce((event) => told.push(event));
    for (const event of events) tell(event);
    return told.filter(({ type }) => type !== 'start');
  };

  it('are told once after a failure, for all that follow it', () => {
    const failure: TestEvent = { type: 'fail', title: 'two', error: 'no' };
    assert.deepEqual(
      toldOf(failure, ...skipped('three'), ...skipped('four'), ...skipped('five'), { type: 'end' }),
      [failure, { type: 'skip', title: 'three, and the 2 after it' }, { type: 'end' }],
    );
  });

  it('are a failure where none has failed', () => {
    const [told] = toldOf(...skipped('one'), { type: 'end' });
    assert.deepEqual(told, {
      type: 'fail',
      title: 'one',
      error: 'skipped, although none has failed',
    });
  });
});
