import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { evidenceFile, readLogEnds } from '../../scripts/host/evidence';
import type { RunningServer } from '../../scripts/host/vscodeServer';
import { ContextMenu } from './parts/contextMenu';
import { Explorer } from './parts/explorer';
import { FileDialog } from './parts/fileDialog';
import { ModalDialog, Notifications } from './parts/notifications';
import { InputBox, QuickPick } from './parts/quickInput';
import { View } from './parts/view';
import {
  matches,
  normalise,
  until,
  wholeText,
  WORKBENCH_TIMEOUT_MS,
  type Expected,
} from './parts/waits';

/** How long a command may take to be listed, before the palette is opened anew. */
const PALETTE_RETRY_MS = 2_000;
const KEY_RETRY_MS = 2_000;
/** The folders of a workspace are there by then. */
const ROOTS_MS = 5_000;
/** Of the width of the sidebar, so that its least width is reached. */
const DRAGGED_SHARE = 0.6;
const KEPT_CONSOLE_LINES = 500;
/** Tooltips: that of the element below the resting mouse may cover the one that is clicked next. */
const CLICKED_THROUGH =
  '.context-view:has(.workbench-hover), .workbench-hover { pointer-events: none !important; }';

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One VS Code window in a browser page, driven the way a user would. */
export class Workbench {
  readonly quickPick: QuickPick;
  readonly inputBox: InputBox;
  readonly fileDialog: FileDialog;
  readonly explorer: Explorer;
  readonly notifications: Notifications;
  readonly dialog: ModalDialog;
  readonly menu: ContextMenu;
  /** Last lines of the page's console; extension host output is among them. */
  readonly consoleLines: string[] = [];

  private constructor(
    readonly server: RunningServer,
    readonly page: Page,
  ) {
    this.quickPick = new QuickPick(page);
    this.inputBox = new InputBox(page);
    this.fileDialog = new FileDialog(page);
    this.explorer = new Explorer(page);
    this.notifications = new Notifications(page);
    this.dialog = new ModalDialog(page);
    this.menu = new ContextMenu(page);
    page.setDefaultTimeout(WORKBENCH_TIMEOUT_MS);
    page.on('console', (message) => this.keepLine(message.text()));
    page.on('pageerror', (error) => this.keepLine(`page error: ${error.message}`));
    // Only "leave this page?" comes this way, and tests that leave mean it.
    page.on('dialog', (dialog) => void dialog.accept().catch(() => undefined));
  }

  /** A window that shows nothing yet: `goto` loads the workbench. */
  static async create(context: BrowserContext, server: RunningServer): Promise<Workbench> {
    const page = await context.newPage();
    // The transpiler wraps functions in a helper that does not exist inside the page.
    await page.addInitScript('globalThis.__name = (target) => target');
    await page.addInitScript(`document.addEventListener('DOMContentLoaded', () => {
      const style = document.createElement('style');
      style.textContent = ${JSON.stringify(CLICKED_THROUGH)};
      document.head.append(style);
    })`);
    return new Workbench(server, page);
  }

  /** Loads the window again with the same storage, as "Reload Window" does. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.restored();
  }

  /** As `reload`, by the command of the editor: it takes leave of its extension host before. */
  async reloadByCommand(): Promise<void> {
    const loaded = this.page.waitForEvent('domcontentloaded');
    await this.openPalette('>Developer: Reload Window');
    await until('the command in the palette', () =>
      this.quickPick.offers('Developer: Reload Window', PALETTE_RETRY_MS),
    );
    await this.page.keyboard.press('Enter');
    await loaded;
    await this.restored();
  }

  /** Loads an address of the server and resolves when the workbench has restored its state. */
  async goto(address: string): Promise<void> {
    await this.page.goto(address);
    await this.restored();
  }

  /**
   * Waits until the window has gone to another address by itself. Nothing may be asked of it on the way:
   * what is not answered before the page goes is never answered.
   */
  async entered(address: RegExp, timeoutMs = WORKBENCH_TIMEOUT_MS): Promise<void> {
    await this.page.waitForURL(address, { timeout: timeoutMs });
    await this.restored();
  }

  /**
   * Waits for a folder of the workspace in the explorer, which must be open. A browser sometimes loads a
   * workspace of several folders as one without any; it is loaded once more then.
   */
  async showsRoot(name: string): Promise<void> {
    const isThere = async (): Promise<boolean> => (await this.explorer.names()).includes(name);
    await until(`folder ${name}`, isThere, { timeoutMs: ROOTS_MS }).catch(() => this.reload());
    await this.explorer.shows(name);
  }

