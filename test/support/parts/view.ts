import type { Locator, Page } from 'playwright-core';
import { ContextMenu } from './contextMenu';
import { contrastOf } from './contrast';
import type { PageElement } from './pageElement';
import { clickRevealed, matches, normalise, until, wholeText, type Expected } from './waits';

/** Less than the height of a view, so that no row is passed over. */
const SCROLL_PIXELS = 150;
/** Some letters of a label. */
const MIN_LABEL_PIXELS = 40;
/** A tooltip comes when the mouse has rested. */
const HOVER_MS = 2_000;

export interface TreeRow {
  label: string;
  description: string;
  /** 1 for the top level. */
  level: number;
  /** Undefined for rows that cannot be opened. */
  expanded: boolean | undefined;
  selected: boolean;
  /** What a screen reader says. */
  ariaLabel: string;
}

/** One view (a pane) of the container that is open. Only the rows in sight exist. */
export class View {
  private readonly menu: ContextMenu;

  constructor(
    private readonly page: Page,
    readonly title: string,
  ) {
    this.menu = new ContextMenu(page);
  }

  async isShown(): Promise<boolean> {
    return this.pane().isVisible();
  }

  /** Waits until keys go to the rows. */
  async focused(): Promise<void> {
    await this.pane().locator('.pane-body .monaco-list:focus').waitFor();
  }

  /** Waits for the view and unfolds it. */
  async expand(): Promise<void> {
    await this.pane().waitFor();
    const header = this.header();
    if ((await header.getAttribute('aria-expanded')) === 'false') {
      await header.click();
      await until(`view "${this.title}" unfolded`, async () => {
        return (await header.getAttribute('aria-expanded')) === 'true';
      });
    }
  }

  /** The dimmed text beside the title. */
  async description(): Promise<string> {
    const text = this.header().locator('.description');
    return (await text.count()) === 0 ? '' : normalise((await text.first().textContent()) ?? '');
  }

  async rows(): Promise<TreeRow[]> {
    return this.rowLocator().evaluateAll((rows: PageElement[]) => {
      const text = (row: PageElement, selector: string): string =>
        (row.querySelector(selector)?.textContent ?? '').replace(/\s+/g, ' ').trim();
      const index = (row: PageElement): number => Number(row.getAttribute('data-index'));
      const expanded = (row: PageElement): boolean | undefined => {
        const value = row.getAttribute('aria-expanded');
        return value === null ? undefined : value === 'true';
      };
      return rows
        .sort((a, b) => index(a) - index(b))
        .map((row) => ({
          label: text(row, '.label-name'),
          description: text(row, '.label-description'),
          level: Number(row.getAttribute('aria-level')),
          expanded: expanded(row),
          selected: row.classList.contains('selected'),
          ariaLabel: row.getAttribute('aria-label') ?? '',
        }));
    });
  }

  async labels(): Promise<string[]> {
    return (await this.rows()).map((row) => row.label);
  }

