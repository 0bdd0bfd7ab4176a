// Runs files of tests that drive the workbench, one after the other, in one browser. Started by
// workbenchTests.ts, which sends the files and reads the events; its going ends this program.
import { testBrowser } from '../../test/support/peerWindows';
import { errorText, quietMocha, runMocha, tellSkippedOnce } from './mochaEvents';
import type { TestEvent } from './testReport';
import type { LaneRequest } from './workbenchTests';

/** A journey through two windows takes a while on a busy machine. */
const TEST_TIMEOUT_MS = 90_000;

const tell = (event: TestEvent): void => {
  process.send?.(event);
};

async function run({ file, grep }: LaneRequest): Promise<void> {
  const mocha = quietMocha(TEST_TIMEOUT_MS, grep);
  mocha.addFile(file);
  try {
    await runMocha(mocha, tellSkippedOnce(tell));
  } catch (error) {
    tell({ type: 'end', error: errorText(error) });
  } finally {
    // Each Mocha listens to this process until it is disposed of.
    mocha.dispose();
  }
}

process.on('message', (request: LaneRequest) => void run(request));
process.once('disconnect', () => {
  void testBrowser.close().finally(() => process.exit());
});