  /** Closes the page. */
  async close(): Promise<void> {
    await this.page.close();
  }

  /** Runs a command through the palette by its whole title, category included. */
  async runCommand(title: string): Promise<void> {
    await until(`command "${title}" in the palette`, async () => {
      await this.openPalette(`>${title}`);
      if (await this.quickPick.offers(title, PALETTE_RETRY_MS)) return true;
      // An open palette never learns of a command that the workbench registers later.
      await this.quickPick.cancel();
      return false;
    });
    await this.quickPick.choose(title);
  }

  /** Titles that the palette offers for a text. */
  async paletteTitles(text: string): Promise<string[]> {
    await this.openPalette(`>${text}`);
    await until('palette filled', async () => (await this.quickPick.labels()).length > 0);
    const titles = await this.quickPick.labels();
    await this.quickPick.cancel();
    return titles;
  }

  /** Shows a container of the activity bar. */
  async openView(containerTitle: string): Promise<void> {
    const tab = this.page
      .locator('.activitybar .action-item')
      .filter({ has: this.page.locator(`.action-label[aria-label^="${containerTitle}"]`) })
      .first();
    await tab.waitFor();
    if (!(await hasClass(tab, 'checked'))) {
      await tab.click();
      // What is said of the icon below the pointer would lie upon the first row.
      await this.page.mouse.move(0, 0);
      await until(`container "${containerTitle}" open`, () => hasClass(tab, 'checked'));
    }
  }

  /** Drags the edge of the sidebar until it is as narrow as can be; gives its width in pixels. */
  async narrowSidebar(): Promise<number> {
    const sidebar = this.page.locator('.part.sidebar');
    const before = await boxOf(sidebar);
    const edge = before.x + before.width;
    const middle = before.y + before.height / 2;
    await this.page.mouse.move(edge, middle);
    await this.page.mouse.down();
    // Much further would close it.
    await this.page.mouse.move(edge - before.width * DRAGGED_SHARE, middle, { steps: 10 });
    await this.page.mouse.up();
    await this.page.mouse.move(0, 0);
    return (await boxOf(sidebar)).width;
  }

  /** Waits until the icon of a container has this number; none for an empty text. */
  async badge(containerTitle: string, text: string): Promise<void> {
    const badge = this.page
      .locator('.activitybar .action-item')
      .filter({ has: this.page.locator(`.action-label[aria-label^="${containerTitle}"]`) })
      .locator('.badge-content');
    const shown = async (): Promise<string> => (await badge.allTextContents()).join('').trim();
    await until(`badge "${text}"`, async () => (await shown()) === text, { seen: shown });
  }

  /** A view of the open container. */
  view(title: string): View {
    return new View(this.page, title);
  }

  /** Waits for a status bar item by its text and gives that. */
  async statusBarItem(text: RegExp, timeoutMs?: number): Promise<string> {
    return until(
      `status bar item ${text}`,
      async () => (await this.statusBarTexts()).find((found) => text.test(found)),
      {
        seen: () => this.statusBarTexts(),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      },
    );
  }

  async clickStatusBarItem(text: RegExp): Promise<void> {
    await this.statusBarItem(text);
    await this.statusBar().filter({ hasText: text }).first().click();
  }

  /** Texts of the status bar without icons; what a screen reader says is in the labels. */
  async statusBarTexts(): Promise<string[]> {
    const texts = await this.statusBar().allTextContents().catch(nothingWhileLoading);
    return texts.map(normalise).filter((text) => text !== '');
  }

  /** Titles of the open editors, from left to right. */
  async editorTabs(): Promise<string[]> {
    const tabs = await this.page.locator('.tabs-container .tab .monaco-icon-label').all();
    const texts = await Promise.all(tabs.map((tab) => tab.textContent()));
    return texts.map((text) => normalise(text ?? ''));
  }

  /** Picks an entry of the menu of an editor's tab; an open menu never learns what comes later. */
  async tabMenu(name: string, title: string): Promise<void> {
    const tab = this.page.locator(`.tabs-container .tab[data-resource-name="${name}"]`);
    // A message that comes at that moment closes the menu.
    await until(`"${title}" chosen in the menu of tab "${name}"`, async () => {
      await tab.click({ button: 'right' });
      if ((await this.menu.titles()).includes(title) && (await this.menu.chooseOpen(title)))
        return true;
      await this.menu.dismiss();
      return false;
    });
  }

