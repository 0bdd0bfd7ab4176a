import { runTracker } from './command';
import { processIo } from './processIo';

/** The stand-alone tracker, dist/tracker.js: everything else is in the command. */
void runTracker(process.argv.slice(2), processIo()).then((exitCode) => {
  process.exitCode = exitCode;
});
