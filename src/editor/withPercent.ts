import * as vscode from 'vscode';
import { systemClock } from '../common/clock';
import type { FetchOptions, TransferProgress } from '../peer/peerApi';

/** A task that takes longer than this is shown. */
const SHOW_AFTER_MS = 500;

type Progress = vscode.Progress<{ message: string; increment: number }>;

/**
 * Runs a task that the user can cancel, with its percentage in a notification once it takes a while.
 * What the task rejects with is passed on.
 */
export async function withPercent<T>(
  title: string,
  task: (options: FetchOptions) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let show: ((progress: TransferProgress) => void) | undefined;
  let last: TransferProgress | undefined;
  const running = task({
    signal: controller.signal,
    onProgress: (progress) => {
      last = progress;
      show?.(progress);
    },
  });
  const ended = running.then(
    () => undefined,
    () => undefined,
  );
  const timer = systemClock.after(SHOW_AFTER_MS, () => {
    const location = vscode.ProgressLocation.Notification;
    const options = { location, title, cancellable: true };
    void vscode.window.withProgress(options, async (progress, token) => {
      const subscription = token.onCancellationRequested(() => controller.abort());
      show = percentReport(progress);
      // There may be no other for long.
      if (last !== undefined) show(last);
      await ended;
      subscription.dispose();
    });
  });
  void ended.then(() => timer.dispose());
  return running;
}

/** Turns byte counts into the steps that VS Code adds up. */
function percentReport(progress: Progress): (progress: TransferProgress) => void {
  let shown = 0;
  return ({ bytes, totalBytes }) => {
    const percent = totalBytes === 0 ? 100 : Math.floor((bytes / totalBytes) * 100);
    progress.report({ message: `${percent} %`, increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  };
}
