import * as vscode from 'vscode';
import { describeError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { CommandId } from './contributions';
import { errorMessage, severityOf } from './errorMessages';
import { notifyWithLog } from './notifier';

export type CommandHandler = (...args: unknown[]) => Promise<void> | void;

/**
 * The one wrapper of all commands: logs the start and the failure, passes over cancellation, and
 * shows what went wrong with a next step and the way to the log.
 */
export class CommandRunner {
  constructor(private readonly logger: Logger) {}

  register(id: CommandId, handler: CommandHandler): vscode.Disposable {
    return vscode.commands.registerCommand(id, (...args: unknown[]) =>
      this.run(id, () => handler(...args)),
    );
  }

  /** For what runs without a command, such as connecting at the start. */
  async run(what: string, task: () => Promise<void> | void): Promise<void> {
    this.logger.info(`${what}: started`);
    try {
      await task();
    } catch (error) {
      this.report(what, error);
    }
  }

  report(what: string, error: unknown): void {
    const failure = PeershelfError.from(error);
    if (failure.code === 'CANCELLED') {
      this.logger.info(`${what}: cancelled`);
      return;
    }
    this.logger.error(`${what}: ${describeError(failure)}`);
    notifyWithLog(severityOf(failure.code), errorMessage(failure));
  }
}