  /** Waits for a row by its label and, where given, its description. */
  async row(label: Expected, description?: Expected, timeoutMs?: number): Promise<TreeRow> {
    return until(
      `row ${label} ${description ?? ''} in "${this.title}"`,
      async () =>
        (await this.rows()).find(
          (row) =>
            matches(row.label, label) &&
            (description === undefined || matches(row.description, description)),
        ),
      { seen: () => this.rows(), ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    );
  }

  /** Scrolls down until a row with this label is in sight. */
  async reach(label: Expected): Promise<void> {
    await until(
      `row ${label} further down in "${this.title}"`,
      async () => {
        if ((await this.labels()).some((text) => matches(text, label))) return true;
        await this.pane().locator('.pane-body').first().hover();
        await this.page.mouse.wheel(0, SCROLL_PIXELS);
        return false;
      },
      { seen: () => this.labels() },
    );
  }

  /** Waits until no row has this label. */
  async noRow(label: Expected, timeoutMs?: number): Promise<void> {
    await until(
      `no row ${label} in "${this.title}"`,
      async () => !(await this.labels()).some((text) => matches(text, label)),
      { seen: () => this.labels(), ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    );
  }

  /** Clicks rows; the second and later ones are added to the selection. */
  async select(...labels: Expected[]): Promise<void> {
    for (const [index, label] of labels.entries()) {
      const row = await this.find(label);
      await row.click(index === 0 ? {} : { modifiers: ['ControlOrMeta'] });
    }
  }

  /** Opens a row that has children. */
  async open(label: Expected): Promise<void> {
    const row = await this.find(label);
    if ((await row.getAttribute('aria-expanded')) === 'false') {
      await row.locator('.monaco-tl-twistie').click();
      await until(`row ${label} open`, async () => {
        return (await row.getAttribute('aria-expanded')) === 'true';
      });
    }
  }

  /** Folds a row that has children. */
  async fold(label: Expected): Promise<void> {
    const row = await this.find(label);
    if ((await row.getAttribute('aria-expanded')) === 'true') {
      await row.locator('.monaco-tl-twistie').click();
      await until(`row ${label} folded`, async () => {
        return (await row.getAttribute('aria-expanded')) === 'false';
      });
    }
  }

  /** Presses the button of a row that appears when the mouse is over it. */
  async inlineAction(label: Expected, action: string): Promise<void> {
    const row = await this.find(label);
    await clickRevealed(row, row.locator(`.actions .action-label[aria-label^="${action}"]`));
  }

  /** Selects rows, opens the menu on the last, picks an entry (further titles: submenus). */
  async contextMenu(labels: Expected | readonly Expected[], ...titles: string[]): Promise<void> {
    await this.openContextMenu(labels);
    await this.menu.choose(...titles);
  }

  /** What the menu of rows offers. */
  async contextMenuTitles(labels: Expected | readonly Expected[]): Promise<string[]> {
    await this.openContextMenu(labels);
    const titles = await this.menu.titles();
    await this.menu.dismiss();
    return titles;
  }

  /** What is said where the mouse rests on a row. */
  async tooltip(label: Expected): Promise<string> {
    const row = await this.find(label);
    const hover = this.page.locator('.workbench-hover .hover-contents');
    const text = await until(`tooltip of ${label}`, async () => {
      // Where the mouse is already, it has to move for the tooltip to come.
      await this.page.mouse.move(0, 0);
      await row.locator('.label-name').hover();
      await hover
        .first()
        .waitFor({ timeout: HOVER_MS })
        .catch(() => undefined);
      return (await hover.count()) > 0 ? (await hover.allInnerTexts()).join(' ') : undefined;
    });
    await this.page.mouse.move(0, 0);
    return normalise(text);
  }

  /** How far the label of a row stands out from what is behind it, as WCAG counts it: from 1 to 21. */
  async contrast(label: Expected): Promise<number> {
    return contrastOf((await this.find(label)).locator('.label-name'));
  }

  /** Whether a row has the icon that the theme has for its kind of file. */
  async hasFileIcon(label: Expected): Promise<boolean> {
    return (await (await this.find(label)).locator('.file-icon').count()) > 0;
  }

  /** Whether label and buttons of a row are drawn within the view, and the label is in sight at all. */
  async fits(label: Expected): Promise<boolean> {
    const row = await this.find(label);
    await row.hover();
    const view = await this.pane().boundingBox();
    const parts = row.locator('.label-name, .actions .action-label');
    const boxes = await Promise.all((await parts.all()).map((part) => part.boundingBox()));
    const [name] = boxes;
    if (view === null || name === undefined || name === null) return false;
    const end = view.x + view.width;
    const isLabelThere = name.x < end - MIN_LABEL_PIXELS;
    const buttons = boxes.slice(1);
    return isLabelThere && buttons.every((box) => box === null || box.x + box.width <= end);
  }

  /** Saves a picture of the view alone. */
  async screenshot(file: string): Promise<void> {
    await this.page.mouse.move(0, 0);
    await this.pane().screenshot({ path: file, animations: 'disabled' });
  }

  /** Labels of the buttons in the title, those of the workbench itself included. */
  async titleActions(): Promise<string[]> {
    await this.header().hover();
    const labels = await this.header()
      .locator('.actions .action-label')
      .evaluateAll((all: PageElement[]) => all.map((one) => one.getAttribute('aria-label') ?? ''));
    return labels.map(normalise);
  }

  /** Presses an action of the view's title, in sight or behind the dots. */
  async titleAction(title: string): Promise<void> {
    await this.header().hover();
    const button = this.header().locator(`.actions .action-label[aria-label^="${title}"]`);
    if ((await button.count()) > 0) {
      await clickRevealed(this.header(), button);
      return;
    }
    await this.header().locator('.actions .codicon-toolbar-more').click();
    await this.menu.choose(title);
  }

  /** Waits for the text above the rows. */
  async says(expected: Expected): Promise<void> {
    const message = this.pane().locator('.pane-body .message');
    const shown = async (): Promise<string> => normalise((await message.allInnerTexts()).join(' '));
    await until(
      `"${expected}" above "${this.title}"`,
      async () => matches(await shown(), expected),
      {
        seen: shown,
      },
    );
  }

  /** The text of an empty view, button labels included. */
  async welcomeText(): Promise<string> {
    const texts = await this.welcome().allInnerTexts();
    return normalise(texts.join(' '));
  }

  /** Waits for the text of an empty view. */
  async welcomed(expected: Expected): Promise<void> {
    await until(
      `welcome text ${expected} in "${this.title}"`,
      async () => {
        const text = await this.welcomeText();
        return typeof expected === 'string' ? text.includes(expected) : expected.test(text);
      },
      { seen: () => this.welcomeText() },
    );
  }

  /** Presses a button or link of an empty view. */
  async welcomeAction(label: string): Promise<void> {
    const button = this.welcome().locator('.monaco-button').filter({ hasText: label });
    const link = this.welcome().locator('a').filter({ hasText: label });
    await button.or(link).first().click();
  }

  private async openContextMenu(labels: Expected | readonly Expected[]): Promise<void> {
    const all = typeof labels === 'string' || labels instanceof RegExp ? [labels] : labels;
    if (all.length > 1) {
      await this.select(...all);
    }
    const last = all[all.length - 1];
    if (last === undefined) {
      throw new Error('a context menu needs a row');
    }
    await this.menu.openOn(await this.find(last));
  }

  /** Waits for a row and gives a locator on it. */
  private async find(label: Expected): Promise<Locator> {
    const row = await this.row(label);
    // Positions and descriptions change while rows come, go and make progress; labels stay.
    const name = this.page.locator('.label-name').filter({ hasText: wholeText(row.label) });
    return this.rowLocator().filter({ has: name }).first();
  }

  private pane(): Locator {
    const exact = this.page.locator('.pane-header .title').getByText(this.title, { exact: true });
    return this.page.locator('.pane').filter({ has: exact }).first();
  }

  private header(): Locator {
    return this.pane().locator('.pane-header');
  }

  private welcome(): Locator {
    return this.pane().locator('.welcome-view-content');
  }

  private rowLocator(): Locator {
    return this.pane().locator('.pane-body .monaco-list-row[role="treeitem"]');
  }
}
