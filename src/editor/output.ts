import * as vscode from 'vscode';
import type { Disposable } from '../common/disposable';
import type { LogSink } from '../common/logger';

export interface Output extends Disposable {
  readonly sink: LogSink;
  show(): void;
}

/** The log channel "Peershelf"; its level is the user's, by the channel's own menu. */
export function createOutput(): Output {
  const channel = vscode.window.createOutputChannel('Peershelf', { log: true });
  return {
    sink: (level, tag, message) => channel[level](`[${tag}] ${message}`),
    show: () => channel.show(),
    dispose: () => channel.dispose(),
  };
}
