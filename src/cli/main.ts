#!/usr/bin/env node
import { runProgram } from './program';

/** Entry of `peershelf`: signals, streams and the exit code; everything else is in `runProgram`. */
const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());

// A reader that closes early (`peershelf list | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

void runProgram(process.argv.slice(2), process, controller.signal).then((code) => {
  process.exitCode = code;
});
