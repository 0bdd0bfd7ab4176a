import { type Disposable, toDisposable } from '../common/disposable';
import type { ErrorCode } from '../common/errors';

/** What a forked tracker tells the program that started it. */
export type TrackerMessage =
  | {
      readonly type: 'ready';
      readonly host: string;
      readonly port: number;
      readonly pid: number;
    }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };

/** The parts of a process that the tracker command touches, so that tests can do without one. */
export interface TrackerIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly pid: number;
  /** Calls back when the system asks the process to end. */
  onStopSignal(callback: (signal: string) => void): Disposable;
  /** Calls back when the program that forked this one is gone, or wants it to end. */
  onParentGone(callback: () => void): Disposable;
  /** All of standard input, up to a number of characters. */
  readInput(maxCharacters: number): Promise<string>;
  /** Tells the parent, if this process was forked with a channel. Never rejects. */
  notifyParent(message: TrackerMessage): Promise<void>;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The real process. A parent that is gone, with it the other end of the pipes, does not end it. */
export function processIo(): TrackerIo {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    pid: process.pid,
    onStopSignal: (callback) => {
      // Once: who sends a second signal does not want to wait for the first one's clean end.
      for (const signal of STOP_SIGNALS) process.once(signal, callback);
      return toDisposable(() => {
        for (const signal of STOP_SIGNALS) process.off(signal, callback);
      });
    },
    onParentGone: (callback) => {
      process.once('disconnect', callback);
      return toDisposable(() => void process.off('disconnect', callback));
    },
    readInput: async (maxCharacters) => {
      let text = '';
      for await (const chunk of process.stdin.setEncoding('utf8')) {
        text += String(chunk);
        if (text.length > maxCharacters) break;
      }
      return text;
    },
    notifyParent: (message) =>
      new Promise((resolve) => {
        if (process.send === undefined || !process.connected) resolve();
        else process.send(message, undefined, undefined, () => resolve());
      }),
  };
}
