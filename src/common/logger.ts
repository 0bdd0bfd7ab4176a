import { escapeUnshowable } from './printable';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Where log lines end: a log channel in the editor, standard error elsewhere, memory in tests. */
export type LogSink = (level: LogLevel, tag: string, message: string) => void;

/** Messages are English, for developers, and never hold file contents or secrets. */
export interface Logger {
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** A logger for one component below this one. */
  child(tag: string): Logger;
}

export function createLogger(sink: LogSink, tag = 'peershelf'): Logger {
  return {
    trace: (message) => sink('trace', tag, message),
    debug: (message) => sink('debug', tag, message),
    info: (message) => sink('info', tag, message),
    warn: (message) => sink('warn', tag, message),
    error: (message) => sink('error', tag, message),
    child: (childTag) => createLogger(sink, `${tag}.${childTag}`),
  };
}

export const nullLogger: Logger = createLogger(() => undefined);

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/**
 * A sink that writes lines of at least `minimum` to a stream such as standard error, which may be a
 * terminal: what others have said is escaped.
 */
export function streamSink(
  stream: { write(text: string): unknown },
  minimum: LogLevel = 'info',
): LogSink {
  const threshold = LEVELS.indexOf(minimum);
  return (level, tag, message) => {
    if (LEVELS.indexOf(level) < threshold) return;
    const line = escapeUnshowable(`${level} ${tag}: ${message}`);
    stream.write(`${new Date().toISOString()} ${line}\n`);
  };
}
