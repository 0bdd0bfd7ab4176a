import { errors, type Locator, type Page } from 'playwright-core';
import { clickRevealed, normalise, until, wholeText } from './waits';

/** How long a message may take to be drawn before the list of all is looked at. */
const TOAST_WAIT_MS = 1_500;

/** Part of a message, or a pattern. */
export type MessagePart = string | RegExp;

/** One try to close a message. */
const CLICK_MS = 1_000;

/** The messages at the lower right, and the list of those that have gone there. */
export class Notifications {
  constructor(private readonly page: Page) {}

  /** Texts of all messages in sight. */
  async texts(): Promise<string[]> {
    const texts = await this.items().locator('.notification-list-item-message').allTextContents();
    return texts.map(normalise);
  }

  /** Waits for a message and gives its whole text. */
  async shown(part: MessagePart, timeoutMs?: number): Promise<string> {
    await this.find(part, timeoutMs);
    return (await this.texts()).find((text) => contains(text, part)) ?? '';
  }

  /** Waits for a message and presses one of its buttons. */
  async press(part: MessagePart, button: string): Promise<void> {
    await until(`button "${button}" pressed`, async () => {
      // Looked for each time: a message that goes to the list of all takes its button with it.
      const item = await this.find(part);
      const found = item
        .locator('.notification-list-item-buttons-container .monaco-button')
        .filter({ hasText: wholeText(button) });
      if (await clicked(found)) return true;
      // Where the mouse rests, a hint may lie above the button.
      await this.page.mouse.move(0, 0);
      return false;
    });
  }

  /** Labels of the buttons of a message. */
  async buttons(part: MessagePart): Promise<string[]> {
    const item = await this.find(part);
    const buttons = item.locator('.notification-list-item-buttons-container .monaco-text-button');
    return (await buttons.allTextContents()).map(normalise);
  }

  /** Closes a message. */
  async dismiss(part: MessagePart): Promise<void> {
    const item = await this.find(part);
    await clickRevealed(item, item.locator('.codicon-notifications-clear'));
    await this.gone(part);
  }

  /** Closes all messages in sight; at most three are drawn, further ones wait for their turn. */
  async clear(): Promise<void> {
    await until(
      'no message',
      async () => {
        const item = this.items().first();
        if ((await item.count()) === 0) {
          return true;
        }
        // Progress goes by itself, perhaps at this very moment, and has nothing to click.
        await item.hover({ timeout: CLICK_MS }).catch(passTimeout);
        await clicked(item.locator('.codicon-notifications-clear'));
        return false;
      },
      { seen: () => this.texts() },
    );
  }

  /** Waits until no such message is in sight. */
  async gone(part: MessagePart): Promise<void> {
    await until(
      `no message ${part}`,
      async () => !(await this.texts()).some((text) => contains(text, part)),
      { seen: () => this.texts() },
    );
  }

  private async find(part: MessagePart, timeoutMs?: number): Promise<Locator> {
    const openListAt = Date.now() + TOAST_WAIT_MS;
    await until(
      `message ${part}`,
      async () => {
        if ((await this.texts()).some((text) => contains(text, part))) {
          return true;
        }
        if (Date.now() > openListAt) {
          await this.openList();
        }
        return false;
      },
      { seen: () => this.texts(), ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    );
    const message = this.page
      .locator('.notification-list-item-message')
      .filter({ hasText: typeof part === 'string' ? part : new RegExp(part) });
    return this.items().filter({ has: message }).first();
  }

  /** More than three messages within a second are not drawn: they are only in the list. */
  private async openList(): Promise<void> {
    const bell = this.page.locator('.statusbar-item .codicon-bell-dot');
    if ((await bell.count()) > 0 && !(await this.list().isVisible())) {
      await bell.click();
    }
  }

  private list(): Locator {
    return this.page.locator('.notifications-center.visible');
  }

  private items(): Locator {
    return this.page
      .locator('.notifications-toasts, .notifications-center.visible')
      .locator('.notification-list-item');
  }
}

/** The question that blocks the window. */
export class ModalDialog {
  constructor(private readonly page: Page) {}

  async isOpen(): Promise<boolean> {
    return this.box().isVisible();
  }

  /** Waits for a dialog; gives message and detail. */
  async opened(part?: MessagePart): Promise<{ message: string; detail: string }> {
    return until(
      `dialog ${part ?? ''}`,
      async () => {
        if (!(await this.isOpen())) {
          return undefined;
        }
        const shown = await this.content();
        const text = `${shown.message} ${shown.detail}`;
        return part === undefined || contains(text, part) ? shown : undefined;
      },
      { seen: async () => ((await this.isOpen()) ? this.content() : 'no dialog') },
    );
  }

  async buttons(): Promise<string[]> {
    return (await this.buttonLocator().allTextContents()).map(normalise);
  }

  /** Waits for a dialog, presses a button and waits until the dialog is gone. */
  async press(button: string, part?: MessagePart): Promise<void> {
    await this.opened(part);
    await this.buttonLocator()
      .filter({ hasText: wholeText(button) })
      .click();
    // The next dialog may follow at once, so only this text must go.
    if (part === undefined) {
      await this.box().waitFor({ state: 'hidden' });
    }
  }

  private async content(): Promise<{ message: string; detail: string }> {
    return {
      message: await this.text('.dialog-message-text'),
      detail: await this.text('.dialog-message-detail'),
    };
  }

  private async text(selector: string): Promise<string> {
    const texts = await this.box().locator(selector).allInnerTexts();
    return normalise(texts.join(' '));
  }

  private buttonLocator(): Locator {
    return this.box().locator('.dialog-buttons .monaco-text-button');
  }

  private box(): Locator {
    return this.page.locator('.monaco-dialog-box').first();
  }
}

/** One try; false when it did not come to a click in time. */
async function clicked(button: Locator): Promise<boolean> {
  const isDone = await button.click({ timeout: CLICK_MS }).catch(passTimeout);
  return isDone !== 'not in time';
}

function passTimeout(error: unknown): 'not in time' {
  if (error instanceof errors.TimeoutError) return 'not in time';
  throw error;
}

function contains(text: string, part: MessagePart): boolean {
  return typeof part === 'string' ? text.includes(part) : part.test(text);
}
