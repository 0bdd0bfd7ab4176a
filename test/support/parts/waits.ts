import { setTimeout as delay } from 'node:timers/promises';
import { errors, type Locator } from 'playwright-core';
import { eventually as within } from '../waitFor';

/** How long anything in the workbench may take on a busy machine. */
export const WORKBENCH_TIMEOUT_MS = 30_000;

const POLL_MS = 50;
const MAX_POLL_MS = 250;
/** Asking costs the window time that it needs to get there: what takes long is asked after less often. */
const POLL_SHARE = 0.05;

/**
 * Asks `probe` again and again until it gives a value other than `undefined` or `false`.
 * Fails after `timeoutMs` with `what` and, where given, what was there instead.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  options: { timeoutMs?: number; seen?: () => Promise<unknown> } = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? WORKBENCH_TIMEOUT_MS;
  const startMs = Date.now();
  for (;;) {
    const result = await probe();
    if (result !== undefined && result !== false) {
      return result;
    }
    const waitedMs = Date.now() - startMs;
    if (waitedMs > timeoutMs) {
      const seen =
        options.seen === undefined ? '' : `; seen: ${JSON.stringify(await options.seen())}`;
      throw new Error(`${what}: not within ${timeoutMs} ms${seen}`);
    }
    await delay(Math.min(MAX_POLL_MS, Math.max(POLL_MS, waitedMs * POLL_SHARE)));
  }
}

/** One try to reach an element by the mouse. */
const CLICK_MS = 1_000;

/**
 * Clicks a button that is there while the mouse is over its owner. The owner may move away from below the
 * mouse, and what is said of something else may lie above it.
 */
export async function clickRevealed(owner: Locator, button: Locator): Promise<void> {
  await until(`a click on ${String(button)}`, async () => {
    try {
      await owner.hover({ timeout: CLICK_MS });
      await button.first().click({ timeout: CLICK_MS });
      return true;
    } catch (error) {
      if (!(error instanceof errors.TimeoutError)) throw error;
      await owner.page().mouse.move(0, 0);
      return false;
    }
  });
}

/** Text that a test expects: exactly this, or matching this pattern. */
export type Expected = string | RegExp;

export function matches(text: string, expected: Expected): boolean {
  return typeof expected === 'string' ? text === expected : expected.test(text);
}

/** Runs of white space, non-breaking ones included, count as one space. */
export function normalise(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** A pattern for an element whose whole text this is, however its spaces are drawn. */
export function wholeText(text: string): RegExp {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^\\s*${escaped.replace(/ /g, '\\s+')}\\s*$`);
}

/** Whether an element has a class now. */
export async function hasClass(element: Locator, name: string): Promise<boolean> {
  return (await element.getAttribute('class'))?.split(' ').includes(name) ?? false;
}

/** As `eventually` of the tests without a window, with the time that a window takes. */
export function eventually<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  what: string,
): Promise<T> {
  return within(probe, what, WORKBENCH_TIMEOUT_MS);
}
