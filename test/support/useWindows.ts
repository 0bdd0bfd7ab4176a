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
 * Windows of users for the tests of the surrounding `describe`, none of them open yet. Its tests are steps of
 * one journey: once one has failed, the others are skipped. A failed step leaves pictures of all windows
 * and the ends of their logs; when the last step is over the windows close, and `cleanup` runs.
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
  walkJourney(async (title, failed) => {
    if (failed) await windows.keepEvidence(title);
    else if (!keepMessages) await windows.clearMessages();
  });
  after(() => cleanup.run());
  return { windows, cleanup };
}

/**
 * Makes the tests of the surrounding `describe` steps of one journey: once one has failed, the others are
 * skipped. `afterStep` is called after each step that ran, and after a hook before the first one that failed.
 */
export function walkJourney(afterStep: (title: string, failed: boolean) => Promise<void>): void {
  let begun = false;
  let failed = false;
  beforeEach(function () {
    begun = true;
    if (failed) this.skip();
  });
  afterEach(async function () {
    const step = this.currentTest;
    if (failed || step === undefined) return;
    failed = step.state === 'failed';
    await afterStep(step.fullTitle(), failed);
  });
  after(async function () {
    if (!begun) await afterStep(this.test?.parent?.fullTitle() ?? 'before', true);
  });
}
