import * as assert from 'node:assert/strict';
import { until } from './parts/waits';
import type { Workbench } from './workbench';

/** Of a list that is short. */
const MAX_STEPS = 20;

/** Time for the palette to appear before F1 is pressed again. */
const PALETTE_MS = 5_000;

/** A user at the keyboard of one window, who has no mouse. */
export class Keys {
  constructor(private readonly workbench: Workbench) {}

  /** F1, a title, Enter. */
  async command(title: string): Promise<void> {
    const { workbench } = this;
    await until(`"${title}" first in the palette`, async () => {
      await workbench.press('F1');
      // An editor that takes the focus as it opens closes the palette again.
      if (!(await workbench.quickPick.opens(PALETTE_MS))) return false;
      // At once: each key alone would have all commands of the editor matched and drawn again.
      await workbench.page.keyboard.insertText(title);
      const isFirst = await workbench.quickPick.offers(title, 2_000);
      if (!isFirst) await workbench.press('Escape');
      return isFirst;
    });
    await workbench.press('Enter');
  }

  /** The command that leads into a view, whose rows then take the keys. */
  async focusOn(view: string): Promise<void> {
    await this.command(`Peershelf: Focus on ${view} View`);
    await this.workbench.view(view).focused();
  }

  /** Ctrl+P, a name, Enter. */
  async openFile(name: string): Promise<void> {
    const { workbench } = this;
    await workbench.press('ControlOrMeta+p');
    await workbench.quickPick.opened();
    await workbench.type(name);
    await this.arrowToAnswer(name);
    await workbench.press('Enter');
  }

  /** A part of a name in the search, which then has this row. */
  async lookFor(text: string, name: string): Promise<void> {
    await this.command('Peershelf: Fetch from Network…');
    await this.workbench.quickPick.opened({ title: /Fetch from Network/u });
    await this.narrow(text, name);
  }

  /** And fetches it. */
  async search(text: string, name: string): Promise<void> {
    await this.lookFor(text, name);
    await this.workbench.quickPick.takeFocused();
  }

  /** Takes a file in the question for one that is open. */
  async take(text: string, name: string): Promise<void> {
    await this.narrow(text, name);
    await this.workbench.quickPick.takeFocused();
  }

  /** Down to an answer of the question that is open. */
  arrowToAnswer(label: string): Promise<unknown> {
    return this.arrowTo(label, () => this.focused('.quick-input-list .monaco-list-row'));
  }

  /** Down to a row of the view that has the focus. */
  row(label: string): Promise<unknown> {
    return this.arrowTo(label, () =>
      this.focused('.pane-body .monaco-list:focus .monaco-list-row'),
    );
  }

  /** Into the explorer, and down to a file. */
  async explorerRow(name: string): Promise<void> {
    await this.workbench.press('ControlOrMeta+Shift+E');
    await this.workbench.explorer.shows(name);
    await this.workbench.page.locator('.explorer-folders-view .monaco-list:focus').waitFor();
    await this.workbench.press('Home');
    await this.arrowTo(name, () => this.focused('.explorer-folders-view .monaco-list-row'));
  }

  /** An entry of the menu of the row that has the focus; further titles lead through submenus. */
  async menu(...titles: string[]): Promise<void> {
    const { page } = this.workbench;
    await this.workbench.press('Shift+F10');
    await page.locator('.monaco-menu').first().waitFor();
    // A menu that an entry has opened stands within that.
    const labels = page.locator(
      '.monaco-menu .action-item.focused > .action-menu-item > .action-label',
    );
    for (const [index, title] of titles.entries()) {
      if (index > 0) await page.locator('.monaco-submenu').waitFor();
      await this.arrowTo(title, () => labels.allTextContents());
      await this.workbench.press('Enter');
    }
  }

  private async narrow(text: string, name: string): Promise<void> {
    const { workbench } = this;
    await workbench.type(text);
    // The answer to all that was typed: what stands there before is nobody's choice.
    await workbench.quickPick.opened({ title: /: 1 file$/u });
    assert.ok(await workbench.quickPick.offers(name, 5_000));
  }

  private focused(selector: string): Promise<string[]> {
    return this.workbench.page.locator(`${selector}.focused .label-name`).allTextContents();
  }

  /**
   * The arrow, until the row or entry of a menu with this text has the focus; from the top again when
   * the list was drawn anew meanwhile.
   */
  private arrowTo(what: string, shown: () => Promise<string[]>): Promise<unknown> {
    let steps = 0;
    return until(
      `focus on ${what}`,
      async () => {
        if ((await shown()).some((text) => text.trim() === what)) return true;
        steps += 1;
        await this.workbench.press(steps % MAX_STEPS === 0 ? 'Home' : 'ArrowDown');
        return false;
      },
      { seen: shown },
    );
  }
}
