import { Cleanup } from '../../scripts/host/cleanup';
import { PeerWindows } from './peerWindows';

export interface UseWindowsOptions {
  /** Messages stay from one test to the next: a fetch that goes on shows one that nobody can close. */
  readonly keepMessages?: boolean;
}

/**
 * Windows of users for the tests of the surrounding `describe`, none of them open yet. A test that
 * fails leaves pictures of all windows; when the last test is over they close, and `cleanup` runs.
 */
export function useWindows({ keepMessages = false }: UseWindowsOptions = {}): {
  windows: PeerWindows;
  cleanup: Cleanup;
} {
  const cleanup = new Cleanup();
  const windows = new PeerWindows({}, cleanup);
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await windows.keepEvidence(this.currentTest.fullTitle());
    if (!keepMessages) await windows.clearMessages();
  });
  after(() => cleanup.run());
  return { windows, cleanup };
}
