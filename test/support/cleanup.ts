/**
 * Things to undo after the current test, last first. Registered once per test file by `useCleanup`,
 * so that no test has to remember what it started.
 */
export class Cleanup {
  private readonly actions: (() => unknown)[] = [];

  add(action: () => unknown): void {
    this.actions.push(action);
  }

  async run(): Promise<void> {
    for (let action = this.actions.pop(); action !== undefined; action = this.actions.pop())
      await action();
  }
}

/** A cleanup that runs after each test of the surrounding `describe`. */
export function useCleanup(): Cleanup {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());
  return cleanup;
}
