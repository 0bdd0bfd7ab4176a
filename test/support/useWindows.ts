import { Cleanup } from '../../scripts/host/cleanup';
import { PeerWindows } from './peerWindows';

/**
 * The extensions of the editor that the tests need. Its hundred others are about languages and
 * debuggers, and a window with them takes a quarter more to start.
 */
const BUILTIN = ['git', 'git-base', 'theme-defaults', 'theme-seti'];

export interface UseWindowsOptions {
  /** The editor with all of its extensions, as users have it. */
  readonly allExtensions?: boolean;

  /** Messages stay from one test to the next: a fetch that goes on shows one that nobody can close. */
  readonly keepMessages?: boolean;
}

/**
 * Windows of users for the tests of the surrounding `describe`, none of them open yet. A test that
 * fails leaves pictures of all windows; when the last test is over they close, and `cleanup` runs.
 */
export function useWindows({
  allExtensions = false,
  keepMessages = false,
}: UseWindowsOptions = {}): {
  windows: PeerWindows;
  cleanup: Cleanup;
} {
  const cleanup = new Cleanup();
  const windows = new PeerWindows(allExtensions ? {} : { builtin: BUILTIN }, cleanup);
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await windows.keepEvidence(this.currentTest.fullTitle());
    if (!keepMessages) await windows.clearMessages();
  });
  after(() => cleanup.run());
  return { windows, cleanup };
}
