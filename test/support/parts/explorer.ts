import type { Locator, Page } from 'playwright-core';
import { ContextMenu } from './contextMenu';
import { hasClass, normalise, until, wholeText } from './waits';

/** The tree of files. */
export class Explorer {
  private readonly menu: ContextMenu;

  constructor(private readonly page: Page) {
    this.menu = new ContextMenu(page);
  }

  /** Names in sight, from top to bottom. */
  async names(): Promise<string[]> {
    const names = await this.rows().locator('.label-name').allTextContents();
    return names.map(normalise);
  }

  /** Waits for a file or folder. */
  async shows(name: string): Promise<void> {
    await this.find(name);
  }

  /** Opens a file in an editor that stays. */
  async openFile(name: string): Promise<void> {
    await (await this.find(name)).dblclick();
  }

  /** Opens a folder. */
  async openFolder(name: string): Promise<void> {
    const row = await this.find(name);
    if ((await row.getAttribute('aria-expanded')) === 'false') {
      await row.click();
      await until(`folder "${name}" open`, async () => {
        return (await row.getAttribute('aria-expanded')) === 'true';
      });
    }
  }

  /** Gives a file another name; one with `/` moves it into a folder. */
  async rename(name: string, newName: string): Promise<void> {
    await this.contextMenu(name, 'Rename...');
    const box = this.rows().locator('.explorer-item-edited input');
    await box.waitFor();
    await box.fill(newName);
    await box.press('Enter');
    await box.waitFor({ state: 'hidden' });
  }

  /** Picks an entry of the menu of one or several files (further titles: submenus). */
  async contextMenu(names: string | readonly string[], ...titles: string[]): Promise<void> {
    const [first = ''] = titles;
    let offered: readonly string[] = [];
    await until(
      `menu entry "${first}"`,
      async () => {
        await this.openContextMenu(names);
        offered = await this.menu.titles();
        if (offered.includes(first)) return true;
        // An open menu never learns of what an extension says later.
        await this.menu.dismiss();
        return false;
      },
      { seen: () => Promise.resolve(offered) },
    );
    await this.menu.choose(...titles);
  }

  /** Opens the menu of a file and leaves it open, for a picture. */
  async showContextMenu(name: string): Promise<void> {
    await this.openContextMenu(name);
  }

  /** What the menu of files offers. */
  async contextMenuTitles(names: string | readonly string[]): Promise<string[]> {
    await this.openContextMenu(names);
    const titles = await this.menu.titles();
    await this.menu.dismiss();
    return titles;
  }

  /** Waits until a file has this mark at the edge of its row; none for an empty text. */
  async decorated(name: string, badge: string): Promise<void> {
    const label = (await this.find(name)).locator('.monaco-icon-label').first();
    const shown = (): Promise<string> =>
      label.evaluate((element) => {
        // It is drawn by a style sheet.
        const page = globalThis as unknown as {
          getComputedStyle(element: unknown, part: string): { readonly content: string };
        };
        const { content } = page.getComputedStyle(element, '::after');
        return content === 'none' || content === 'normal' ? '' : content.replace(/^"|"$/g, '');
      });
    await until(`"${name}" decorated with "${badge}"`, async () => (await shown()) === badge, {
      seen: shown,
    });
  }

  private async openContextMenu(names: string | readonly string[]): Promise<void> {
    const all = typeof names === 'string' ? [names] : names;
    if (all.length > 1) {
      await this.select(all);
    }
    const last = all[all.length - 1];
    if (last === undefined) {
      throw new Error('a context menu needs a file');
    }
    await this.menu.openOn(await this.find(last));
  }

  /** A plain click would open the file, so all are added with the modifier key. */
  private async select(names: readonly string[]): Promise<void> {
    await this.clearSelection();
    for (const name of names) {
      const row = await this.find(name);
      await row.click({ modifiers: ['ControlOrMeta'] });
      await until(`"${name}" selected`, () => hasClass(row, 'selected'));
    }
  }

  private async clearSelection(): Promise<void> {
    const selected = this.rows().and(this.page.locator('.selected'));
    await until('no file selected', async () => {
      const first = selected.first();
      if ((await selected.count()) === 0) {
        return true;
      }
      await first.click({ modifiers: ['ControlOrMeta'] });
      return false;
    });
  }

  private rows(): Locator {
    return this.page.locator('.explorer-folders-view .monaco-list-row');
  }

  private async find(name: string): Promise<Locator> {
    const label = this.page.locator('.label-name').filter({ hasText: wholeText(name) });
    const row = this.rows().filter({ has: label }).first();
    await until(`"${name}" in the explorer`, () => row.isVisible(), { seen: () => this.names() });
    return row;
  }
}
