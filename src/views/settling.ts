import type * as vscode from 'vscode';
import { systemClock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';

/** When it is told again after a view has appeared: also a slow machine has loaded it by the last. */
const DELAYS_MS = [300, 1_000, 3_000];

/**
 * Lets a view tell again what VS Code did not take, soon after it has appeared: VS Code loses changes
 * that come while it loads a view for the first time, and there may be no other for hours.
 */
export class Settling extends DisposableBase {
  private readonly timer = this.register(new DisposableSlot());

  /** @param tellAgain tells what is owed, and nothing else: while VS Code draws, it knows no rows. */
  constructor(
    private readonly view: Pick<vscode.TreeView<unknown>, 'visible' | 'onDidChangeVisibility'>,
    private readonly tellAgain: () => void,
  ) {
    super();
    this.register(view.onDidChangeVisibility(() => this.wait(0)));
  }

  private wait(step: number): void {
    const delayMs = DELAYS_MS[step];
    if (delayMs === undefined || !this.view.visible) {
      this.timer.set(undefined);
      return;
    }
    this.timer.set(
      systemClock.after(delayMs, () => {
        this.tellAgain();
        this.wait(step + 1);
      }),
    );
  }
}
