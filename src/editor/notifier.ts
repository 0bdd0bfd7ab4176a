import * as vscode from 'vscode';
import { COMMANDS } from './contributions';

/** A button of a notification, and what it does. */
export interface NotificationAction {
  readonly title: string;
  readonly run: () => unknown;
}

type FailureReport = (title: string, error: unknown) => void;

/** Who hears of an action that failed. Set once, by whoever puts the parts together. */
let reportFailure: FailureReport | undefined;

export function onActionFailed(report: FailureReport): void {
  reportFailure = report;
}

type Severity = 'info' | 'warning' | 'error';

/**
 * The only place that shows notifications. Texts come from `vscode.l10n.t`; what they hold of others
 * has passed `foreignText`. Nobody waits for a notification: it may stay for hours.
 */
export function notify(
  severity: Severity,
  message: string,
  actions: readonly NotificationAction[] = [],
): void {
  const titles = actions.map(({ title }) => title);
  void show(severity, message, titles).then((chosen) => {
    const action = actions.find(({ title }) => title === chosen);
    if (action !== undefined) void run(action);
  });
}

/** As {@link notify}, with a button that opens the log. */
export function notifyWithLog(severity: Severity, message: string): void {
  const run = (): unknown => vscode.commands.executeCommand(COMMANDS.showLog);
  notify(severity, message, [{ title: vscode.l10n.t('Show Log'), run }]);
}

/** A modal question, for acts that destroy or expose. Resolves to the chosen title or undefined. */
export function ask<T extends string>(
  message: string,
  detail: string,
  ...titles: T[]
): Promise<T | undefined> {
  const options = { modal: true, detail };
  return Promise.resolve(vscode.window.showWarningMessage(message, options, ...titles));
}

/** A modal message, for what is read at leisure and compared. Resolves when it is closed. */
export async function tellInDetail(message: string, detail: string): Promise<void> {
  await vscode.window.showInformationMessage(message, { modal: true, detail });
}

async function run({ title, run: act }: NotificationAction): Promise<void> {
  try {
    await act();
  } catch (error) {
    reportFailure?.(title, error);
  }
}

function show(severity: Severity, message: string, titles: string[]): Thenable<string | undefined> {
  switch (severity) {
    case 'info':
      return vscode.window.showInformationMessage(message, ...titles);
    case 'warning':
      return vscode.window.showWarningMessage(message, ...titles);
    case 'error':
      return vscode.window.showErrorMessage(message, ...titles);
  }
}
