import { errors, type Locator, type Page } from 'playwright-core';
import { hasClass, normalise, until } from './waits';

/** Longest wait for an entry of a menu that is open. */
const OPEN_MENU_MS = 2_000;

/** The menu that a right click opens, with its submenus. */
export class ContextMenu {
  constructor(private readonly page: Page) {}

  /** Right-clicks a row and waits for its menu. */
  async openOn(row: Locator): Promise<void> {
    await until('menu of the row', async () => {
      await row.click({ button: 'right' });
      await this.items().first().waitFor();
      // While it was clicked, rows may have come or gone above it: then this is another row's menu.
      if (await hasClass(row, 'focused')) return true;
      await this.dismiss();
      return false;
    });
  }

  /** Picks an entry of the menu that a key has opened, with keys alone. */
  async chooseByKeys(title: string): Promise<void> {
    await this.items().first().waitFor();
    await until(`menu entry "${title}" by keys`, async () => {
      if (await hasClass(await this.find(title), 'focused')) return true;
      await this.page.keyboard.press('ArrowDown');
      return false;
    });
    await this.page.keyboard.press('Enter');
    await this.items().first().waitFor({ state: 'hidden' });
  }

  /** Titles of the open menu (and submenu), without separators. */
  async titles(): Promise<string[]> {
    const titles = await this.items().locator('.action-label').allTextContents();
    return titles.map(normalise).filter((title) => title !== '');
  }

  /** Picks an entry; further titles lead through submenus. */
  async choose(...titles: string[]): Promise<void> {
    try {
      await this.walk(titles);
    } catch (error) {
      await this.dismiss(); // An open menu takes every click that follows.
      throw error;
    }
  }

  /** As `choose`, of a menu that is open already; false when it has closed meanwhile, as by a message. */
  async chooseOpen(title: string): Promise<boolean> {
    const label = this.page.locator('.action-label', { hasText: exactly(title) });
    const item = this.items().filter({ has: label }).first();
    try {
      await item.hover({ timeout: OPEN_MENU_MS });
      const names = await item.getAttribute('class', { timeout: OPEN_MENU_MS });
      if (names?.split(' ').includes('focused') !== true) return false;
    } catch (error) {
      if (error instanceof errors.TimeoutError) return false;
      throw error;
    }
    await this.page.keyboard.press('Enter');
    return true;
  }

  /** Closes the menu without choosing. */
  async dismiss(): Promise<void> {
    await until('menu to close', async () => {
      await this.page.keyboard.press('Escape');
      return (await this.items().count()) === 0;
    });
  }

  private async walk(titles: readonly string[]): Promise<void> {
    for (const [index, title] of titles.entries()) {
      const item = await this.find(title);
      // A bare click is swallowed by the workbench; Enter on the focused entry is not.
      // The entry may move away from below the mouse.
      await until(`focus on menu entry "${title}"`, async () => {
        await item.hover();
        return hasClass(item, 'focused');
      });
      const isLast = index === titles.length - 1;
      await this.page.keyboard.press(isLast ? 'Enter' : 'ArrowRight');
    }
    await this.items().first().waitFor({ state: 'hidden' });
  }

  private items(): Locator {
    return this.page.locator('.monaco-menu .action-item:not(.disabled)');
  }

  private find(title: string): Promise<Locator> {
    return until(
      `menu entry "${title}"`,
      async () => {
        for (const item of await this.items().all()) {
          const text = await item.locator('.action-label').first().textContent();
          if (normalise(text ?? '') === title) {
            return item;
          }
        }
        return undefined;
      },
      { seen: () => this.titles() },
    );
  }
}

function exactly(title: string): RegExp {
  return new RegExp(`^\\s*${title.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&')}\\s*$`, 'u');
}
