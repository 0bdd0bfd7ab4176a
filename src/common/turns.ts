/** Runs tasks one after the other, in the order in which they were asked for. */
export class Turns {
  private last: Promise<void> = Promise.resolve();

  /** Resolves when the task has run. @throws what it throws; who comes next does not hear of that. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.last.then(task);
    this.last = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }
}