  /** Text in sight of the editor that is active. */
  async editorText(): Promise<string> {
    const lines = this.page.locator('.editor-group-container.active .view-lines').first();
    return (await lines.innerText()).replaceAll('\u00a0', ' ');
  }

  /** Waits until the active editor shows a file with this text. */
  async editorShows(tab: Expected, text: RegExp): Promise<void> {
    const active = this.page.locator('.editor-group-container.active .tab.active');
    await until(
      `editor ${tab} with ${text}`,
      async () => {
        if ((await active.count()) === 0) {
          return false;
        }
        const title = normalise((await active.first().textContent()) ?? '');
        return matches(title, tab) && text.test(await this.editorText());
      },
      { seen: () => this.editorTabs() },
    );
  }

  /** Types at the beginning of the editor that is active. */
  async typeIntoEditor(text: string): Promise<void> {
    await this.page.locator('.editor-group-container.active .view-lines').first().click();
    await this.press('Control+Home');
    await this.type(text);
  }

  /** Whether the active editor holds something that the disk does not. */
  async isEditorDirty(): Promise<boolean> {
    return hasClass(this.page.locator('.editor-group-container.active .tab.active'), 'dirty');
  }

  /** Types into whatever has the focus. */
  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  async isRestricted(): Promise<boolean> {
    return (await this.statusBarTexts()).some((text) => text.includes('Restricted Mode'));
  }

  /** Trusts the folder: in the dialog of a first start, else in the trust editor. */
  async trustFolder(): Promise<void> {
    await until('a way to trust the folder', async () => {
      return (await this.dialog.isOpen()) || (await this.isRestricted());
    });
    if (await this.dialog.isOpen()) {
      await this.dialog.press('Yes, I trust the authors', /trust the authors/);
    } else {
      await this.runCommand('Workspaces: Manage Workspace Trust');
      const editor = this.page.locator('.workspace-trust-editor');
      await editor
        .locator('.monaco-button')
        .filter({ hasText: wholeText('Trust') })
        .click();
      // The newest build shows this editor above everything; notifications wait behind it.
      await this.runCommand('View: Close Editor');
      await editor.waitFor({ state: 'hidden' });
    }
    await until('the folder trusted', async () => !(await this.isRestricted()));
  }

  /** Answers the dialog of a first start with no. */
  async declineTrust(): Promise<void> {
    await this.dialog.press("No, I don't trust the authors", /trust the authors/);
    await until('restricted mode', () => this.isRestricted());
  }

  /** Text on the clipboard of the browser, which all its windows share. */
  async clipboard(): Promise<string> {
    return this.page.evaluate<string>('navigator.clipboard.readText()');
  }

  /** Saves a picture of the window. */
  async screenshot(file: string): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true });
    await this.page.screenshot({ path: file });
  }

  /** Keeps what a failed test leaves to look at: a picture, the console, and the ends of logs. */
  async keepEvidence(title: string): Promise<void> {
    const base = evidenceFile(title);
    await this.screenshot(`${base}.png`);
    await writeFile(`${base}.console.log`, this.consoleLines.join('\n'));
    await writeFile(`${base}.engine.log`, await readLogEnds(this.server));
  }

  private async openPalette(text: string): Promise<void> {
    const opened = this.page.locator('.quick-input-widget');
    await until('command palette', async () => {
      await this.page.keyboard.press('F1');
      try {
        await opened.waitFor({ timeout: KEY_RETRY_MS });
        await this.quickPick.type(text, KEY_RETRY_MS);
        return true;
      } catch {
        // The key came before anything listened, or the window, still starting, took the focus: again.
        return false;
      }
    });
  }

  private async restored(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor();
    // The workbench leaves this mark once views and editors are back.
    await this.page.waitForFunction(
      "performance.getEntriesByName('code/didStartWorkbench').length > 0",
    );
  }

  private statusBar(): Locator {
    return this.page.locator('.statusbar-item');
  }

  private keepLine(line: string): void {
    this.consoleLines.push(line);
    if (this.consoleLines.length > KEPT_CONSOLE_LINES) {
      this.consoleLines.shift();
    }
  }
}

/** A window that loads itself again at this moment, as when trust is taken away, shows nothing yet. */
function nothingWhileLoading(error: Error): string[] {
  if (error.message.includes('Execution context was destroyed')) return [];
  throw error;
}

async function boxOf(locator: Locator): Promise<Box> {
  const box = await locator.boundingBox();
  if (box === null) throw new Error('an element is not in sight');
  return box;
}

async function hasClass(locator: Locator, name: string): Promise<boolean> {
  return (await locator.getAttribute('class'))?.split(' ').includes(name) ?? false;
}
