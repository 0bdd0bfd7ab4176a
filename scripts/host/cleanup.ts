import { mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';

/** Things to undo, last first. One that fails does not keep the others from being undone. */
export class Cleanup {
  private readonly steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.steps.push(step);
  }

  /** A new temporary folder that goes with the rest. */
  async temporaryFolder(prefix: string): Promise<string> {
    const folder = await mkdtemp(path.join(os.tmpdir(), prefix));
    // Programs that were just ended may still hold files on Windows.
    this.add(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    return folder;
  }

  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) {
      throw new AggregateError(errors, 'cleaning up failed');
    }
  }
}
