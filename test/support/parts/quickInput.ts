import type { Locator, Page } from 'playwright-core';
import type { PageElement } from './pageElement';
import { clickRevealed, matches, normalise, until, wholeText, type Expected } from './waits';

const POLL_MS = 50;
/** A list that was chosen from is gone by then, also on a busy machine. */
const CHOICE_MS = 3_000;

/** What tells one question from another; all parts given must fit. */
export interface QuickInputFilter {
  title?: Expected;
  placeholder?: Expected;
}

export interface QuickPickItem {
  label: string;
  description: string;
  detail: string;
  checked: boolean;
}

/** What quick picks and input boxes have in common: the widget at the top of the window. */
export class QuickInput {
  constructor(protected readonly page: Page) {}

  /** Waits until the question is there. */
  async opened(filter: QuickInputFilter = {}): Promise<void> {
    await until(
      `quick input ${describe(filter)}`,
      async () => (await this.isOpen()) && (await this.fits(filter)),
      { seen: () => this.shown() },
    );
  }

  /** Whether a question appears within this time. */
  async opens(timeoutMs: number): Promise<boolean> {
    return this.widget()
      .waitFor({ state: 'visible', timeout: timeoutMs })
      .then(
        () => true,
        () => false,
      );
  }

  async closed(): Promise<void> {
    await this.widget().waitFor({ state: 'hidden' });
  }

  async isOpen(): Promise<boolean> {
    return this.widget().isVisible();
  }

  async title(): Promise<string> {
    return textOf(this.widget().locator('.quick-input-title'));
  }

  async placeholder(): Promise<string> {
    return (await this.input().getAttribute('placeholder')) ?? '';
  }

  /** Prompt or complaint below the input. */
  async message(): Promise<string> {
    return textOf(this.widget().locator('.quick-input-message'));
  }

  async value(): Promise<string> {
    return this.input().inputValue();
  }

  /** Replaces the text in the input. @throws when there is none to type in for so long. */
  async type(text: string, timeoutMs?: number): Promise<void> {
    await this.input().fill(text, timeoutMs === undefined ? {} : { timeout: timeoutMs });
  }

  /** Presses a button of the title bar or beside the input, by its tooltip. */
  async pressButton(tooltip: string): Promise<void> {
    await this.widget()
      .locator(`.quick-input-action-bar .action-label[aria-label="${tooltip}"]`)
      .or(this.widget().locator(`.quick-input-inline-action-bar [aria-label="${tooltip}"]`))
      .or(this.widget().locator(`.quick-input-titlebar [aria-label="${tooltip}"]`))
      .first()
      .click();
  }

  async cancel(): Promise<void> {
    await this.input().press('Escape');
    await this.closed();
  }

  protected widget(): Locator {
    return this.page.locator('.quick-input-widget');
  }

  protected input(): Locator {
    return this.widget().locator('.quick-input-box input');
  }

  protected rows(): Locator {
    return this.widget().locator('.quick-input-list .monaco-list-row');
  }

  private async fits(filter: QuickInputFilter): Promise<boolean> {
    const { title, placeholder } = filter;
    return (
      (title === undefined || matches(await this.title(), title)) &&
      (placeholder === undefined || matches(await this.placeholder(), placeholder))
    );
  }

  private async shown(): Promise<unknown> {
    if (!(await this.isOpen())) {
      return 'no quick input';
    }
    return { title: await this.title(), placeholder: await this.placeholder() };
  }
}

/** A list to choose from. Only the rows in sight exist, so type to narrow a long list. */
export class QuickPick extends QuickInput {
  async items(): Promise<QuickPickItem[]> {
    return this.rows().evaluateAll((rows: PageElement[]) => {
      const text = (row: PageElement, selector: string): string =>
        (row.querySelector(selector)?.textContent ?? '').replace(/\s+/g, ' ').trim();
      const index = (row: PageElement): number => Number(row.getAttribute('data-index'));
      return rows
        .sort((a, b) => index(a) - index(b))
        .map((row) => ({
          label: text(row, '.quick-input-list-label .label-name'),
          description: text(row, '.quick-input-list-label .label-description'),
          detail: text(row, '.quick-input-list-label-meta'),
          checked: row.querySelector('[aria-checked="true"], .checked') !== null,
        }));
    });
  }

  async labels(): Promise<string[]> {
    return (await this.items()).map((item) => item.label);
  }

  /** Tooltips of the buttons at the ends of the rows. */
  async buttons(): Promise<string[]> {
    const buttons = this.widget().locator('.quick-input-list-entry-action-bar .action-label');
    return buttons.evaluateAll((all: PageElement[]) =>
      all.map((one) => one.getAttribute('aria-label') ?? ''),
    );
  }

