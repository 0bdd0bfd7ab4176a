import type { Command } from 'commander';
import type { Output } from './output';

/** What every command gets: where to write, and how to stop. */
export interface CommandContext {
  readonly output: Output;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly setExitCode: (code: number) => void;
  /** Adds the options that every command with a session has. */
  readonly session: (command: Command) => Command;
}
