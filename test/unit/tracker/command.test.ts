import { strict as assert } from 'node:assert';
import { toDisposable } from '../../../src/common/disposable';
import { createTrackerCommand, runTracker } from '../../../src/tracker/command';
import { DEFAULT_TRACKER_LIMITS, LIMIT_SPECS } from '../../../src/tracker/limits';
import type { TrackerIo, TrackerMessage } from '../../../src/tracker/processIo';

class FakeIo implements TrackerIo {
  readonly pid = 7;
  readonly messages: TrackerMessage[] = [];
  out = '';
  err = '';

  readonly stdout = { write: (text: string): unknown => (this.out += text) };
  readonly stderr = { write: (text: string): unknown => (this.err += text) };
  readonly onStopSignal = (): ReturnType<TrackerIo['onStopSignal']> =>
    toDisposable(() => undefined);
  readonly onParentGone = this.onStopSignal;
  input = '';

  readInput(maxCharacters: number): Promise<string> {
    return Promise.resolve(this.input.slice(0, maxCharacters));
  }

  notifyParent(message: TrackerMessage): Promise<void> {
    this.messages.push(message);
    return Promise.resolve();
  }
}

describe('the tracker command', () => {
  let io: FakeIo;

  beforeEach(() => {
    io = new FakeIo();
  });

  it('starts nothing without a session and says what to type', async () => {
    assert.equal(await runTracker([], io), 2);
    assert.match(io.err, /^error: .*--verifier-file.*--open/u);
    assert.equal(io.err.trim().split('\n').length, 1);
    assert.equal(io.out, '');
  });

  it('starts nothing for what is no verifier, and quotes nothing of it', async () => {
    io.input = '{"secret":"hunter2"}';
    assert.equal(await runTracker(['--verifier-file', '-'], io), 1);
    assert.match(io.err, /^error: .*no verifier\n$/u);
    assert.equal(await runTracker(['--verifier-file', '/nowhere/at/all'], io), 1);
    assert.equal(await runTracker(['--verifier-file', '-', '--open'], io), 1);
    assert.equal(io.err.includes('hunter2'), false);
    assert.equal(io.out, '');
  });

  const wrong: [string[], RegExp][] = [
    [['--port', '65536'], /whole number from 0 to 65535/u],
    [['--port', '-1'], /whole number/u],
    [['--port', '80x'], /whole number/u],
    [['--port'], /argument missing/u],
    [['--host', ' '], /address is needed/u],
    [['--nonsense'], /unknown option/u],
    [['extra'], /too many arguments/u],
    [['--max-connections', '0'], /whole number from 1/u],
    [['--requests-per-second', '1.5'], /whole number from 1/u],
    [['--expiry-seconds', '99999999'], /from 1 to 2000000/u],
    [['--lease-seconds', 'x'], /whole number/u],
  ];
  for (const [args, message] of wrong)
    it(`refuses ${args.join(' ')}`, async () => {
      assert.equal(await runTracker(['--open', ...args], io), 2);
      assert.match(io.err, message);
    });

  it('tells a parent what is wrong', async () => {
    await runTracker(['--port', 'x'], io);
    const [message] = io.messages;
    assert.ok(message?.type === 'failed' && message.code === 'INVALID_ARGUMENT');
  });

  it('explains itself', async () => {
    assert.equal(await runTracker(['--help'], io), 0);
    for (const { flag } of LIMIT_SPECS) assert.ok(io.out.includes(flag), flag);
    assert.ok(!io.out.includes('--lease-file'), 'an option for programs only');
  });

  it('has an option for each limit, with its default', () => {
    const defaults = createTrackerCommand(io).opts<Record<string, unknown>>();
    for (const { name, defaultValue } of LIMIT_SPECS) {
      assert.equal(defaults[name], defaultValue, name);
      assert.equal(DEFAULT_TRACKER_LIMITS[name], defaultValue);
    }
  });
});
