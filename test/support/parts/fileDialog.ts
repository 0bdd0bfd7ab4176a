import { QuickInput } from './quickInput';
import { until } from './waits';

const KEY_RETRY_MS = 1_000;
const POLL_MS = 50;

/** The question for a file in the server build: a path to be typed, and below it what is there. */
export class FileDialog extends QuickInput {
  /** Waits for the dialog with this title, types an absolute path and takes it. */
  async choose(title: string, file: string): Promise<void> {
    await this.offers(title, /./u);
    await until(
      `"${title}" to take ${file}`,
      async () => {
        await this.type(file);
        await this.input().press('Enter');
        // While the dialog looks what is there, it takes no answer.
        return this.isGone(title);
      },
      { seen: async () => ({ value: await this.value(), message: await this.message() }) },
    );
  }

  /**
   * Waits for the dialog to offer a path. First it has the folder above; the path comes with the list of
   * what is there, and replaces whatever was typed before.
   */
  async offers(title: string, path: RegExp): Promise<void> {
    await this.opened({ title });
    await until(
      `"${title}" with ${path}`,
      async () => (await this.rows().count()) > 0 && path.test(await this.value()),
      { seen: () => this.value() },
    );
  }

  /** Whether the dialog goes within a moment; another question may follow at once. */
  private async isGone(title: string): Promise<boolean> {
    const deadlineMs = Date.now() + KEY_RETRY_MS;
    while (Date.now() < deadlineMs) {
      if (!(await this.isOpen()) || (await this.title()) !== title) return true;
      await this.page.waitForTimeout(POLL_MS);
    }
    return false;
  }
}