  /** Waits for a row with this label and clicks it, which also accepts single choices. */
  async choose(label: Expected): Promise<void> {
    const title = firstPart(await this.title());
    await until(`"${label}" chosen`, async () => {
      const row = await this.row(label);
      await row.click();
      // A click that comes just when the rows are replaced is forgotten.
      return this.hasLeft(title, label);
    });
  }

  /** Chooses the row that has the focus, by a key. */
  async takeFocused(): Promise<void> {
    const title = firstPart(await this.title());
    await until('row in focus chosen', async () => {
      await this.page.keyboard.press('Enter');
      // A key that comes just when the rows are replaced is forgotten; one too many would answer
      // what is asked next.
      return this.hasLeft(title);
    });
  }

  /** Ticks the row that is left where several may be chosen, by keys, and takes it. */
  async takeTicked(): Promise<void> {
    await until('one row left', async () => (await this.rows().count()) === 1);
    await this.page.keyboard.press('ArrowDown');
    await this.page.keyboard.press('Space');
    await until('row ticked', async () => (await this.items())[0]?.checked === true);
    await this.page.keyboard.press('Enter');
    await this.closed();
  }

  /** Whether the list goes, loses a row, or becomes another one, within a short time. */
  private async hasLeft(title: string, label?: Expected): Promise<boolean> {
    const deadlineMs = Date.now() + CHOICE_MS;
    do {
      if (!(await this.isOpen()) || firstPart(await this.title()) !== title) return true;
      if (label !== undefined && !(await this.labels()).some((text) => matches(text, label)))
        return true;
      await this.page.waitForTimeout(POLL_MS);
    } while (Date.now() < deadlineMs);
    return false;
  }

  /** Whether a row with this label comes within a time. */
  async offers(label: Expected, timeoutMs: number): Promise<boolean> {
    const deadlineMs = Date.now() + timeoutMs;
    while (Date.now() < deadlineMs) {
      if ((await this.labels()).some((text) => matches(text, label))) return true;
      await this.page.waitForTimeout(POLL_MS);
    }
    return false;
  }

  /** Ticks or unticks a row where several may be chosen. */
  async toggle(label: Expected): Promise<void> {
    const isTicked = async (): Promise<boolean | undefined> =>
      (await this.items()).find((item) => matches(item.label, label))?.checked;
    const before = await isTicked();
    await (await this.row(label)).click();
    await until('row ticked or unticked', async () => (await isTicked()) !== before);
  }

  /** Presses a button at the end of a row, by its tooltip. */
  async pressItemButton(label: Expected, tooltip: string): Promise<void> {
    const row = await this.row(label);
    const bar = row.locator('.quick-input-list-entry-action-bar');
    await clickRevealed(row, bar.locator(`[aria-label="${tooltip}"]`));
  }

  /** Accepts what is ticked or focused. */
  async accept(): Promise<void> {
    await this.input().press('Enter');
  }

  /** Waits for a row and gives a locator that stays on it when the list is redrawn. */
  private row(label: Expected): Promise<Locator> {
    return until(
      `quick pick item ${label}`,
      async () => {
        const found = (await this.labels()).find((text) => matches(text, label));
        return found === undefined ? undefined : this.rowWithLabel(found);
      },
      { seen: async () => ((await this.isOpen()) ? this.labels() : 'no quick pick') },
    );
  }

  private rowWithLabel(label: string): Locator {
    const name = this.page
      .locator('.quick-input-list-label .label-name')
      .filter({ hasText: wholeText(label) });
    return this.rows().filter({ has: name }).first();
  }
}

/** A question with free text as the answer. */
export class InputBox extends QuickInput {
  /** Fills in an answer and gives it; the next question, if any, must be waited for. */
  async answer(text: string): Promise<void> {
    await this.opened();
    await this.type(text);
    await this.accept();
  }

  async accept(): Promise<void> {
    await this.input().press('Enter');
  }

  /** Waits for a complaint about what was typed. */
  async complaint(expected: Expected): Promise<void> {
    await until(`complaint ${expected}`, async () => matches(await this.message(), expected), {
      seen: () => this.message(),
    });
  }
}

/** A title without the count behind it, which changes by itself. */
function firstPart(title: string): string {
  return title.split(':')[0] ?? '';
}

async function textOf(locator: Locator): Promise<string> {
  return normalise((await locator.first().textContent()) ?? '');
}

function describe(filter: QuickInputFilter): string {
  return Object.entries(filter)
    .map(([name, expected]) => `${name} ${expected}`)
    .join(', ');
}
